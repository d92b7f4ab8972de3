"""What pytest shows of bad verdicts."""
