"""What the variables of Makefiles and scripts may hold, so far as their texts and the command line of make say."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial

_DEFINITION = re.compile(
    r"[ \t]*(?:[^\s:=#]+:[ \t]*)?(?:(?:override|export|local|readonly)[ \t]+)*"
    r"([A-Za-z_][\w.-]*)[ \t]*(:{0,3}|[?+!])=(.*)"
)
"""A definition, perhaps for one target only, how it is defined, and its value."""
_IS_MAKEFILE = re.compile(r"makefile|\.(?:mk|mak)$", re.IGNORECASE)
_SUBSTITUTED = re.compile(r"[(`]")
_ARGUMENT = re.compile(r"([A-Za-z_][\w.-]*)=(.*)", re.DOTALL)
_NAME = re.compile(r"\$\$?(?:\(([\w.-]+)\)|\{([\w.-]+)\}|(\w+))")
_TEXT_FUNCTION = re.compile(
    r"\$\((?:abspath|add(?:pre|suf)fix|basename|dir|filter(?:-out)?|findstring|join|notdir|patsubst|realpath|sort|strip"
    r"|subst|suffix|wildcard|words?|(?:first|last)word)\s(?:[^()]|\$\([\w.-]*\))*\)"
)
"""A call of a function of make that returns words and runs nothing."""
_CALL, _LOOP = re.compile(r"\$\(call\s+[\w.-]+\s*,"), re.compile(r"\$\(foreach\s+[\w.-]+\s*,[^,]*,")
_MOST = 2000
"""Most definitions that are read."""
_DEEPEST = 5

Variables = Mapping[str, Sequence[str]]
"""All values that each variable may have; one with an empty value may hold anything."""


def find_variables(lines: Iterable[str], arguments: Iterable[str]) -> Variables:
    """Return the variables that the `lines` of scripts define, and those given as `arguments` to make.

    A variable that is defined only if it has no value yet, as by ``CC ?= gcc``, may hold anything.
    """
    found: dict[str, list[str]] = {}
    for number, line in enumerate(lines):
        definition = _DEFINITION.match(line)
        if definition and number < _MOST * 10 and len(found) < _MOST:
            name, how, value = definition.groups()
            found.setdefault(name, []).extend(["", value.strip()] if how == "?" else [value.strip()])
    for given in arguments:
        if argument := _ARGUMENT.fullmatch(given):
            found[argument[1]] = [argument[2].strip()]
    return found


def commands_of(line: str, path: str) -> str:
    """Return the part of a `line` of a script that holds commands: of a definition in a Makefile what is called."""
    if not _IS_MAKEFILE.search(posixpath.basename(path)):
        return line
    definition = _DEFINITION.match(line)
    if not definition or line.startswith("\t"):
        return _without_functions(line)
    _, how, value = definition.groups()
    start = _SUBSTITUTED.search(value)
    return value if how == "!" else value[start.start() :] if start else ""


def _without_functions(line: str) -> str:
    """Return a line of a Makefile with the arguments of the functions that it calls, where they may be commands."""
    for _ in range(_DEEPEST):
        line = _TEXT_FUNCTION.sub("$@", line)
    # A user's function may run what it is given.
    start, *called = _CALL.split(_LOOP.sub("(", line))
    return "(".join([start, *(part.replace(",", " ") for part in called)])


def ask_for(name: str, variables: Variables) -> Callable[[str], bool | None]:
    """Return what tells whether a command that begins with a variable runs the program `name`; None if unknown.

    Each variable is looked into once: those of libtool hold each other in thousands of ways.
    """

    @cache
    def may_run(token: str, depth: int) -> bool | None:
        variable = _NAME.fullmatch(token)
        if variable is None or not depth:
            return None
        values = variables.get(variable[variable.lastindex or 0], ("",))
        return _any(runs(value, depth - 1) for value in values)

    def runs(value: str, depth: int) -> bool | None:
        """Return whether a command that begins with `value` runs it, perhaps by another program such as ccache."""
        words = dict.fromkeys(word.lstrip("@-+").strip("\"'") for word in value.split())
        if not words:
            return None
        return _any(
            may_run(word, depth) if "$" in word or "`" in word else posixpath.basename(word) == name for word in words
        )

    return partial(may_run, depth=_DEEPEST)


def _any(told: Iterable[bool | None]) -> bool | None:
    """Return whether one of what is `told` is true; None if none is, but one is unknown."""
    known = set(told)
    return True if True in known else None if None in known else False
