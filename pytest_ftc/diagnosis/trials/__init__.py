"""The trials of remedies: what is tried where, what came out, and which remedy is to be credited."""
