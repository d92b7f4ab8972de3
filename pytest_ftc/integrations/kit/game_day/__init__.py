"""The game day: faults are injected into small projects, and the right alert has to fire, and to end."""
