"""Finding times in the values that differ, in binary and in text."""
