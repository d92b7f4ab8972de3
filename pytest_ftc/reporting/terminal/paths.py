"""Paths as the terminal shows them."""

from __future__ import annotations

import os
import shlex

from pytest_ftc.model import KeptOutputs


def relative(path: str) -> str:
    """Return `path` relative to the current folder if it is below it, else unchanged."""
    try:
        shown = os.path.relpath(path)
    except OSError:  # the current folder no longer exists
        return path
    return path if shown.startswith("..") else shown


def both_sides(kept: KeptOutputs, output: str = "") -> str:
    """Return the paths of both sides of an `output`, or of all, in the form ``outputs/x-1f/{control,experiment}``.

    Bash, zsh and fish make two words of it.  Everything else in it is quoted for them.
    """
    folder, control = os.path.split(relative(kept.control))
    sides = f"{{{control},{os.path.basename(kept.experiment)}}}"  # noqa: PTH119
    return f"{shlex.quote(folder + os.sep)}{sides}{shlex.quote(os.sep + output)}"
