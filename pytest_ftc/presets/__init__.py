"""Builds that need no configuration."""

from pytest_ftc.presets.prepared import Prepared
from pytest_ftc.presets.python import declare, prepare

__all__ = ["Prepared", "declare", "prepare"]
