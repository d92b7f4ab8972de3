"""What two machines do not share, where the outputs of a build differ between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ftc.model import BuildResult, BuildStatus, Trace

_MOST_NAMED = 3
_SHOWN = 12
"""Digits of a digest, which identify it well enough for a person."""


def explain_machines(one: BuildResult, other: BuildResult, command: Sequence[str] = ()) -> str:
    """Return which programs and libraries differ between the machines of two builds that list what they use.

    Those of `command`, the one that wrote the differing bytes, come first.
    """
    if any(build.status is not BuildStatus.OK or not build.tools for build in (one, other)):
        return ""
    differing = [path for path in {**one.tools, **other.tools} if one.tools.get(path) != other.tools.get(path)]
    ranks = _rank(one.trace, command)
    differing.sort(key=lambda path: (ranks.get(path, len(ranks)), path not in other.tools, path))
    if not differing:
        return _explain_hosts(one, other)
    named = [_describe(path, one, other) for path in differing[:_MOST_NAMED]]
    more = [f"and {len(differing) - _MOST_NAMED} more files"] if len(differing) > _MOST_NAMED else []
    return "; ".join([*named, *more])


def _describe(path: str, one: BuildResult, other: BuildResult) -> str:
    names = (one.worker or "the one machine", other.worker or "the other")
    mine, theirs = (build.tools.get(path, "")[:_SHOWN] for build in (one, other))
    if mine and theirs:
        return f"{path} is another one on {names[1]} ({theirs}) than on {names[0]} ({mine})"
    return f"{path} is used on {names[0] if mine else names[1]} only"


def _rank(trace: Trace | None, command: Sequence[str]) -> Mapping[str, int]:
    """Return paths in the order in which they matter: of the command, the programs it runs, what it reads."""
    if trace is None:
        return {}
    own = [number for number, program in enumerate(trace.programs) if program.argv == tuple(command)]
    read = [path for number, path in trace.read if number in own]
    executed = [trace.programs[number].program for number in own]
    others = [program.program for program in trace.programs]
    words = [word for word in command if word.startswith("/")]
    return {path: rank for rank, path in reversed(list(enumerate([*executed, *words, *read, *others])))}


def _explain_hosts(one: BuildResult, other: BuildResult) -> str:
    if one.host is None or other.host is None:
        return ""
    facts = [f"their {name}s differ: {values}" for name, values in one.host.differing(other.host).items()]
    return "; ".join(["the machines have the same programs and libraries of all that the build uses", *facts])
