"""Other systems, one file and one extra each; loaded by dotted name where they are asked for, imported by nobody."""
