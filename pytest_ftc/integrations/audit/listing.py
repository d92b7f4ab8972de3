"""Which actions to audit: from a list of digests, or from an execution log of Bazel.

For the log see ``message SpawnExec`` in https://github.com/bazelbuild/bazel/blob/master/src/main/protobuf/spawn.proto;
``--execution_log_json_file`` writes one JSON object for each spawn, one after another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.printable import shorten

MOST_ACTIONS = 1_000_000
_LONGEST_LINE = 4096
"""Characters."""
_LONGEST_ENTRY = 64 << 20
"""Characters of one object of a log."""
_CHUNK = 1 << 16
"""Characters read at a time."""
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SHA256 = ("", "SHA-256", "SHA256")
"""Names of the hash function as Bazel writes them; old versions name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAction:
    """An action to audit."""

    digest: Digest
    label: str = ""
    """What it is for, such as a target and its mnemonic; empty if unknown."""
    outputs: tuple[tuple[str, Digest], ...] = ()
    """The paths and contents of the outputs that it had, as far as known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The actions of one or several files, each once, in their order."""

    actions: tuple[ListedAction, ...]
    notes: tuple[str, ...] = ()
    """What was left out, one sentence each."""


def read_listings(paths: Sequence[Path]) -> Listing:
    """Return the actions that the files `paths` list.  Raises ConfigurationError, naming file and line or entry."""
    found: dict[Digest, ListedAction] = {}
    notes: list[str] = []
    for path in paths:
        for action in _read(path, notes):
            if not found.get(action.digest, _NOTHING).label:
                found[action.digest] = action
            if len(found) > MOST_ACTIONS:
                raise ConfigurationError(f"{path}: expected at most {MOST_ACTIONS} actions")
    if not found:
        left_out = f" ({'; '.join(notes)})" if notes else ""
        raise ConfigurationError(f"{', '.join(map(str, paths))}: no action digests found{left_out}")
    return Listing(actions=tuple(found.values()), notes=tuple(notes))


_NOTHING = ListedAction(digest=Digest("", 0))


def _read(path: Path, notes: list[str]) -> Iterator[ListedAction]:
    try:
        with open(path, "rb") as raw:
            begin = raw.read(4)
        if begin == _ZSTD_MAGIC:
            raise ConfigurationError(
                f"{path}: expected a list of HASH/SIZE or a log of --execution_log_json_file, found a compressed file",
                advice="Of a log of --execution_log_compact_file, Bazel's //src/tools/execlog:converter makes JSON.",
            )
        with open(path, encoding="utf-8") as file:
            first = _first_character(file)
            file.seek(0)
            yield from _read_log(path, file, notes) if first == "{" else _read_list(path, file)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path}: expected text in UTF-8, found the byte {error.object[error.start]:#04x}"
        ) from error


def _first_character(file: IO[str]) -> str:
    while data := file.read(_CHUNK):
        if text := data.lstrip():
            return text[0]
    return ""


def _read_list(path: Path, file: IO[str]) -> Iterator[ListedAction]:
    """Yield the actions of lines ``HASH/SIZE``, each with its label behind it if there is one; ``#`` is a comment."""
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise ConfigurationError(f"{path}:{number}: expected lines below {_LONGEST_LINE} characters")
        text, _, label = line.strip().partition(" ")
        if not text or text.startswith("#"):
            continue
        try:
            yield ListedAction(digest=Digest.parse(text.lower()), label=shorten(label.strip()))
        except ValueError:
            raise ConfigurationError(
                f"{path}:{number}: expected an action's digest as HASH/SIZE (SHA-256), "
                f"found {shorten(line.strip(), 80)!r}"
            ) from None


def _read_log(path: Path, file: IO[str], notes: list[str]) -> Iterator[ListedAction]:
    without = others = 0
    for number, entry in enumerate(_objects(path, file), 1):
        if not isinstance(entry, dict):
            raise ConfigurationError(
                f"{path}: entry {number}: expected a JSON object, found {shorten(repr(entry), 60)}"
            )
        given = entry.get("digest")
        if not given:
            without += 1
        elif isinstance(given, dict) and given.get("hashFunctionName", "") not in _SHA256:
            others += 1
        else:
            yield ListedAction(digest=_digest(path, number, given), label=_label(entry), outputs=_outputs(entry))
    if without:
        notes.append(f"{path.name}: {without} entries have no action digest: they ran without remote cache")
    if others:
        notes.append(f"{path.name}: {others} actions have digests of another hash function than SHA-256")


def _digest(path: Path, number: int, given: Any) -> Digest:
    try:
        # JSON of protocol buffers writes 64-bit numbers as strings, and leaves out zeros.
        return Digest.parse(f"{given['hash']}/{given.get('sizeBytes', 0)}")
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ConfigurationError(
            f"{path}: entry {number}: digest: expected hash (SHA-256) and sizeBytes, found {shorten(repr(given), 80)}"
        ) from None


def _label(entry: Mapping[str, Any]) -> str:
    words = [entry.get(key) for key in ("targetLabel", "mnemonic")]
    return shorten(" ".join(word for word in words if isinstance(word, str)))


def _outputs(entry: Mapping[str, Any]) -> tuple[tuple[str, Digest], ...]:
    """Return the outputs of a spawn; those without a valid digest, such as folders, are left out."""
    listed = entry.get("actualOutputs")
    return tuple(filter(None, map(_output, listed if isinstance(listed, list) else ())))


def _output(one: Any) -> tuple[str, Digest] | None:
    try:
        digest = Digest.parse(f"{one['digest']['hash']}/{one['digest'].get('sizeBytes', 0)}")
        return shorten(str(one["path"])), digest
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _objects(path: Path, file: IO[str]) -> Iterator[Any]:
    """Yield the JSON values of `file`, which follow each other with or without white space."""
    decoder, number, text, at = json.JSONDecoder(), 0, "", 0
    while True:
        at = _skip_space(text, at)
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError:
            raise ConfigurationError(f"{path}: entry {number + 1}: nested too deeply") from None
        except ValueError as error:
            # Perhaps its end was not read yet: read as much again, so that the work stays linear.
            text, at = text[at:], 0
            more = file.read(max(_CHUNK, len(text)))
            if not more and not text:
                return
            if not more or len(text) > _LONGEST_ENTRY:
                raise ConfigurationError(
                    f"{path}: entry {number + 1}: expected JSON: {error.__class__.__name__}"
                ) from None
            text += more
            continue
        number += 1
        yield value


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
