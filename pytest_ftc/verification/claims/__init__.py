"""What a verdict may claim: variations that this build could not evade, and what was looked into."""
