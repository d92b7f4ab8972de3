"""Where a test marked with ``ftc`` writes.  Imports nothing of ours: ordinary runs of pytest use it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

OUTPUT = "FTC_OUTPUT"
"""The variable that tells a test in a build where ``ftc_output`` is."""


def output_folder(environ: Mapping[str, str], otherwise: Callable[[], Path]) -> Path:
    """Return where a test writes: in a build its own folder there, else the one it would have anyway."""
    if OUTPUT not in environ:
        return otherwise()
    folder = Path(environ[OUTPUT]).absolute()
    folder.mkdir(exist_ok=True)
    return folder
