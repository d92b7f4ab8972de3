"""The command line, ``[tool.ftc]`` and the contributions of plugins become one frozen `Config`."""
