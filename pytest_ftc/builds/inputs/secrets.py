"""Values that a build is given and must not give away: which they are, and how they may be written."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

from pytest_ftc.model.errors import FtcError

_SHORTEST = 6
"""Bytes; anything shorter occurs in outputs by chance."""
_SHORTEST_LINE = 12
"""Bytes of a line of a secret of several lines that is also searched for separately."""
_WIDTHS = (64, 76)
"""Characters after which programs break lines of base64."""
_MASK = "***"
_PRIVATE = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way in which a secret may be written."""

    secret: str
    """As it is declared: ``env:TOKEN``."""
    encoding: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The secrets of one artifact."""

    variables: Mapping[str, str]
    """What its builds get: the value of a variable, the path of a file."""
    spellings: tuple[Spelling, ...]
    """All that is looked for, the longest first."""
    lines: tuple[bytes, ...] = ()
    """Lines of them that are too short to be looked for, and masked all the same, for a line may stand alone."""

    def mask(self, text: str) -> str:
        """Return `text` without the values."""
        for data in self._values():
            text = text.replace(data.decode("utf-8", "surrogateescape"), _MASK)
        return text

    def mask_bytes(self, data: bytes) -> bytes:
        """Return `data` without the values."""
        for value in self._values():
            data = data.replace(value, _MASK.encode())
        return data

    def _values(self) -> Iterator[bytes]:
        yield from (spelling.data for spelling in self.spellings)
        yield from self.lines


def read_secrets(declared: Sequence[str], environ: Mapping[str, str], folder: Path) -> Secrets:
    """Return the `declared` secrets: ``env:NAME`` or ``file:PATH``, relative to `folder`.

    Raises FtcError for one that is missing or too short to be looked for.
    """
    variables, spellings, lines = {}, [], []
    for name in declared:
        kind, _, rest = name.partition(":")
        if kind == "env":
            if rest not in environ:
                raise FtcError(f"secret {name}: the variable {rest} is not set")
            variables[rest] = environ[rest]
            value = environ[rest].encode("utf-8", "surrogateescape")
        else:
            path = (folder / Path(rest).expanduser()).resolve()
            variables[_variable(path)] = str(path)
            value = _read(name, path)
        if len(value.strip()) < _SHORTEST:
            raise FtcError(f"secret {name}: its value is shorter than {_SHORTEST} bytes, too short to be looked for")
        spellings += [Spelling(name, *spelling) for part in _parts(value.strip()) for spelling in _spell(part)]
        lines += [line for line in _lines(value) if _SHORTEST <= len(line) < _SHORTEST_LINE]
    # The longest first: what is part of another must not hide it from the mask.
    ordered = sorted(dict.fromkeys(spellings), key=lambda spelling: -len(spelling.data))
    return Secrets(variables=variables, spellings=tuple(ordered), lines=tuple(sorted(lines, key=len, reverse=True)))


def secret_names(declared: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Return the names of the variables that builds get for the `declared` secrets."""
    parts = [name.partition(":") for name in declared]
    return tuple(
        rest if kind == "env" else _variable((folder / Path(rest).expanduser()).resolve()) for kind, _, rest in parts
    )


def check_visible(secrets: Secrets, declared: Sequence[str]) -> None:
    """Raise FtcError if a file among the secrets lies where builds have folders of their own."""
    for name in declared:
        value = secrets.variables.get(_variable(Path(name.partition(":")[2])), "")
        hidden = next(
            (folder for folder in _PRIVATE if name.startswith("file:") and Path(value).is_relative_to(folder)), ""
        )
        if hidden:
            raise FtcError(f"secret {name}: builds have a {hidden} of their own and cannot see it; keep it elsewhere")


def _variable(path: Path) -> str:
    name = re.sub(r"\W", "_", path.name.lstrip("."), flags=re.ASCII).upper()
    return f"_{name}" if name[:1].isdigit() else name


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FtcError(f"secret {name}: {path}: {error.strerror}") from error


def _lines(value: bytes) -> list[bytes]:
    """Return the lines of a value of several."""
    lines = [line.strip() for line in value.strip().splitlines()]
    return lines if len(lines) > 1 else []


def _parts(value: bytes) -> list[bytes]:
    """Return the value, and those of its lines that are long enough: keys are written line by line."""
    return [value, *(line for line in _lines(value) if len(line) >= _SHORTEST_LINE)]


def _spell(value: bytes) -> Iterator[tuple[str, bytes]]:
    yield "as it is", value
    yield "hexadecimal", value.hex().encode()
    yield "hexadecimal", value.hex().upper().encode()
    for encoded in dict.fromkeys(_escape(value)):
        if encoded != value:
            yield "URL-escaped", encoded
    yield from (("base64", text) for text in _encode(value))


def _escape(value: bytes) -> Iterator[bytes]:
    """Yield the ways to escape `value` in a URL: which characters are left, and how digits are written, differs."""
    plain = [quote_from_bytes(value, safe=safe) for safe in ("", "/", "!*'()", "/!*'()", "/:@!$&'()*+,;=")]
    for text in (*plain, *(text.replace("%20", "+") for text in plain)):
        yield text.encode()
        yield re.sub(b"%[0-9A-F]{2}", lambda found: found[0].lower(), text.encode())


def _encode(value: bytes) -> Iterator[bytes]:
    for before in range(3):
        text = base64.b64encode(bytes(before) + value)
        # The first and last characters hold bits of what stands around it.
        yield from _alphabets(text[-(-before * 8 // 6) : (before + len(value)) * 8 // 6])
    inner = base64.b64encode(value)[: len(value) * 8 // 6]
    for width in _WIDTHS:
        if len(inner) > width:
            lines = (inner[start : start + width] for start in range(0, len(inner), width))
            yield from (text for line in lines if len(line) >= _SHORTEST_LINE for text in _alphabets(line))


def _alphabets(text: bytes) -> tuple[bytes, bytes]:
    return text, text.translate(bytes.maketrans(b"+/", b"-_"))
