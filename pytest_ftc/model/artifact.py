"""What a project declares: a named build."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pytest_ftc.model.support.epoch import UNSET


class Metadata(str, Enum):
    """Which file metadata is compared."""

    CONTENT = "content"
    """Paths, types, bytes, link targets and executable bits."""
    STRICT = "strict"
    """The other permission bits too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A named build: a command, its source tree and the globs of its outputs."""

    id: str
    """Node id, such as ``pyproject.toml::ftc::wheel``."""
    name: str
    build: str | tuple[str, ...]
    """A string is run by ``/bin/sh -c``, a tuple is an argv.  Empty until a preset has prepared it."""
    outputs: tuple[str, ...]
    """Globs relative to the source tree; ``**`` crosses folders."""
    source: Path
    """Absolute folder of the sources."""
    timeout: float = 600.0
    """Seconds one build may take."""
    source_date_epoch: int | str = UNSET
    """Seconds since 1970, ``"git"`` for the time of the last commit, or ``"unset"``."""
    metadata: Metadata = Metadata.CONTENT
    tolerance: Mapping[str, float] = field(default_factory=dict)
    """How far apart numbers in outputs may be, by globs of their paths.  Without one, every bit must be the same."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables set in every build of this artifact."""
    pass_env: tuple[str, ...] = ()
    """Names (globs) of variables passed through from pytest's environment."""
    pass_sockets: tuple[str, ...] = ()
    """Paths of sockets of this machine that its builds see; all others are hidden from them."""
    variations: str | None = None
    """The artifact's own variation specification; None uses the session's."""
    secrets: tuple[str, ...] = ()
    """Secrets that its builds receive and must not leak: ``env:NAME`` or ``file:PATH``."""
    secret_files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Secrets that its builds see as files: contents by path.  In memory only, and never declared."""
    critical: bool = False
    """Whether its builds are scheduled first."""
    tags: tuple[str, ...] = ()
    """Names of groups that it belongs to, by which a session selects: ``-m NAME``."""
    owner: str = ""
    """Who looks after it, as reports show it; empty if it does not say."""
    fetches: bool = False
    """Whether the build downloads, so that a failed request is worth a retry."""
    strict: bool = False
    """Whether using undeclared inputs is a failure."""
    reference: tuple[str, ...] = ()
    """Globs of published files; outputs must equal the one of the same name."""
    declared: Path = Path()
    """The folder to which those globs are relative."""
    before: str = ""
    """A shell command run at the start of every build."""
    after: str = ""
    """A shell command run at the end of every build."""
    preset: str | None = None
    """Name of the preset that prepares the build, None for a declared command."""
    shown: Mapping[str, Path] = field(default_factory=dict)
    """Folders that its builds see read-only at other paths, by those paths: what a farm is sent.  Never declared."""


_MARK = "::ftc::"
"""Separates file and name in the id of a configured artifact; test ids never contain it."""


def declared_id(file: str, name: str) -> str:
    """Return the id of the artifact `name` that the configuration `file` declares."""
    return f"{file}{_MARK}{name}"


def is_declared(id_: str, name: str = "") -> bool:
    """Return whether a configuration declares the artifact with the id `id_`, under this `name` if one is given."""
    return id_.endswith(f"{_MARK}{name}") if name else _MARK in id_


def name_of(id_: str) -> str:
    """Return the name by which users know the artifact with the id `id_`, as in ``libs/core:wheel``."""
    file, mark, name = id_.rpartition(_MARK)
    folder = file.rpartition("/")[0]
    if not mark:
        return id_.rpartition("::")[2]
    return f"{folder}:{name}" if folder else name


def declared_name(id_: str) -> str:
    """Return the name by which its file declares the artifact with the id `id_`."""
    return id_.rpartition(_MARK)[2]


def wrap_build(artifact: Artifact) -> str | tuple[str, ...]:
    """Return the command of `artifact` including its ``before`` and ``after`` commands."""
    if not (artifact.before or artifact.after):
        return artifact.build
    script = artifact.build if isinstance(artifact.build, str) else shlex.join(artifact.build)
    return "\n".join(filter(None, ("set -e", artifact.before, f"(\n{script}\n)", artifact.after)))


def slug(name: str) -> str:
    """Return a file name for `name`: unchanged if it is safe, otherwise sanitized and made unique by a digest."""
    plain = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)[:40]
    # A name that already looks like the sanitized form could collide with one.
    if plain == name and not re.search("-[0-9a-f]{8}$", name):
        return name
    return f"{plain}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"
