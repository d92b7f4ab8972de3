"""Reading diffoscope's result: the places that differ, in human-readable form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_ftc.comparison.excerpt import contrast
from pytest_ftc.model import Evidence
from pytest_ftc.model.support.printable import shorten


@dataclass(frozen=True, slots=True)
class Place:
    """One leaf of diffoscope's tree."""

    member: str
    location: str
    evidence: Evidence | None = None
    """None if diffoscope shows no values."""
    note: str = ""
    """What diffoscope could not examine."""


def read_places(result: object) -> tuple[Place, ...]:
    """Return the places that differ in `result`, the value of diffoscope's JSON output.

    Raises ValueError if its structure is unknown.
    """
    return tuple(dict.fromkeys(_walk(_parse(result), "")))


@dataclass(frozen=True, slots=True)
class _Node:
    source: str
    diff: str
    comments: tuple[str, ...]
    details: tuple[_Node, ...]


def _parse(value: Any) -> _Node:
    try:
        node = _Node(
            source=value["source1"],
            diff=value["unified_diff"] or "",
            comments=tuple(value.get("comments", ())),
            details=tuple(map(_parse, value.get("details", ()))),
        )
    except (AttributeError, KeyError, TypeError):
        raise ValueError("its result has an unknown form") from None
    if not all(isinstance(text, str) for text in (node.source, node.diff, *node.comments)):
        raise ValueError("its result has an unknown form")
    return node


def _walk(node: _Node, member: str, section: str = "") -> Iterator[Place]:
    if node.diff or not node.details:
        yield _describe(node, member, section)
    for child in node.details:
        name = _name_section(child.source)
        if name or child.source == node.source:
            # A format that diffoscope compares in two ways appears twice in the path.
            yield from _walk(child, member, name)
        else:
            yield from _walk(child, f"{member}/{shorten(child.source)}".lstrip("/"))


# diffoscope's names for parts of a file (from its sources); other nodes have the name of a member.
_SECTIONS = {
    "file list": "archive entries (names, order, times, owners, modes)",
    "filetype from file(1)": "file header (such as a gzip time stamp)",
    "filetype from diffoscope": "file type",
    "symlink": "link target",
    **dict.fromkeys(
        (
            "7z l", "APK Signing Block", "Berkeley DB file", "GPG header", "GPG signature", "Image content",
            "Image metadata", "Pretty-printed", "Python bytecode", "Sphinx inventory", "XAR Header",
            "XAR Table of Contents", "docx2txt", "dumpxsb", "encoding", "extended file attributes", "ffprobe",
            "filesystem", "gifbuild", "gpg --list-packets", "header", "kbxutil", "line order", "lsattr", "md5sums",
            "metadata", "objdump", "ocamlobjinfo", "odt2txt", "oggDump", "openssl pkcs7 -print", "openssl smime",
            "pgpdump", "sng", "ssconvert", "stat", "strings", "tcpdump", "xz --list",
        )
    ),
}  # fmt: skip
_TOOLS = {"zipinfo": "zip entries", "zipdetails": "zip headers", "zipnote": "zip comments", "strings": "strings"}
_TRUNCATED = " […]"


def _name_section(source: str) -> str:
    """Return the name of a part of a file; empty if `source` names a member."""
    if source in _SECTIONS:
        return _SECTIONS[source] or source
    words = source.split(" ")
    if "{}" not in words and not source.endswith(_TRUNCATED):
        return ""
    command = shorten(" ".join(word for word in words if word != "{}"))
    plain = _TOOLS.get(words[0])
    return f"{plain} ({command})" if plain else command


def _describe(node: _Node, member: str, section: str) -> Place:
    note = _find_omission(node.comments)
    change = _first_change(node.diff)
    if change is None:
        return Place(member, section or ("content" if member else ""), None, note)
    location = section or _locate(change, node.comments)
    if _only_order(node.diff):
        location += ", order only"
    return Place(member, location, _show(change), note)


_OMISSION = re.compile(r"not available in path|Timeout exceeded|error from|Error |failed with exit code")


def _find_omission(comments: tuple[str, ...]) -> str:
    return next((shorten(comment.strip()) for comment in comments if _OMISSION.search(comment)), "")


@dataclass(slots=True)
class _Change:
    """The first lines that differ; None on a side without one."""

    line: int = 1
    """Number of the line in the control build, from 1."""
    control: str | None = None
    experiment: str | None = None
    no_newline: list[str] = field(default_factory=list)
    """The signs (+ or -) of the lines without a newline at their end."""


def _first_change(diff: str) -> _Change | None:
    """Return the first change of a unified diff; None if there is none, or only a notice of too much input."""
    change = _Change()
    last = ""
    for text in diff.split("\n"):
        sign, rest = text[:1], text[1:]
        differs = change.control is not None or change.experiment is not None
        if sign == "\\" and last in ("-", "+"):
            change.no_newline.append(last)
        elif sign == "-" and last != "+":
            change.control = rest if change.control is None else change.control
        elif sign == "+":
            change.experiment = rest if change.experiment is None else change.experiment
        elif differs:
            break
        elif sign == "@":
            match = re.match(r"@@ -(\d+)", text)
            change.line = max(1, int(match[1])) if match else 1
        else:
            change.line += 1
        last = sign
    told = [text for text in (change.control, change.experiment) if text is not None]
    return change if any(not text.startswith("[ Too much input for diff") for text in told) else None


def _only_order(diff: str) -> bool:
    lines = diff.split("\n")
    removed, added = (sorted(line[1:] for line in lines if line.startswith(sign)) for sign in "-+")
    return len(removed) > 0 and removed == added and "\\" not in {line[:1] for line in lines}


_XXD = re.compile(r"([0-9a-f]{8,}): ((?:[0-9a-f]{2,4} )+)")
_HEXLIFY = re.compile(r"(?:[0-9a-f]{2}){1,32}")


def _locate(change: _Change, comments: tuple[str, ...]) -> str:
    """Return the line; or the byte, if diffoscope compared hex dumps."""
    one, other = change.control or "", change.experiment or ""
    rows = _XXD.match(one), _XXD.match(other)
    row = rows[0] or rows[1]
    if row:
        digits = [match[2].replace(" ", "") if match else "" for match in rows]
        return f"byte {int(row[1], 16) + _unequal_byte(*digits):#x}"
    if any("hexlify" in comment for comment in comments) and _HEXLIFY.fullmatch(one or other):
        return f"byte {(change.line - 1) * 32 + _unequal_byte(one, other):#x}"
    return f"line {change.line}"


def _unequal_byte(one: str, other: str) -> int:
    """Return the index of the first byte that differs between two hex strings."""
    length = min(len(one), len(other))
    return next((index for index in range(length) if one[index] != other[index]), length) // 2


def _show(change: _Change) -> Evidence:
    one, other = change.control or "", change.experiment or ""
    if one.strip() != other.strip():
        one, other = one.strip(), other.strip()
    elif change.no_newline:
        one, other = (text + "\n" * (sign not in change.no_newline) for text, sign in ((one, "-"), (other, "+")))
    return contrast(one, other)
