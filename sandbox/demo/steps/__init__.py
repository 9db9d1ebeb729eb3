"""The way of `flask demo --check`, a file for each part of it."""
