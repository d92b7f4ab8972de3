"""Finding times in different values, in binary form and in text."""
