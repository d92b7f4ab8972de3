"""Records the inputs of an artifact's builds, for its provenance."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from pytest_ftc.builds.inputs.snapshot import git, list_changed
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.model.build_inputs import BuildInputs
from pytest_ftc.model.errors import FtcError, SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class InputsRecorder:
    """Records the inputs of builds."""

    toolchain: Toolchain
    digest: Callable[[Snapshot], str]
    """Returns the digest of a captured source tree."""
    platform: tuple[str, ...]

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
        path = {"PATH": ":".join((*prepared.path_entries, *self.toolchain.path))} if prepared.path_entries else {}
        tools = self.toolchain.describe(command, {**declared.env, **path}, declared.source)
        commit, dirty = _describe_commit(declared.source)
        epoch = declared.source_date_epoch
        return BuildInputs(
            source=self.digest(source),
            commit=commit,
            dirty=dirty,
            command=("/bin/sh", "-c", command) if isinstance(command, str) else command,
            before=declared.before,
            after=declared.after,
            outputs=declared.outputs,
            preset=declared.preset or "",
            source_date_epoch=str(source.commit_time if epoch == "git" else epoch),
            variables=dict(declared.env),
            tools={name: digest for name, digest in tools.items() if _is_digest(digest)},
            distributions=_list_distributions(tools),
            requirements=prepared.inputs_digest,
            platform=self.platform,
        )


def _describe_commit(source: Path) -> tuple[str, bool]:
    try:
        commit = git(source, "rev-parse", "--verify", "HEAD").decode().strip()
        return commit, bool(list_changed(source))
    except SourceError:
        return "", False


def _list_distributions(tools: Mapping[str, str]) -> dict[str, str]:
    """Return the Python distributions in the folders among `tools`; of two of one name the first on the path counts."""
    found: dict[str, str] = {}
    for folder in tools:
        if Path(folder).name in ("site-packages", "dist-packages"):
            for one in distributions(path=[folder]):
                # Normalized as PEP 503 says, which is what package URLs ask for.
                name = re.sub("[-_.]+", "-", one.metadata["Name"] or "").lower()
                if name:
                    found.setdefault(name, one.version)
    return found


def _is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None
