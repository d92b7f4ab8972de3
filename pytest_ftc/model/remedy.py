"""Remedies of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.model.place import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyTemplate:
    """One entry of the catalogue.

    In its texts ``{epoch}`` and ``{output}`` are placeholders for values of a build, ``$PWD`` for its path.
    """

    causes: frozenset[str]
    summary: str
    source: str
    """Its reference: a specification or manual."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Variables to set."""
    before: str = ""
    """A shell command to run before the build."""
    after: str = ""
    """A shell command to run after it."""
    formats: frozenset[str] = frozenset()
    """The formats it applies to; empty for all."""
    fields: frozenset[Field] = frozenset()
    """The kinds of difference it applies to; empty for all."""
    tools: frozenset[str] = frozenset()
    """The writing commands it applies to; empty for all."""
    programs: frozenset[str] = frozenset()
    """The programs that act on it, of which the build must have run one; empty for any."""
    lays_out: bool = False
    """Whether it may lay programs out anew, as one does that leaves strings out: their sizes tell what it changed."""
    once_failed: str = ""
    """For advice: a part of the summary of a remedy that must have been tried without success; empty for none."""

    @property
    def can_be_tried(self) -> bool:
        """Whether it can be applied without changing the build's own files."""
        return bool(self.settings or self.before or self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A change to the build, to test whether it helps; ``$PWD`` in settings is the build's path."""

    settings: Mapping[str, str]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def add_setting(variables: Mapping[str, str], name: str, value: str) -> str:
    """Return the `value` of a remedy for `name`, behind that of `variables` where it is a list of options."""
    before = variables.get(name)
    return f"{before} {value}" if holds_options(name) and before and before != value else value


def escape_quoted(text: str, *kept: str) -> str:
    """Return `text` for double quotes of a shell, in which it fills in only the variables `kept`."""
    names = "".join(rf"(?!{name}\b)" for name in kept)
    return re.sub(rf'[\\"`]|\${names}', r"\\\g<0>", text)


def holds_options(name: str) -> bool:
    """Return whether the variable `name` is a list of options, to which more can be added."""
    return name.endswith(("FLAGS", "_OPTIONS", "_OPTS", "_DEFAULTS")) or name in ("GZIP", "BZIP2", "XZ_OPT")
