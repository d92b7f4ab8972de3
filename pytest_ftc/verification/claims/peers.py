"""What processes outside the builds could have decided: such a daemon is the same for every build, and remembers."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ftc.model import BuildResult, Isolation
from pytest_ftc.model.cause import Cause
from pytest_ftc.verification.plan import PlannedArtifact

_OF_THE_SOURCE = frozenset({"fileordering", "filesystem", "source_mode", "source_mtime"})
"""Variations of the files that a build has, which it still has when something else answers its questions."""
_MOST_NAMED = 3


def find_deciding(builds: Sequence[BuildResult], varied: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of the peers that could have made the outputs of all `builds` the same.

    With `network` varied the experiments reached none by network or abstract socket, and made the same outputs.
    """
    found = dict.fromkeys(address for build in builds for _, address in build.peers)
    return tuple(name for name in found if Cause.NETWORK not in varied or name.startswith(("/", "vsock:")))


def find_evaded(builds: Sequence[BuildResult], varied: Sequence[str]) -> dict[str, str]:
    """Return the variations that a peer of the `builds` does not see, of those `varied`, and why they do not count."""
    peers, shared = find_deciding(builds, varied), find_shared(builds)
    if peers:
        reason = f"it talked to {_name_some(list(map(_describe, peers)))}, which no variation reaches"
    elif shared:
        reason = f"it used {_name_some(shared)}, which all builds share, as there are no namespaces"
    else:
        return {}
    return {name: reason for name in varied if name not in _OF_THE_SOURCE}


def find_shared(builds: Sequence[BuildResult]) -> tuple[str, ...]:
    """Return the files by which one of the `builds` could have given its results to the others."""
    return tuple(dict.fromkeys(path for build in builds for path in build.shared))


def _name_some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" * (len(names) > _MOST_NAMED)
    return ", ".join(names[:_MOST_NAMED]) + more


def name_peers(builds: Sequence[BuildResult], but: Sequence[str] = ()) -> tuple[str, ...]:
    """Return a sentence for each program and peer, but for peers that other sentences name already."""
    found = dict.fromkeys(pair for build in builds for pair in build.peers)
    return tuple(
        f"{program} talked to {_describe(address)}"
        for program, address in sorted(found)
        if not any(address in other for other in but)
    )


def describe_peers(planned: PlannedArtifact, builds: Sequence[BuildResult], varied: Sequence[str]) -> tuple[str, ...]:
    """Return what a report says about the peers of `builds`, also where they could not be watched."""
    if find_deciding(builds, varied):
        sentences = (f"{sentence}, which is outside the build" for sentence in name_peers(builds))
        return (*sentences, "what such a process answers is not verified, so the verdict is not cached")
    open_ways = (
        planned.machine.isolation is Isolation.NONE or planned.artifact.pass_sockets or Cause.NETWORK not in varied
    )
    refused = next((build.not_followed for build in builds if build.not_followed), "")
    if refused and open_ways:
        return (f"whether it talked to a process outside is not known, since it could not be traced: {refused}",)
    return ()


def _describe(address: str) -> str:
    return f"the daemon at {address}" if address.startswith(("/", "@")) else address
