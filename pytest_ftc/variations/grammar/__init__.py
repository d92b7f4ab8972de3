"""What stands beside the names of variations in a specification."""
