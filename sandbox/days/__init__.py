"""The demo's calendar and its stand-in for Seller Support: one page on which days pass and Amazon answers."""
