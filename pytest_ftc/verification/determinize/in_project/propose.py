"""Which changes of the project's own files may make an artifact reproducible, by its findings."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pytest_ftc.model import Artifact, Cause, Finding
from pytest_ftc.model.support.epoch import FALLBACK_EPOCH
from pytest_ftc.verification.determinize.in_project.build_files import (
    CMAKE,
    BuildCommand,
    build_files,
    define_epoch_there,
    find_commands,
    find_most_like,
    is_build_file,
    map_paths_there,
)
from pytest_ftc.verification.determinize.in_project.change import Edit, ProjectChange, combine, read_source
from pytest_ftc.verification.determinize.in_project.command_lines import add_options, may_help, sort_finds
from pytest_ftc.verification.determinize.in_project.entry_file import entry_file
from pytest_ftc.verification.determinize.in_project.makefiles import (
    EPOCH,
    define_epoch,
    export,
    is_makefile,
    map_paths,
    set_epoch,
    sort_lists,
)
from pytest_ftc.verification.determinize.in_project.other_calls import take_epoch
from pytest_ftc.verification.determinize.in_project.python_calls import Call, find_calls, replace_calls
from pytest_ftc.verification.determinize.settings import name_commit
from pytest_ftc.verification.determinize.steps import Step

_TIMES = frozenset({Cause.TIME, Cause.TIMEZONE, Cause.LOCALES})
_MOST = 16
"""Edits that are tried at most: each may need its own builds."""
_SCRIPTS = (".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".sh")
_OF_PYTHON = ("setup.py", "conf.py", "docs/conf.py", "doc/conf.py", "docs/source/conf.py")
"""Scripts that tools of Python read without naming them."""
_FLAGS = {**dict.fromkeys(("cc", "clang", "gcc"), "CFLAGS"), **dict.fromkeys(("c++", "clang++", "g++"), "CXXFLAGS")}
"""The variables of make with the options of compilers."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Edits to try together, those first that are better left out if they are not needed."""

    edits: tuple[Edit, ...]
    texts: Mapping[str, str]
    """The files that they edit."""
    steps: tuple[Step, ...] = ()
    """What they need from outside."""

    def change(self, edits: Sequence[Edit] | None = None) -> ProjectChange:
        """Return the change that all edits make, or these."""
        return combine(self.edits if edits is None else edits, self.texts, _finish)


@dataclass(slots=True)
class _Draft:
    artifact: Artifact
    texts: dict[str, str] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)

    def has(self, path: str) -> bool:
        """Return whether the sources have a text file `path`."""
        if path not in self.texts and (text := read_source(self.artifact.source, path)) is not None:
            self.texts[path] = text
        return path in self.texts

    def add(self, path: str, rewrite: Callable[[str], str], *, inserts: bool = False, sorts: bool = False) -> bool:
        """Add an edit unless it changes nothing; return whether it does."""
        if len(self.edits) == _MOST or not self.has(path) or rewrite(self.texts[path]) == self.texts[path]:
            return False
        self.edits.append(Edit(path=path, rewrite=rewrite, inserts=inserts, sorts=sorts))
        return True


def propose(
    artifact: Artifact, findings: Sequence[Finding], steps: Sequence[Step], commit: int | None = None
) -> Proposal:
    """Return edits of the project's files against `findings`, and in place of `steps` that help from outside.

    `commit` is the time of the last commit, in seconds since 1970, which must not be written as a number.
    """
    draft = _Draft(artifact)
    entry = entry_file(artifact, draft.has)
    if entry:
        _export_steps(draft, entry, steps, commit)
    for (path, line, program), causes in _lines_of(findings).items():
        _add_options(draft, path, line, program, causes)
    for path, causes in _files_of(findings, entry, draft.has).items():
        _rewrite_file(draft, path, causes)
    if entry and is_makefile(entry):
        _map_paths(draft, entry, findings)
    _change_build_files(draft, findings)
    proposal = Proposal(tuple(draft.edits), draft.texts)
    if not proposal.change().reads(EPOCH):
        return proposal
    if entry and draft.add(entry, partial(set_epoch, entry), inserts=True):
        return Proposal(tuple(draft.edits), draft.texts)
    return replace(proposal, steps=(Step("set", EPOCH, str(FALLBACK_EPOCH if commit is None else commit)),))


def _export_steps(draft: _Draft, entry: str, steps: Sequence[Step], commit: int | None) -> None:
    for step in steps:
        if step.name == EPOCH:
            draft.add(entry, partial(set_epoch, entry), inserts=True)
        elif step.kind == "set" and "$PWD" not in step.value and "\n" not in step.value:
            draft.add(
                entry, partial(export, entry, name=step.name, value=name_commit(step.value, commit)), inserts=True
            )


def _lines_of(findings: Sequence[Finding]) -> Mapping[tuple[str, int, str], set[str]]:
    """Return the causes that each line of the project brings in by a program: its file, its number, the program."""
    found: dict[tuple[str, int, str], set[str]] = defaultdict(set)
    for finding in findings:
        path, _, number = finding.command_line.rpartition(":")
        if path and finding.command:
            found[path, int(number), posixpath.basename(finding.command[0])].add(finding.cause)
    return found


def _add_options(draft: _Draft, path: str, line: int, program: str, causes: set[str]) -> None:
    if not may_help(program, causes) or is_build_file(path) or not draft.has(path):
        return
    if program in _FLAGS and is_makefile(path) and f"$({_FLAGS[program]})" in _line(draft.texts[path], line):
        return  # They are added to the variable.
    change = partial(add_options, program=program, causes=frozenset(causes), make=is_makefile(path))
    draft.add(path, partial(_rewrite_line, number=line, change=change), sorts=Cause.FILEORDERING in causes)


def _files_of(findings: Sequence[Finding], entry: str, has: Callable[[str], bool]) -> Mapping[str, set[str]]:
    """Return the causes that may come from each script of the project, among them its `entry`."""
    found: dict[str, set[str]] = defaultdict(set)
    for finding in findings:
        paths = {entry, finding.command_line.rpartition(":")[0]}
        commands = (finding.command, finding.given, *finding.chain)
        paths |= {path for command in commands for path in _scripts_in(command, has)}
        if any(command and re.match(r"python|sphinx", posixpath.basename(command[0])) for command in commands):
            paths.update(_OF_PYTHON)
        for path in filter(None, paths):
            found[path].add(finding.cause)
    return dict(sorted(found.items()))


def _scripts_in(command: Sequence[str], has: Callable[[str], bool]) -> Iterator[str]:
    """Yield the scripts of the project among the words of `command`, which may hold the path of the build."""
    for word in command[:16]:
        parts = posixpath.normpath(word).strip("/").split("/")
        if word.endswith(_SCRIPTS) and len(word) < 4096:
            ends = ("/".join(parts[start:]) for start in range(min(len(parts), 16)))
            yield from (path for path in [next(filter(has, ends), "")] if path)


def _rewrite_file(draft: _Draft, path: str, causes: set[str]) -> None:
    if is_build_file(path) or not draft.has(path):
        return
    text = draft.texts[path]
    if path.endswith(".py"):
        calls = find_calls(text, causes)
        if calls:
            sorts = Cause.FILEORDERING in causes
            draft.add(path, partial(_replace, calls=tuple(calls)), inserts=True, sorts=sorts)
    elif path.endswith(_SCRIPTS[1:-1]) and Cause.TIME in causes:
        draft.add(path, partial(take_epoch, path), inserts=True)
    else:
        _rewrite_lines(draft, path, causes)


def _replace(text: str, calls: Sequence[Call]) -> str:
    return replace_calls(text, calls)


def _rewrite_lines(draft: _Draft, path: str, causes: set[str]) -> None:
    """Add edits of the lines of a Makefile or shell script that take the time or list files."""
    make = is_makefile(path)
    if Cause.FILEORDERING in causes and make:
        draft.add(path, sort_lists, inserts=True, sorts=True)
    lines = draft.texts[path].split("\n")
    for number, line in enumerate(lines, 1):
        if not _TIMES.isdisjoint(causes) and re.search(r"(?:shell\s+|\$\(|`)\s*date\b", line):
            change = partial(add_options, program="date", causes=frozenset(causes), make=make)
            draft.add(path, partial(_rewrite_line, number=number, change=change))
        if Cause.FILEORDERING in causes and "find " in line:
            draft.add(path, partial(_rewrite_line, number=number, change=sort_finds), sorts=True)


def _map_paths(draft: _Draft, makefile: str, findings: Sequence[Finding]) -> None:
    for finding in findings:
        for command in (finding.command, *finding.chain):
            variable = _FLAGS.get(posixpath.basename(command[0])) if command else None
            if finding.cause == Cause.BUILD_PATH and variable:
                draft.add(makefile, partial(map_paths, variable=variable), inserts=True)
                return


def _change_build_files(draft: _Draft, findings: Sequence[Finding]) -> None:
    """Add edits of the files of CMake and Meson, where one command in them is that of a finding."""
    files = build_files(lambda path: draft.texts[path] if draft.has(path) else None)
    found: dict[tuple[BuildCommand, str], set[str]] = defaultdict(set)
    for finding in findings:
        for command in filter(None, (finding.command, finding.given, *finding.chain)):
            program = posixpath.basename(command[0])
            if may_help(program, {finding.cause}):
                written = [one for path in files for one in find_commands(path, draft.texts[path], program)]
                if like := find_most_like(written, command):
                    found[like, program].add(finding.cause)
                if program in _FLAGS and CMAKE in files:
                    draft.add(CMAKE, map_paths_there, inserts=True)
    for (like, program), causes in found.items():
        change = partial(_replace_once, old=like.text, new=like.change(program, causes))
        draft.add(like.path, change, sorts=Cause.FILEORDERING in causes)


def _replace_once(text: str, old: str, new: str) -> str:
    return text.replace(old, new, 1)


def _finish(path: str, text: str) -> str:
    return define_epoch_there(path, define_epoch(path, text))


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _rewrite_line(text: str, number: int, change: Callable[[str], str]) -> str:
    """Return `text` with the line of this `number`, and those that continue it, changed."""
    lines = text.split("\n")
    end = number
    while 0 < end < len(lines) and lines[end - 1].endswith("\\"):
        end += 1
    changed = change("\n".join(lines[number - 1 : end]))
    return "\n".join([*lines[: number - 1], changed, *lines[end:]])
