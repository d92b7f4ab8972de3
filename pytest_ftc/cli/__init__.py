"""The ``ftc`` command, one file a subcommand."""
