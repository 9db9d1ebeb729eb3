"""The services: the only code that moves a discrepancy or a claim, whichever door the press came through."""
