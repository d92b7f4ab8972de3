"""Rewriting archives and other containers so that only their contents decide their bytes."""

from pytest_ftc.normalizing.epoch import choose_epoch
from pytest_ftc.normalizing.files import normalize_file
from pytest_ftc.normalizing.rules import Rules

__all__ = ["Rules", "choose_epoch", "normalize_file"]
