"""Differences that come by themselves: further builds distinguish random values, races and the real clock."""
