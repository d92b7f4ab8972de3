"""Building an artifact as it was verified, for those who publish it."""
