"""The output folder of a test marked with ``ftc``.  Imports nothing of ours, since ordinary test runs use it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

OUTPUT = "FTC_OUTPUT"
"""The variable with the path of ``ftc_output`` in a build."""


def output_folder(environ: Mapping[str, str], otherwise: Callable[[], Path]) -> Path:
    """Return the output folder of a test: in a build the one that is compared, else the result of `otherwise`."""
    if OUTPUT not in environ:
        return otherwise()
    folder = Path(environ[OUTPUT]).absolute()
    folder.mkdir(exist_ok=True)
    return folder
