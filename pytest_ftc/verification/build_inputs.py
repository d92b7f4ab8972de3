"""Records the inputs of an artifact's builds, for its provenance."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path

from pytest_ftc.attestation.sbom.find_lock_files import find_lock_files
from pytest_ftc.builds.inputs.snapshot import list_changed
from pytest_ftc.builds.inputs.source_state import current_commit
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.model.artifact import wrap_build
from pytest_ftc.model.build_inputs import BuildInputs, Host
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.epoch import OF_COMMIT

_INSTALLED = re.compile(r"([A-Za-z0-9._]+)-([A-Za-z0-9.!+]+)\.dist-info")


class InputsRecorder:
    """Records the inputs of builds; what artifacts have in common is looked at once."""

    def __init__(
        self, toolchain: Toolchain, digest: Callable[[Snapshot], str], platform: tuple[str, ...], host: Host
    ) -> None:
        """`digest` returns the digest of a captured source tree."""
        self._toolchain = toolchain
        self._digest = digest
        self._platform = platform
        self._host = host
        self._describe_commit = cache(_describe_commit)
        self._list_distributions = cache(_list_distributions)
        self._find_lock_files = cache(find_lock_files)

    def record(self, declared: Artifact, prepared: Prepared, source: Snapshot) -> BuildInputs | None:
        """Return the inputs of builds of the `declared` and `prepared` artifact from `source`; None if unreadable.

        Values of secrets and of variables that are passed through are left out.
        """
        try:
            return self._record(declared, prepared, source)
        except (FtcError, OSError):
            return None

    def _record(self, declared: Artifact, prepared: Prepared, source: Snapshot) -> BuildInputs:
        command = prepared.artifact.build
        path = {"PATH": ":".join((*prepared.path_entries, *self._toolchain.path))} if prepared.path_entries else {}
        tools = self._toolchain.describe(wrap_build(prepared.artifact), {**declared.env, **path}, declared.source)
        commit, dirty = self._describe_commit(declared.source)
        epoch = declared.source_date_epoch
        return BuildInputs(
            source=self._digest(source),
            commit=commit,
            dirty=dirty,
            command=("/bin/sh", "-c", command) if isinstance(command, str) else command,
            before=declared.before,
            after=declared.after,
            outputs=declared.outputs,
            preset=declared.preset or "",
            source_date_epoch=str(source.commit_time if epoch == OF_COMMIT else epoch),
            variables=dict(declared.env),
            tools={name: digest for name, digest in tools.items() if _is_digest(digest)},
            distributions=self._list_distributions(tuple(filter(_has_distributions, tools))),
            lock_files=self._find_lock_files(source.path),
            requirements=prepared.inputs_digest,
            platform=self._platform,
            host=self._host,
        )


def _describe_commit(source: Path) -> tuple[str, bool]:
    commit = current_commit(source)
    return commit, bool(commit and list_changed(source))


def _has_distributions(folder: str) -> bool:
    return Path(folder).name in ("site-packages", "dist-packages")


def _list_distributions(folders: Sequence[str]) -> dict[str, str]:
    """Return the Python distributions in `folders`; of two of one name the first on the path counts."""
    found: dict[str, str] = {}
    for folder in folders:
        for entry in sorted(_list(folder), key=lambda entry: entry.name):
            if one := _read_distribution(entry):
                # Normalized as PEP 503 says, which is what package URLs ask for.
                found.setdefault(re.sub("[-_.]+", "-", one[0]).lower(), one[1])
    return found


def _list(folder: str) -> Sequence[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return ()


def _read_distribution(entry: os.DirEntry[str]) -> tuple[str, str] | None:
    """Return name and version of an installed distribution, without reading it where the name of its folder has both.

    See "Recording installed projects" of the specifications of PyPA.
    """
    named = _INSTALLED.fullmatch(entry.name)
    if named and Path(entry.path, "METADATA").exists():
        return named[1], named[2]
    if not entry.name.endswith((".dist-info", ".egg-info", ".egg")):
        return None
    inner = "EGG-INFO" if entry.name.endswith(".egg") else ""
    metadata = Distribution.at(Path(entry.path, inner)).metadata
    name, version = metadata["Name"], metadata["Version"]
    return (name, version) if name and version else None


def _is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None
