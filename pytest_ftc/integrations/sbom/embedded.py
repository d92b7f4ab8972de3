"""SBOMs in wheels: ``*.dist-info/sboms/``, as PEP 770 has it (https://peps.python.org/pep-0770/)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_ftc.attestation.strict_json import DocumentError, parse_object
from pytest_ftc.comparison.members.contents import Member
from pytest_ftc.comparison.members.formats.zip import read_zip
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError, Limits, OutOfTimeError
from pytest_ftc.comparison.members.span import whole_file
from pytest_ftc.integrations.sbom.document import find_invalid

_PLACE = re.compile(r"[^/]+\.dist-info/sboms/.*[^/]")
_MOST_BYTES = 16 << 20
_MOST_FILES = 20
_LIMITS = Limits(members=200_000, decompressed=4 * _MOST_BYTES)


def is_wheel(path: str) -> bool:
    """Return whether `path` is that of a wheel."""
    return path.endswith(".whl")


def read_embedded(path: Path, name: str) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Yield the place and the CycloneDX document of each SBOM in the wheel at `path`, which messages call `name`.

    For an SBOM that is not one in JSON, or not valid, yield the reason instead.  Nothing is extracted.
    Raises DocumentError for a file that is no wheel, NotInstalledError.
    """
    budget = Budget(_LIMITS)
    try:
        with open(path, "rb", buffering=0) as file, budget.temporary():
            members = [one for one in read_zip(whole_file(file), budget).members if _PLACE.fullmatch(one.name)]
            contents = [(f"{name} › {one.name}", _read(one)) for one in members[:_MOST_FILES]]
    except (LimitReachedError, OSError, OutOfTimeError) as error:
        raise DocumentError(f"{name}: its SBOMs cannot be read: {str(error)[:200]}") from None
    except Exception:  # Hostile archives make the readers raise anything.
        raise DocumentError(f"{name}: its SBOMs cannot be read: it is no zip archive, or is damaged") from None
    for where, data in contents:
        yield where, _parse(data, where)
    if len(members) > _MOST_FILES or budget.truncated:
        yield name, "it has too many members: not all SBOMs in it were read"


def _read(member: Member) -> bytes | str:
    if member.unreadable:
        return member.unreadable
    span = member.content() if member.content else member.stored
    if span is None:
        return "it has no content"
    if span.size > _MOST_BYTES:
        return f"it is larger than {_MOST_BYTES >> 20} MiB"
    return span.read(0, span.size)


def _parse(data: bytes | str, where: str) -> dict[str, Any] | str:
    if isinstance(data, str):
        return f"not checked: {data}"
    try:
        document = parse_object(data, where)
    except DocumentError:
        return "not checked: it is no JSON object"
    if document.get("bomFormat") != "CycloneDX":
        return "not checked: it is no CycloneDX document"
    if problem := find_invalid(json.dumps(document).encode()):
        return problem
    return document
