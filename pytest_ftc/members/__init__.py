"""Inside the outputs: containers walked down to the member, and in it the place, that differs."""

from pytest_ftc.members.limits import Limits
from pytest_ftc.members.walk import Walk, walk

__all__ = ["Limits", "Walk", "walk"]
