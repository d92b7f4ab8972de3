"""Finding what each build's environment planted in two different values."""
