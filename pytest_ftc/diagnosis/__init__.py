"""From differences to causes, commands and remedies."""
