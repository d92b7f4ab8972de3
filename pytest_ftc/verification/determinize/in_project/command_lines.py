"""Commands of a Makefile or script with the options that make their outputs reproducible."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from pytest_ftc.model import Cause

_ORDER = frozenset({Cause.FILEORDERING, Cause.LOCALES})
_LOCALES = frozenset({Cause.LOCALES})
_TIMES = frozenset({Cause.TIME, Cause.SOURCE_MTIME, Cause.TIMEZONE})
_MODES = frozenset({Cause.UMASK, Cause.SOURCE_MODE})
_BUNDLE = re.compile(r"(\s+)([A-Za-z]+)(?=\s)")
"""The options of tar or ar without a dash."""
_TAKES_MORE = frozenset("bCgKLNTVXFIH")
"""Options of tar whose value is the next word; with two of them in a bundle, the dash would change the order."""
_DATES = re.compile(r"\s-(?:d|r|s|-date|-reference|-set)\b")

_FINDS = re.compile(r"((?<=[(`\s])find\s(?:[^|;&()`\n]|\\[()])*)(\)|`|\s*\|\s*(?!\s|LC_ALL=C sort|sort))")
"""A list of files that the shell or the next command reads."""

Options = Callable[[str, str, Collection[str], str], str]
"""Returns a command and the text behind it with other options, for these causes; the last is how to write the time."""


def _tar(command: str, rest: str, causes: Collection[str], epoch: str) -> str:
    options = [
        option
        for kinds, option in (
            (_ORDER, "--sort=name"),
            (_TIMES, f"--mtime=@{epoch}"),
            ({Cause.USER_GROUP}, "--owner=0 --group=0 --numeric-owner"),
            (_MODES, "--mode=u+rw,go=rX"),
        )
        if not kinds.isdisjoint(causes) and option.partition("=")[0] not in rest
    ]
    if bundle := _BUNDLE.match(rest):
        if not _TAKES_MORE.isdisjoint(bundle[2]) or not bundle[2].endswith("f"):
            return command + rest
        rest = f"{bundle[1]}-{rest[bundle.start(2) :]}"
    return " ".join([command, *options]) + rest


def _gzip(command: str, rest: str, _causes: Collection[str], _epoch: str) -> str:
    return f"{command} -n{rest}"


def _zip(command: str, rest: str, _causes: Collection[str], _epoch: str) -> str:
    return f"{command} -X{rest}"


def _ar(command: str, rest: str, _causes: Collection[str], _epoch: str) -> str:
    found = re.match(r"(\s+-?)([A-Za-z]+)(?=\s)", rest)
    if not found or not set(found[2]) & set("rq") or "D" in found[2]:
        return command + rest
    return f"{command}{found[1]}{found[2].replace('U', '')}D{rest[found.end() :]}"


def _ranlib(command: str, rest: str, _causes: Collection[str], _epoch: str) -> str:
    return f"{command} -D{rest}"


def _date(command: str, rest: str, causes: Collection[str], epoch: str) -> str:
    own = re.split(r"[|;&)`]", rest, maxsplit=1)[0]
    if _DATES.search(own):
        return command + rest
    locale = "LC_ALL=C " if Cause.LOCALES in causes else ""
    zone = "" if re.search(r"\s(?:-u|--utc)\b", own) else " -u"
    return f"{locale}{command}{zone} -d @{epoch}{rest}"


def _sort(command: str, rest: str, _causes: Collection[str], _epoch: str) -> str:
    return f"LC_ALL=C {command}{rest}"


_TOOLS: Mapping[str, tuple[str, frozenset[str], Options]] = {
    "tar": ("TAR", _ORDER | _TIMES | _MODES | {Cause.USER_GROUP}, _tar),
    "gzip": ("GZIP_PROG", _TIMES, _gzip),
    "zip": ("ZIP", _TIMES | {Cause.USER_GROUP}, _zip),
    "ar": ("AR", _TIMES | _MODES | {Cause.USER_GROUP}, _ar),
    "ranlib": ("RANLIB", _TIMES, _ranlib),
    "date": ("DATE", _TIMES | {Cause.LOCALES}, _date),
    "sort": ("SORT", _LOCALES, _sort),
    "ls": ("LS", _LOCALES, _sort),
}
"""By the name of a program: the variable that may stand for it, the causes that its options heal, and the options."""
_COMPILERS = {"cc": "CC", "gcc": "CC", "clang": "CC", "c++": "CXX", "g++": "CXX", "clang++": "CXX"}


def may_help(program: str, causes: Collection[str]) -> bool:
    """Return whether options of `program` are known that can heal one of these `causes`."""
    if program in _COMPILERS:
        return Cause.BUILD_PATH in causes
    return program in _TOOLS and not _TOOLS[program][1].isdisjoint(causes)


def add_options(line: str, program: str, causes: Collection[str], *, make: bool) -> str:
    """Return `line`, of a Makefile (`make`) or script, with the options of `program` that heal these `causes`."""
    if program in _COMPILERS:
        return _map_path(line, program, make=make)
    variable, _, options = _TOOLS[program]
    epoch = "$(SOURCE_DATE_EPOCH)" if make else "$SOURCE_DATE_EPOCH"
    # From the end, so that what is changed does not move what is not.
    for found in reversed(list(_calls(program, variable).finditer(line))):
        line = line[: found.start()] + options(found[0], line[found.end() :], causes, epoch)
    return line


def change_command(program: str, command: str, rest: str, causes: Collection[str], epoch: str) -> str:
    """Return one `command`, a name of `program`, and the `rest` of it with the options that heal these `causes`.

    `epoch` is how to write the time of the sources.  A compiler stays as it is.
    """
    return _TOOLS[program][2](command, rest, causes, epoch) if program in _TOOLS else command + rest


def _map_path(line: str, program: str, *, make: bool) -> str:
    option = f'"-ffile-prefix-map={"$(CURDIR)" if make else "$PWD"}=."'
    return _calls(program, _COMPILERS[program]).sub(lambda found: f"{found[0]} {option}", line)


def _calls(program: str, variable: str) -> re.Pattern[str]:
    name = re.escape(program)
    return re.compile(rf"(?<![\w./=+-]){name}(?=\s|$|\))|\$[({{]{variable}[)}}](?=\s)")


def sort_finds(line: str) -> str:
    """Return `line` with the output of each ``find`` in order."""
    return _FINDS.sub(lambda found: f"{found[1].rstrip()} | LC_ALL=C sort{_gap(found)}{found[2]}", line)


def _gap(found: re.Match[str]) -> str:
    return found[1][len(found[1].rstrip()) :] if found[2].startswith("|") else ""
