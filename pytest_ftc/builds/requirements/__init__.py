"""What a build needs installed before it runs, as declared by its project."""
