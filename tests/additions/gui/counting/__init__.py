"""How many photos there are."""
