"""Numbers in two outputs: how far they are apart."""
