"""All that knows Amazon: the catalogue of its reports, reading them, and the archive of what was delivered."""
