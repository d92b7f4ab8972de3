"""What an action is: its command and its inputs, from the storage.

See https://github.com/bazelbuild/remote-apis, messages ``Action`` and ``Command``.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftc.integrations.audit.contents import Contents
from pytest_ftc.integrations.audit.trees import UnfitError, check_path, digest_of, fetch_tree, parse
from pytest_ftc.integrations.reapi.merkle import Entry
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.printable import shorten

_MOST_WORDS = 100_000
_LONGEST = 7 * 86400
"""Seconds: the longest time limit of an action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedAction:
    """A command with its environment and its inputs."""

    message: Any
    """The ``Action``."""
    command: bytes
    """The ``Command``, as it is stored."""
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    folder: str
    """The working directory, relative to the input root; empty for the root itself."""
    outputs: tuple[str, ...]
    """The paths that may come into being, relative to `folder`."""
    platform: tuple[tuple[str, str], ...]
    """Properties that the worker must have."""
    timeout: float
    """Seconds; 0 if it has none of its own."""
    inputs: Digest
    """The digest of the input root."""

    @property
    def shown(self) -> str:
        """The command on one line."""
        return shorten(shlex.join(self.arguments[:100]), 200)


async def fetch_action(contents: Contents, digest: Digest) -> DescribedAction:
    """Return the action `digest`.  Raises FaultsError, UnfitError, TransientError, CancelledError."""
    action = parse("Action", await contents.read_message(digest, "the action"), "the action", digest)
    of_command = digest_of(action.command_digest)
    data = await contents.read_message(of_command, "the command")
    command = parse("Command", data, "the command", of_command)
    if not command.arguments or len(command.arguments) > _MOST_WORDS:
        raise UnfitError(f"its command has {len(command.arguments)} words")
    folder = command.working_directory
    outputs = command.output_paths or [*command.output_files, *command.output_directories]
    # The properties of the command are from before version 2.2 of the API.
    platform = action.platform if action.platform.properties else command.platform
    return DescribedAction(
        message=action,
        command=data,
        arguments=tuple(_text(word, "a word of its command") for word in command.arguments),
        variables=dict(_variable(one.name, one.value) for one in command.environment_variables),
        folder=check_path(folder) if folder else "",
        outputs=tuple(check_path(path) for path in outputs if path),
        platform=tuple(sorted((one.name, one.value) for one in platform.properties)),
        timeout=_timeout(action.timeout),
        inputs=digest_of(action.input_root_digest),
    )


async def fetch_inputs(contents: Contents, action: DescribedAction, most: int) -> list[Entry]:
    """Return the inputs of `action`, together of at most `most` bytes.

    Folders that the farm makes before a command, those of its outputs, are among them.
    Raises FaultsError, UnfitError, TransientError, CancelledError.
    """
    entries = await fetch_tree(contents, action.inputs)
    if (size := sum(entry.digest.size for entry in entries if entry.digest)) > most:
        raise UnfitError(f"its inputs have {size} bytes, and the limit is {most}")
    present = {entry.path: entry for entry in entries}
    needed = [action.folder, *(posixpath.dirname(posixpath.join(action.folder, path)) for path in action.outputs)]
    for path in sorted({parent for one in needed for parent in _parents(one)}):
        entry = present.get(path)
        if entry is None:
            entries.append(Entry(path))
        elif entry.digest is not None:
            raise UnfitError(f"its input {shorten(path)} is a file where a folder of its outputs has to be")
    return entries


def _parents(path: str) -> list[str]:
    parts = path.split("/") if path else []
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _timeout(message: Any) -> float:
    seconds = float(message.seconds + message.nanos / 1e9)
    if not 0 <= seconds <= _LONGEST:
        raise UnfitError(f"its time limit is {seconds:g} s, and limits are from 0 to {_LONGEST} s")
    return seconds


def _variable(name: str, value: str) -> tuple[str, str]:
    if not name or "=" in name:
        raise UnfitError(f"{shorten(name, 80)!r} is no name of a variable")
    return _text(name, "the name of a variable"), _text(value, f"the variable {name}")


def _text(text: str, what: str) -> str:
    if "\0" in text:
        raise UnfitError(f"{shorten(what, 80)} contains a NUL")
    return text
