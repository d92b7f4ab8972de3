"""Finding in two values that differ what each build's environment planted."""
