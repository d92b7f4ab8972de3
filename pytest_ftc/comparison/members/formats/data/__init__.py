"""Structured data of programs: what was pickled, arrays, tables and models, told by the names of the values."""
