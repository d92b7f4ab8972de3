"""Places that follow from others: which they are, and what is said of them."""
