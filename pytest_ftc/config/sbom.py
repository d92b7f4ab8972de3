"""Reads ``[tool.ftc.sbom]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pytest_ftc.attestation.sbom.settings import NAMES, SPECS, SbomSettings
from pytest_ftc.config.file import show
from pytest_ftc.config.location import Place
from pytest_ftc.model.support.suggestion import did_you_mean

TABLE = "sbom"
_KEYS = ("spec", "require", "files", "author", "supplier", "suppliers")


def read_sbom(place: Place, tables: Mapping[str, Any]) -> SbomSettings | None:
    """Return what `tables`, those of the session, ask of an SBOM; None if they have no such table.

    Raises ConfigurationError.
    """
    if TABLE not in tables:
        return None
    table, below = tables[TABLE], place.below(TABLE)
    if not isinstance(table, dict):
        place.fail(TABLE, f"expected a table, found {show(table)}")
    for key in table:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            below.fail(key, f"unknown key {key!r}{hint}  Valid keys: {', '.join(_KEYS)}", about="")
    spec = _read_text(below, table, "spec") or SPECS[0]
    if spec not in SPECS:
        below.fail("spec", f"expected {' or '.join(map(repr, SPECS))}, found {show(spec)}")
    return SbomSettings(
        spec=spec,
        require=tuple(_read_required(below, table)),
        files=_read_files(below, table),
        author=_read_text(below, table, "author"),
        supplier=_read_text(below, table, "supplier"),
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
        _read_text(place.below("suppliers"), suppliers, begin)
    return dict(suppliers)


def _read_text(place: Place, table: Mapping[str, Any], key: str) -> str:
    text = table.get(key, "")
    if not isinstance(text, str) or not text.isprintable() or (key in table and not text.strip()):
        place.fail(key, f"expected non-empty text on one line, found {show(text)}")
    return text


def _read_texts(place: Place, table: Mapping[str, Any], key: str, example: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(one, str) and one for one in values):
        place.fail(key, f"expected a list of texts such as {example}, found {show(values)}")
    return tuple(values)
