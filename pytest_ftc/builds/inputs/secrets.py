"""Secrets: values that a build gets and must not reveal, in every encoding to search for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pytest_ftc.builds.inputs.mask import MASK, Mask
from pytest_ftc.builds.inputs.secret_sources import NAME
from pytest_ftc.builds.inputs.spellings import SHORTEST_LINE, Spelling, lines_of, spell_secret
from pytest_ftc.model.errors import FtcError

_SHORTEST = 6
"""Shortest secret in bytes; anything shorter occurs in outputs by chance."""
_PRIVATE = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The secrets of one artifact."""

    variables: Mapping[str, str]
    """The variables of its builds: a value, or the path of a file."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files that its builds see, in memory: contents by path."""
    spellings: tuple[Spelling, ...]
    """All spellings to search for, the longest first."""
    lines: tuple[bytes, ...] = ()
    """Lines that are too short to search for, but are masked, because a log may show single lines."""

    @cached_property
    def _mask(self) -> Mask:
        return Mask(self.spellings, self.lines)

    def mask(self, text: str) -> str:
        """Return `text` without the values and their parts, in any spelling."""
        return self._mask.mask(text)

    def mask_bytes(self, data: bytes) -> bytes:
        """Return `data` without the values and their parts, in any spelling."""
        return self._mask.mask_bytes(data)

    def mask_whole(self, text: str) -> str:
        """Return `text` without the values; parts remain, because a name of ours may share some with a value."""
        for spelling in self.spellings:
            text = text.replace(spelling.data.decode("utf-8", "surrogateescape"), MASK)
        return text


@dataclass(frozen=True, slots=True)
class Given:
    """A secret as a build gets it."""

    variable: str
    text: str
    """The value of the variable."""
    value: bytes
    """What must not leak."""
    as_file: bool = False
    """Whether `text` is the path of a file that exists only in builds, and holds `value`."""


def no_names(name: str) -> Given:
    """Refuse to read the secret `name`, where none has a name.  Raises FtcError."""
    raise FtcError(f"secret {name}: no secret of this name is declared")


def read_secrets(
    declared: Sequence[str], environ: Mapping[str, str], folder: Path, named: Callable[[str], Given] = no_names
) -> Secrets:
    """Return the `declared` secrets: ``env:NAME``, ``file:PATH`` (relative to `folder`), or a name that `named` reads.

    Raises FtcError for a secret that is missing or too short to search for.
    """
    variables, files, spellings, lines = {}, {}, [], []
    for name in declared:
        given = named(name) if NAME.fullmatch(name) else _read_declared(name, environ, folder)
        variables[given.variable] = given.text
        files.update({given.text: given.value} if given.as_file else {})
        if len(given.value.strip()) < _SHORTEST:
            raise FtcError(f"secret {name}: its value is shorter than {_SHORTEST} bytes, too short to search for")
        spellings += spell_secret(name, given.value.strip())
        lines += [line for line in lines_of(given.value) if _SHORTEST <= len(line) < SHORTEST_LINE]
    # The longest first, so that a spelling is masked before its own parts.
    ordered = sorted(dict.fromkeys(spellings), key=lambda spelling: -len(spelling.data))
    short = tuple(sorted(lines, key=len, reverse=True))
    return Secrets(variables=variables, files=files, spellings=tuple(ordered), lines=short)


def _read_declared(name: str, environ: Mapping[str, str], folder: Path) -> Given:
    kind, _, rest = name.partition(":")
    if kind == "env":
        if rest not in environ:
            raise FtcError(f"secret {name}: the variable {rest} is not set")
        return Given(rest, environ[rest], environ[rest].encode("utf-8", "surrogateescape"))
    path = (folder / Path(rest).expanduser()).resolve()
    return Given(_variable(path), str(path), _read(name, path))


def secret_names(declared: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Return the names of the variables that builds get for the `declared` secrets."""
    parts = [name.partition(":") for name in declared]
    return tuple(
        _variable((folder / Path(rest).expanduser()).resolve()) if kind == "file" else rest or kind
        for kind, _, rest in parts
    )


def check_visible(secrets: Secrets, declared: Sequence[str]) -> None:
    """Raise FtcError if a file among the secrets is in a folder that is private in builds."""
    for name in declared:
        value = secrets.variables.get(_variable(Path(name.partition(":")[2])), "")
        hidden = next(
            (folder for folder in _PRIVATE if name.startswith("file:") and Path(value).is_relative_to(folder)), ""
        )
        if hidden:
            raise FtcError(f"secret {name}: builds have a private {hidden} and cannot see it; move it elsewhere")


def _variable(path: Path) -> str:
    name = re.sub(r"\W", "_", path.name.lstrip("."), flags=re.ASCII).upper()
    return f"_{name}" if name[:1].isdigit() else name


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FtcError(f"secret {name}: {path}: {error.strerror}") from error
