"""Why two outputs are not equal within a tolerance."""


class RefusedError(Exception):
    """The outputs are not equal within the tolerance, or that cannot be known; the text says why."""
