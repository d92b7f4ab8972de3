"""The command line of reprotest(1): which of its flags and variations are translated, and how."""
