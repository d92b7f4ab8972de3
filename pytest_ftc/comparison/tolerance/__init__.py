"""Whether two outputs differ only in numbers, and by at most so much."""
