"""Walking containers inside outputs down to the members, and the places in them, that differ."""
