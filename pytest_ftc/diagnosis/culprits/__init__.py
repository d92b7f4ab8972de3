"""What wrote the bytes that differ: the command, what started it, and the tools of the machine it ran on."""
