"""Files of which only fields at fixed offsets are read: file systems, images for boot loaders, profiles."""
