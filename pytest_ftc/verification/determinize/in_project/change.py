"""A change of the project's own files: how it looks as a diff, and how a build gets it."""

from __future__ import annotations

import difflib
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.model import Artifact
from pytest_ftc.model.support.printable import printable

_MOST_BYTES, _MOST_IN_ALL = 48 << 10, 96 << 10
"""Bytes of one file that is changed, and of all, at most: larger ones are generated, and a command has 128 KiB."""

Rewrite = Callable[[str], str]
"""Returns the changed text of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of one file.  Those that insert lines come after those that name lines by their number."""

    path: str
    """Relative to the sources."""
    rewrite: Rewrite
    inserts: bool = False
    sorts: bool = False
    """Whether it gives outputs another order on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChange:
    """Files with their texts before and after the change."""

    files: Mapping[str, tuple[str, str]]
    sorts: bool = False
    """Whether it gives outputs another order on purpose."""

    @property
    def can_be_tried(self) -> bool:
        """Whether there is a change, and a build can be given it."""
        return bool(self.files) and sum(len(shlex.quote(new)) for _, new in self.files.values()) < _MOST_IN_ALL

    def reads(self, variable: str) -> bool:
        """Return whether a changed file newly names `variable`, and none of them sets it."""
        named = any(variable in new and variable not in old for old, new in self.files.values())
        sets = re.compile(rf"export {variable}|set\(ENV{{{variable}}}|\${{{variable}:-")
        return named and not any(sets.search(new) for _, new in self.files.values())

    def diff(self, folder: str = "") -> str:
        """Return the change as a unified diff, for ``patch -p1`` in the project whose `folder` has the sources."""
        files = ((posixpath.normpath(posixpath.join(folder, path)), texts) for path, texts in self.files.items())
        return "".join(line for path, (old, new) in files for line in _diff(path, old, new))

    def apply_to(self, artifact: Artifact) -> Artifact:
        """Return `artifact` with this change made at the start of every build; the files keep their times and modes."""
        commands = [_command(path, new) for path, (_, new) in self.files.items()]
        return replace(artifact, before="\n".join(filter(None, (*commands, artifact.before))))


def combine(edits: Sequence[Edit], texts: Mapping[str, str], finish: Callable[[str, str], str]) -> ProjectChange:
    """Return the change that `edits` make of the files with these `texts`; `finish` completes a text, by its path."""
    files: dict[str, tuple[str, str]] = {}
    for path in sorted({edit.path for edit in edits}):
        text = texts[path]
        for edit in sorted(edits, key=lambda one: one.inserts):
            text = edit.rewrite(text) if edit.path == path else text
        if text != texts[path]:
            files[path] = texts[path], finish(path, text)
    return ProjectChange(files=files, sorts=any(edit.sorts for edit in edits))


def read_source(source: Path, path: str) -> str | None:
    """Return the text of the regular file `path` in the folder `source`.

    None if it is none, is too large, or has characters that a terminal must not be sent.
    """
    file = source / path
    try:
        inside = file.resolve(strict=True).is_relative_to(source.resolve())
        if not inside or file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return None
        text = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    return text if all(printable(part) == part for line in text.split("\n") for part in line.split("\t")) else None


def _diff(path: str, old: str, new: str) -> Iterator[str]:
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}")
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _command(path: str, text: str) -> str:
    name = shlex.quote(f"./{path}")
    lines = (
        "ftc_old=$(mktemp)",
        f"touch -r {name} $ftc_old",
        f"printf %s {shlex.quote(text)} > {name}",
        f"touch -r $ftc_old {name}",
        "rm $ftc_old",
    )
    return "\n".join(lines)
