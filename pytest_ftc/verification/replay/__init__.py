"""Running a recorded build again."""
