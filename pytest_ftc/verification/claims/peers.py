"""Processes outside the builds, which could decide the outputs: a daemon is the same for all builds, and has state."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ftc.model import BuildResult, Isolation
from pytest_ftc.model.cause import Cause
from pytest_ftc.verification.plan import PlannedArtifact

_OF_THE_SOURCE = frozenset({"fileordering", "filesystem", "source_mode", "source_mtime"})
"""Variations of the source files, which are effective even if a build talks to a process outside."""
_MOST_NAMED = 3
_MET = {"pipe:": "opened the named pipe", "device:": "opened the device", "lock:": "locked"}
"""Verbs for contacts other than by sockets, by the prefix of the address."""


def find_deciding(builds: Sequence[BuildResult], varied: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of the peers that could have made the outputs of all `builds` equal.

    If `network` is varied, the experiments reached none by network or abstract socket, but had the same outputs.
    """
    found = dict.fromkeys(address for build in builds for _, address in build.peers)
    return tuple(name for name in found if Cause.NETWORK not in varied or name.startswith(("/", "vsock:", *_MET)))


def find_evaded(builds: Sequence[BuildResult], varied: Sequence[str]) -> dict[str, str]:
    """Return those `varied` variations that a peer of the `builds` does not see, and why they do not count."""
    peers, shared = find_deciding(builds, varied), find_shared(builds)
    if peers:
        reason = f"it {_describe_all(peers)}, which no variation reaches"
    elif shared:
        reason = f"it used {_name_some(shared)}, which all builds share without namespaces"
    else:
        return {}
    return {name: reason for name in varied if name not in _OF_THE_SOURCE}


def find_shared(builds: Sequence[BuildResult]) -> tuple[str, ...]:
    """Return the files through which one of the `builds` could have passed its results to the others."""
    return tuple(dict.fromkeys(path for build in builds for path in build.shared))


def _name_some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" * (len(names) > _MOST_NAMED)
    return ", ".join(names[:_MOST_NAMED]) + more


def name_peers(builds: Sequence[BuildResult], but: Sequence[str] = ()) -> tuple[str, ...]:
    """Return a sentence for each program and peer, except peers that other sentences name already."""
    found = dict.fromkeys(pair for build in builds for pair in build.peers)
    return tuple(
        f"{program} {_describe_all([address])}"
        for program, address in sorted(found)
        if not any(address in other for other in but)
    )


def describe_peers(planned: PlannedArtifact, builds: Sequence[BuildResult], varied: Sequence[str]) -> tuple[str, ...]:
    """Return the sentences of a report about the peers of `builds`, including whether they could be observed."""
    if find_deciding(builds, varied):
        sentences = (f"{sentence}, which is outside the build" for sentence in name_peers(builds))
        return (*sentences, "the answers of such a process are not verified, so the verdict is not cached")
    open_ways = (
        planned.machine.isolation is Isolation.NONE or planned.artifact.pass_sockets or Cause.NETWORK not in varied
    )
    refused = next((build.not_followed for build in builds if build.not_followed), "")
    if not refused:
        return ()
    met = "talked to" if open_ways else "met, by a named pipe or a file lock,"
    return (f"whether it {met} a process outside is unknown, because it could not be traced: {refused}",)


def _describe_all(addresses: Sequence[str]) -> str:
    """Return a phrase for the contacts with these peers: ``talked to 192.0.2.1:80, opened the named pipe /opt/x``."""
    done: dict[str, list[str]] = {}
    for address in addresses:
        kind, _, path = address.partition(":")
        verb = _MET.get(f"{kind}:")
        done.setdefault(verb or "talked to", []).append(path if verb else _describe(address))
    return ", ".join(f"{verb} {_name_some(names)}" for verb, names in done.items())


def _describe(address: str) -> str:
    return f"the daemon at {address}" if address.startswith(("/", "@")) else address
