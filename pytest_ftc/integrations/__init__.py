"""Other systems, one file and one extra each, loaded by dotted name when needed; no other module imports them."""
