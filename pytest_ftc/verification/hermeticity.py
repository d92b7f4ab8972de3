"""Undeclared inputs of a traced build: a risk to reproducibility even if all bytes agree."""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pytest_ftc.model import Action, BuildResult, Program, Trace

_SYSTEM = (
    "/bin", "/dev", "/etc", "/gnu/store", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/proc", "/sbin", "/sys",
    "/usr",
)  # fmt: skip
_PRIVATE = ("/tmp", "/var/tmp", "/dev/shm")
_OF_A_PREFIX = ("bin", "sbin", "lib", "lib64", "libexec", "share", "include", "pyvenv.cfg")
"""Parts of a tool's installation beside its folder in PATH; the prefix itself may be a home, and is not allowed."""
_RANDOM = ("/dev/random", "/dev/urandom")
_SEED_THEMSELVES = ("node", "nodejs", "bun", "deno")
_LOOPBACK = ("127.", "[::1]", "0.0.0.0", "[::]")
_MOST_NAMED = 3


def find_outside_uses(action: Action, build: BuildResult) -> tuple[str, ...]:
    """Return what the traced `build` used outside source, toolchain and system, one sentence each."""
    trace = build.trace
    if trace is None:
        reason = build.not_followed or build.reason or "it did not run"
        return (f"undeclared inputs are unknown, because the build could not be traced: {reason}",)
    inside = _inside(action)
    return tuple(
        dict.fromkeys(
            [
                *_files(_named(trace, trace.read), inside, "read"),
                *_files(_named(trace, _without_parents(trace.written, action)), inside, "opened for writing"),
                *_lookups(trace, (*inside, str(action.git_dir or ""))),
                *_random(trace),
                *_network(trace),
                *trace.gaps,
            ]
        )
    )


def _inside(action: Action) -> tuple[str, ...]:
    """Return the folders and files that a build may use: its own, the system's, and those of its tools."""
    environment = action.environment
    own = [environment.build_path, environment.home, environment.temp_dir, action.root, action.git_link, *_PRIVATE]
    entries = [Path(entry) for entry in environment.variables.get("PATH", "").split(os.pathsep) if entry]
    prefixes = [entry.parent for entry in entries if entry.name in ("bin", "sbin")]
    prefixes += [Path(sys.prefix), Path(sys.base_prefix), *(Path(os.path.realpath(prefix)) for prefix in prefixes)]
    parts = [prefix / part for prefix in prefixes for part in _OF_A_PREFIX]
    return tuple(dict.fromkeys(str(path) for path in (*own, *_SYSTEM, *entries, *parts) if path))


def _without_parents(uses: Iterable[tuple[int, str]], action: Action) -> Iterator[tuple[int, str]]:
    """Omit the parents of the build's own folders: ``mkdir -p`` tries to create them although they exist."""
    environment = action.environment
    own = (environment.build_path, environment.home, environment.temp_dir)
    return (
        (index, path)
        for index, path in uses
        if not any(folder.startswith(f"{path.rstrip('/')}/") for folder in own if folder)
    )


def _named(trace: Trace, uses: Iterable[tuple[int, str]]) -> Iterator[tuple[str, str]]:
    return ((_name(trace.programs, index), path) for index, path in uses)


def _lookups(trace: Trace, inside: Sequence[str]) -> Iterator[str]:
    """Yield the listed and examined paths, except the parents of allowed folders, which programs look up one by one.

    A path that a build does not find is not an input, but a cached verdict still depends on its absence.
    """
    ways = {str(parent) for folder in inside if folder for parent in Path(folder).parents}
    for kind, verb in (("folder", "listed"), ("looked at", "looked at")):
        used = (("the build", path) for path, what in trace.outside if what == kind and path not in ways)
        yield from _files(used, inside, verb)


def describe_gap(build: BuildResult) -> tuple[str, ...]:
    """Return a sentence if the record of the files that `build` looked at is incomplete."""
    return (build.trace.outside_gap,) if build.trace and build.trace.outside_gap else ()


def _files(uses: Iterable[tuple[str, str]], inside: Sequence[str], verb: str) -> Iterator[str]:
    """Yield one sentence for each program and folder."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for program, path in uses:
        if not any(folder and (path == folder or path.startswith(f"{folder}/")) for folder in inside):
            key = program, posixpath.dirname(path)
            found.setdefault(key, {})[posixpath.basename(path)] = None
    for (program, folder), names in sorted(found.items()):
        some = ", ".join(sorted(names)[:_MOST_NAMED])
        if len(names) == 1:
            yield f"{program} {verb} {posixpath.join(folder, some)}"
        else:
            more = ", ..." * (len(names) > _MOST_NAMED)
            yield f"{program} {verb} {len(names)} files in {folder}: {some}{more}"


def _random(trace: Trace) -> Iterator[str]:
    for index, path in trace.read:
        if path in _RANDOM:
            yield f"{_name(trace.programs, index)} read {path}"
    for index in trace.random:
        if not _seeds_itself(trace.programs, index):
            yield f"{_name(trace.programs, index)} requested random bytes with getrandom(2)"


def _network(trace: Trace) -> Iterator[str]:
    """Yield one sentence for each program and address; of addresses on this machine, only name servers count."""
    for index, address in trace.connected:
        port = address.rpartition(":")[2]
        if not address.startswith(_LOOPBACK) or port == "53":
            asked = " (a name server)" if port == "53" else ""
            yield f"{_name(trace.programs, index)} tried to reach {address}{asked}"


def _seeds_itself(programs: Sequence[Program], index: int) -> bool:
    """Return whether a program requests random bytes at every start, so that it means nothing: Node seeds OpenSSL."""
    return 0 <= index < len(programs) and posixpath.basename(programs[index].program) in _SEED_THEMSELVES


def _name(programs: Sequence[Program], index: int) -> str:
    if not 0 <= index < len(programs):
        return "a program"
    program = programs[index]
    return posixpath.basename(program.argv[0] if program.argv else program.program) or "a program"
