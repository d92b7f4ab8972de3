"""The formats of containers and files that the walk understands, one file each."""
