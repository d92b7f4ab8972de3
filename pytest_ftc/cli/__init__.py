"""The ``ftc`` command, with one file per subcommand."""
