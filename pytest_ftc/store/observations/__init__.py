"""What sessions have seen, beside the history, and what objectives measure of it."""
