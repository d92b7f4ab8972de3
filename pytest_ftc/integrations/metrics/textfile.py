"""A file for the textfile collector of node_exporter."""

from __future__ import annotations

from pathlib import Path

from pytest_ftc.integrations.metrics.exposition import to_text
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.atomic_file import replace_file


def write_textfile(measured: Measured, file: Path) -> None:
    """Write `measured` to `file` in one step, so that no half of it is ever read.  Raises FtcError."""
    try:
        # node_exporter runs as another user.
        replace_file(file, to_text(measured), mode=0o644, durable=False)
    except OSError as error:
        raise FtcError(f"{file} was not written: {error.strerror or error}") from None
