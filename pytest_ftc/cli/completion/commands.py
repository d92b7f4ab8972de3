"""The commands and their options, as their parsers have them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_ftc.cli.parser import BRIEFS, make_parser
from pytest_ftc.config import OPTIONS

_FOR_PYTEST = ("verify", "gate")
"""Commands that pass their options to pytest."""
_BY_NAME = ("verify",)
"""Commands that read names of artifacts themselves."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or an action of one."""

    words: tuple[str, ...]
    """As in ``attest create``."""
    brief: str
    options: tuple[str, ...]
    actions: tuple[str, ...]
    """What may follow directly."""
    takes_artifacts: bool


def list_commands() -> list[Command]:
    """Return all commands, each with its actions after it."""
    return [one for name, brief in BRIEFS.items() for one in _describe((name,), brief, _child(make_parser(name), name))]


def _describe(words: tuple[str, ...], brief: str, parser: argparse.ArgumentParser) -> Iterator[Command]:
    children = _children(parser)
    options = [name for action in parser._actions for name in action.option_strings]
    if words[0] in _FOR_PYTEST:
        options += [option.flag for option in OPTIONS]
    named = any("ARTIFACT" in str(action.metavar) for action in parser._actions if not action.option_strings)
    takes = named or words[0] in _BY_NAME
    choices = [str(one) for action in parser._actions if not action.option_strings for one in action.choices or ()]
    yield Command(words, brief, tuple(options), tuple(choices), takes)
    for name, child in children.items():
        yield from _describe((*words, name), child.description or "", child)


def _child(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    return _children(parser)[name]


def _children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of what may follow, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}
