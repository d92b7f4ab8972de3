"""Reads ``[tool.ftc.attest]``: whether and how a session attests its verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.config.file import read_file, show
from pytest_ftc.config.location import Place
from pytest_ftc.config.table import find_table, read_flag, read_text
from pytest_ftc.reporting.seal import ATTESTATIONS

ATTEST = "attest"
"""The name of the table."""
_KEYS = ("keys", "builder", "required", "folder", "bundle")
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestSettings:
    """How a session attests its verdicts."""

    keys: tuple[str, ...] = ()
    """Those that sign: names in the keyring, or URIs of signers."""
    builder: str = ""
    """A URI; empty for the local builder."""
    required: bool = False
    """Whether a session fails if a verdict could not be attested."""
    folder: Path | None = None
    """Where the attestations are written; None for beside the report."""
    bundle: bool = False
    """Whether each signature is written as a Sigstore bundle too."""

    def folder_of(self, root: Path, report: Path | None) -> Path:
        """Return the folder of the attestations of a session with this `root` and `report`."""
        return self.folder or (report or root) / ATTESTATIONS


def load_attest(root: Path) -> AttestSettings | None:
    """Return how the project in `root` wants verdicts attested; None if it does not say.  Raises ConfigurationError."""
    file, tables = read_file(root)
    return read_attest(Place(file.name if file else "", tables.text, tables.prefix), tables.ftc, root)


def read_attest(place: Place, tables: Mapping[str, Any], root: Path) -> AttestSettings | None:
    """Return how `tables`, those of the session, want verdicts attested; None if they have no such table.

    Raises ConfigurationError.
    """
    table, below = find_table(place, tables, ATTEST, _KEYS), place.below(ATTEST)
    if table is None:
        return None
    folder = read_text(below, table, "folder")
    if folder and (root / folder).is_file():
        below.fail("folder", f"expected a folder, found the file {show(folder)}")
    return AttestSettings(
        keys=_read_keys(below, table),
        builder=_read_builder(below, table),
        required=read_flag(below, table, "required"),
        folder=(root / folder).absolute() if folder else None,
        bundle=read_flag(below, table, "bundle"),
    )


def _read_keys(place: Place, table: Mapping[str, Any]) -> tuple[str, ...]:
    if "keys" not in table:
        place.fail("", "key 'keys' is missing; expected a list of keys such as ['release']", about="")
    keys = table["keys"]
    if not isinstance(keys, list) or not keys or not all(isinstance(one, str) and one.strip() for one in keys):
        place.fail("keys", f"expected a list of keys such as ['release'] or ['hv:release'], found {show(keys)}")
    return tuple(dict.fromkeys(keys))


def _read_builder(place: Place, table: Mapping[str, Any]) -> str:
    builder = read_text(place, table, "builder")
    if builder and not _URI.fullmatch(builder):
        place.fail("builder", f"expected a URI such as 'https://ci.example/builder', found {show(builder)}")
    return builder
