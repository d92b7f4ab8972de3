"""The words after ``ftc verify``: what is to be verified, flags of reprotest, and options of pytest."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ftc.cli.verify.reprotest.flags import FLAGS, Flag, find_flag
from pytest_ftc.config import COMMAND_LINE_ONLY, OPTIONS
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.suggestion import suggest

_LONG = ("--basetemp", "--durations", "--junitxml", "--junit-xml", "--maxfail", "--numprocesses", "--tb")
_TAKE_A_WORD = {
    *(option.flag for option in (*OPTIONS, *COMMAND_LINE_ONLY) if option.type.metavar),
    *("-k", "-m", "-n", "-o", "-p", "-r", "-W", *_LONG),
}
"""Options of pytest, of pytest-xdist and our own whose value may be the next word."""
_VERY_NEAR = 0.8


@dataclass(slots=True)
class Words:
    """The words of a command line, by what they mean."""

    targets: list[str] = field(default_factory=list)
    """Words that are no options: artifacts, or a command and its outputs."""
    flags: dict[str, list[str]] = field(default_factory=dict)
    """The values of the flags of reprotest, by the flag's long name; an empty text for one that takes none."""
    passed: list[str] = field(default_factory=list)
    """Options for pytest, with their values."""
    server: list[str] = field(default_factory=list)
    """The words after ``--``: reprotest's virtual server."""

    def last(self, flag: str) -> str:
        """Return the last value of `flag`; empty if it was not given."""
        return self.flags.get(flag, [""])[-1]


def read_words(arguments: Sequence[str]) -> Words:
    """Sort the words `arguments`.  Raises ConfigurationError for a flag without its value or counterpart."""
    found, rest = Words(), deque(arguments)
    while rest:
        word = rest.popleft()
        name, has_value, _ = word.partition("=")
        if word == "--":
            found.server += rest
            rest.clear()
        elif not word.startswith("-") or word == "-":
            found.targets.append(word)
        elif flag := _flag_of(word, rest):
            if flag.refused:
                raise ConfigurationError(
                    f"{flag.name} has no counterpart; nearest: {flag.counterpart.replace('`', '')}"
                )
            found.flags.setdefault(flag.name, []).append(_value(flag, word, rest))
        else:
            _check_spelling(name)
            found.passed.append(word)
            if name in _TAKE_A_WORD and not has_value and rest:
                found.passed.append(rest.popleft())
    return found


def _flag_of(word: str, rest: Sequence[str]) -> Flag | None:
    """Return the flag of reprotest that `word` is; a ``-s`` without the path that follows is pytest's."""
    if word.startswith("--"):
        return find_flag(word.partition("=")[0])
    if word == "-s":
        return find_flag(word) if rest and Path(rest[0]).exists() else None
    return find_flag(word[:2]) if word.startswith("-c") else None


def _value(flag: Flag, word: str, rest: deque[str]) -> str:
    """Return the value of `flag`: in `word`, or the next word."""
    given = word.partition("=")[1:] if word.startswith("--") else ("", word[2:])
    if not flag.value or any(given):
        return given[1]
    if not rest:
        raise ConfigurationError(f"{word}: expected {flag.value}")
    return rest.popleft()


def _check_spelling(name: str) -> None:
    """Raise ConfigurationError for an option that is almost a flag of reprotest; pytest would not know that one."""
    if not name.startswith("--") or name.startswith("--ftc-"):
        return
    if near := suggest(name, [flag.name for flag in FLAGS], cutoff=_VERY_NEAR):
        raise ConfigurationError(f"there is no option {name}; did you mean {near!r}?")
