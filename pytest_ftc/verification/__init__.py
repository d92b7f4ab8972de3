"""The verbs: an artifact becomes a `Verification`."""
