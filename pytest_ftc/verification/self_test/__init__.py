"""Trying on this machine which variations a build really sees."""
