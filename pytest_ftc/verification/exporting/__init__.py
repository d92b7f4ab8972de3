"""A store of what the next run of a project needs, small enough for a cache of CI."""
