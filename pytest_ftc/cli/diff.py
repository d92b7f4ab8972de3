"""``ftc diff``: shows the differences between two files or folders from any source, and their likely causes."""

from __future__ import annotations

import argparse
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.diagnosis.from_values import guess, look_into
from pytest_ftc.model import (
    Cause,
    Difference,
    DifferenceKind,
    Finding,
    Metadata,
    Output,
    OutputType,
    Verdict,
    Verification,
)
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.limits import MOST_EXAMINED
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.service_commands import defuse

if TYPE_CHECKING:
    from pytest_ftc.model import Verification
from pytest_ftc.cli.output import page_style, print_json, write_text

_CHUNK = 1 << 20
_ONLY_FILES = "only two files to compare"
"""Why a cause is unknown."""


@dataclass(frozen=True, slots=True)
class DiffResult:
    """The result of a comparison."""

    verification: Verification
    """The differences in the form of a report: `control` is the first of the two, `experiment` the second."""
    notes: tuple[str, ...]
    """What was not examined, and why."""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.verification.differences


def diff(one: Path, other: Path) -> DiffResult:
    """Compare two files, or two folders with everything below them.

    Nothing is built, so causes are only suspected.  Arguments that are symlinks are followed, as by diff(1); symlinks
    in folders are compared by their targets.  Raises FtcError if something cannot be read.
    """
    try:
        kinds = [stat.S_ISDIR(path.stat().st_mode) for path in (one, other)]
        if kinds[0] != kinds[1]:
            raise FtcError(f"{one} and {other} are of different kinds; expected two files or two folders")
        files = Path(os.path.realpath(one)), Path(os.path.realpath(other))
        manifests = [_list(path) for path in files]
        differences: Sequence[Difference] = compare_manifests(manifests[0], manifests[1], Metadata.CONTENT)
        differences, found, notes = _look(differences, *files, one.name)
    except FileNotFoundError as error:
        raise FtcError(f"{error.filename} does not exist") from error
    except OSError as error:
        raise FtcError(f"{error.filename or one} cannot be read: {error.strerror or error}") from error
    verification = Verification(
        id=one.name,
        name=one.name,
        verdict=Verdict.UNREPRODUCIBLE if differences else Verdict.REPRODUCIBLE,
        differences=tuple(differences),
        findings=tuple(found),
    )
    return DiffResult(verification, tuple(dict.fromkeys(notes)))


def _list(top: Path) -> list[Output]:
    """Return the manifest of a folder, or of a file with an empty name, because the two may have different names."""
    if not top.is_dir():
        return [_describe(top, "")]
    return sorted(_walk(top, top), key=lambda output: output.path)


def _walk(folder: Path, top: Path) -> Iterator[Output]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield _describe(Path(entry.path), os.path.relpath(entry.path, top))
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), top)


def _describe(path: Path, name: str) -> Output:
    status = path.lstat()
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    if stat.S_ISLNK(status.st_mode):
        return Output(path=name, type=OutputType.SYMLINK, mode=mode, target=os.fspath(path.readlink()))
    if stat.S_ISDIR(status.st_mode):
        return Output(path=name, type=OutputType.DIR, mode=mode)
    if not stat.S_ISREG(status.st_mode):
        raise FtcError(f"{path} is not a file, folder or symlink")
    hashed = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(_CHUNK):
            hashed.update(data)
    return Output(path=name, type=OutputType.FILE, mode=mode, size=status.st_size, sha256=hashed.hexdigest())


def _look(
    differences: Sequence[Difference], one: Path, other: Path, called: str
) -> tuple[Sequence[Difference], list[Finding], list[str]]:
    """Return the differences with their places, a finding for each, and notes on what was not examined."""
    placed: list[Difference] = []
    found: list[Finding] = []
    notes: list[str] = []
    for number, difference in enumerate(differences):
        name = difference.output or called
        if difference.kind is DifferenceKind.CONTENT and number >= MOST_EXAMINED:
            notes.append(f"only the first {MOST_EXAMINED} differing files were examined")
            placed.append(difference)
            continue
        leaves, cut = look_into(difference, name, (one / difference.output, other / difference.output))
        notes += cut
        for leaf in leaves:
            here = replace(difference, output=name, member=leaf.member, location=leaf.location)
            placed.append(replace(here, numbers=leaf.numbers))
            finding = guess(name, leaf)
            found.append(replace(finding, why=_ONLY_FILES) if finding.cause == Cause.UNKNOWN else finding)
    return placed, found, notes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc diff``."""
    parser.description = f"{parser.description} Exit status: 0 if there are none, 1 if there are any, 2 on an error."
    parser.add_argument("one", metavar="A", type=Path, help="a file or folder, shown as control")
    parser.add_argument("other", metavar="B", type=Path, help="a file or folder to compare with, shown as experiment")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the differences between two files or folders."""
    from pytest_ftc.reporting.terminal.diff import diff_panel

    found = diff(options.one, options.other)
    if options.json:
        document = {"identical": found.same, "notes": found.notes, **_differences(found.verification)}
        print_json(document)
        return int(not found.same)
    for note in found.notes:
        print(defuse(f"ftc: {shorten(note)}"), file=sys.stderr)
    if found.same:
        print("identical")
        return 0
    write_text(diff_panel(found.verification, f"✘ {options.one} and {options.other} differ", **page_style()))
    return 1


def _differences(verification: Verification) -> dict[str, object]:
    return {"differences": verification.differences, "findings": verification.findings}
