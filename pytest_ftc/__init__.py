"""Is my build reproducible, and if not, why?  See README.md; the plugin itself is ``pytest_ftc.plugin``."""

__version__ = "0.1.0"
