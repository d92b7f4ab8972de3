"""Where the time of a session goes: its phases, who collects them, and the trace that they belong to."""
