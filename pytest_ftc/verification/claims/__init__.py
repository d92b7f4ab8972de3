"""The claims of a verdict: the variations that this build could not evade, and the extent of searches."""
