"""Reads ``[tool.ftc.sbom]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pytest_ftc.attestation.sbom.settings import NAMES, SPECS, SbomSettings
from pytest_ftc.config.file import show
from pytest_ftc.config.location import Place
from pytest_ftc.config.table import find_table, read_text
from pytest_ftc.model.support.suggestion import did_you_mean

TABLE = "sbom"
_KEYS = ("spec", "require", "files", "author", "supplier", "suppliers")


def read_sbom(place: Place, tables: Mapping[str, Any]) -> SbomSettings | None:
    """Return what `tables`, those of the session, ask of an SBOM; None if they have no such table.

    Raises ConfigurationError.
    """
    table, below = find_table(place, tables, TABLE, _KEYS), place.below(TABLE)
    if table is None:
        return None
    spec = read_text(below, table, "spec") or SPECS[0]
    if spec not in SPECS:
        below.fail("spec", f"expected {' or '.join(map(repr, SPECS))}, found {show(spec)}")
    return SbomSettings(
        spec=spec,
        require=tuple(_read_required(below, table)),
        files=_read_files(below, table),
        author=read_text(below, table, "author"),
        supplier=read_text(below, table, "supplier"),
        suppliers=_read_suppliers(below, table),
    )


def _read_required(place: Place, table: Mapping[str, Any]) -> list[str]:
    names = [one.replace("license", "licence") for one in _read_texts(place, table, "require", "['version', 'hash']")]
    for name in names:
        if name not in NAMES:
            place.fail("require", f"unknown name {name!r}{did_you_mean(name, NAMES)}  Valid names: {', '.join(NAMES)}")
    return names


def _read_files(place: Place, table: Mapping[str, Any]) -> tuple[str, ...]:
    paths = _read_texts(place, table, "files", "['rust/Cargo.lock']")
    for path in paths:
        if path.startswith("/") or ".." in path.split("/") or str(PurePosixPath(path)) != path:
            place.fail("files", f"expected paths below the source folder such as 'rust/Cargo.lock', found {show(path)}")
    return paths


def _read_suppliers(place: Place, table: Mapping[str, Any]) -> dict[str, str]:
    suppliers = table.get("suppliers", {})
    example = 'a table such as {"pkg:npm/@acme/" = "Acme"}'
    if not isinstance(suppliers, dict):
        place.fail("suppliers", f"expected {example}, found {show(suppliers)}")
    for begin in suppliers:
        if not begin.startswith("pkg:"):
            place.fail("suppliers", f"expected the beginnings of package URLs as in {example}, found {show(begin)}")
        read_text(place.below("suppliers"), suppliers, begin)
    return dict(suppliers)


def _read_texts(place: Place, table: Mapping[str, Any], key: str, example: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(one, str) and one for one in values):
        place.fail(key, f"expected a list of texts such as {example}, found {show(values)}")
    return tuple(values)
