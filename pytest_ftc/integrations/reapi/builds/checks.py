"""What a worker claims, held against what our program can have written: it gains nothing by claiming more.

A worker decides what it builds, so two that lie in the same way agree.  Everything else is refused here, or not taken
from the answer: what this machine knows better (names, values, attempts), and texts that could pass for our own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_ftc.integrations.reapi.builds.action import SET_UP
from pytest_ftc.integrations.reapi.builds.output_checks import check_outputs
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.model import Action, BuildResult, BuildStatus, Identity, Machine, Trace, Tracing
from pytest_ftc.model.build_inputs import Host
from pytest_ftc.model.notes import is_of_the_session
from pytest_ftc.model.support.contents import is_name
from pytest_ftc.model.support.printable import printable, shorten

_CLOCK = 86400
"""Seconds by which a worker's clock may differ from this machine's."""
_LONGEST = 4000
"""Characters of one sentence."""
_MOST_SENTENCES = 1000
_MOST_TOOLS = 30_000
_LONGEST_TAIL = 16 << 10
_MOST_CPUS = 1 << 16
_HIGHEST_ID = 0xFFFFFFFF
_LOCALE = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.$-]{0,63}")
_OUTSIDE = ("file", "folder", "looked at", "absent")


def admit_build(build: BuildResult, action: Action) -> BuildResult:
    """Return of `build`, an answer to `action`, what a worker may say.  Raises RemoteError.

    Log, contents and the worker's name are for the caller to add.
    """
    if build.id != action.id or build.role is not action.role:
        raise RemoteError(f"the answer is that of another build, {shorten(repr(build.id))}, not of {action.id}")
    _check_end(build, action)
    check_outputs(build, action)
    trace = _admit_trace(build, action)
    return replace(
        build,
        environment=action.described,
        reason=shorten(build.reason, _LONGEST),
        attempts=1,
        failed_before=(),
        lost_before=(),
        log="",
        log_tail="" if build.status is BuildStatus.OK else build.log_tail[-_LONGEST_TAIL:],
        blobs="",
        not_applied=_sentences_by_name("not_applied", build.not_applied),
        notes=_admit_notes(build.notes),
        trace=trace,
        peers=tuple((printable(program, ""), printable(address, "")) for program, address in build.peers),
        shared=tuple(printable(path, "") for path in build.shared),
        not_followed=shorten(build.not_followed, _LONGEST),
        worker="",
        host=_admit_host(build.host),
        tools=_admit_tools(build.tools),
        clock_shift=_admit_shift(build, action),
        recipe=None,
    )


def admit_machine(machine: Machine) -> Machine:
    """Return what a survey may say of a worker; what the session finds out itself is left out.  Raises RemoteError."""
    files = (machine.python, machine.interpreter.path if machine.interpreter else "", machine.faketime)
    for path in (machine.work_dir, *machine.path, *filter(None, (*files, machine.compiled_locales))):
        if not path.startswith("/") or path != shorten(path, _LONGEST):
            raise _wrong(f"{shorten(repr(path))} as a path of the worker")
    if any(":" in path for path in machine.path) or len(machine.path) > _MOST_SENTENCES:
        raise _wrong("such a search path of the worker")
    if not 1 <= machine.cpus <= _MOST_CPUS:
        raise _wrong(f"{shorten(str(machine.cpus), 20)} CPUs")
    if machine.identity:
        _check_identity(machine.identity)
    python = machine.interpreter
    texts = (python.implementation, python.version, python.abi, python.libc) if python else ()
    if python and any(text != shorten(text) for text in texts):
        raise _wrong(f"the Python {shorten(repr(python.name))}")
    return replace(
        machine,
        isolation_reason=shorten(machine.isolation_reason, _LONGEST),
        fresh_proc_reason=shorten(machine.fresh_proc_reason, _LONGEST),
        faketime_reason=shorten(machine.faketime_reason, _LONGEST),
        personality_reason=shorten(machine.personality_reason, _LONGEST),
        work_filesystem=shorten(machine.work_filesystem),
        locales=tuple(filter(_LOCALE.fullmatch, machine.locales)),
        # Advice to run commands as root is not taken from a worker.
        allow={},
        unseen={},
    )


def _admit_shift(build: BuildResult, action: Action) -> int | None:
    shift = build.clock_shift
    if action.clock is None or shift is None:
        return None
    expected = action.clock - build.started
    if not expected - _CLOCK <= shift <= expected + _CLOCK:
        raise _wrong(f"a clock that is {shorten(str(shift), 20)} s ahead, where {expected:.0f} s were asked for")
    return shift


def _admit_host(host: Host | None) -> Host | None:
    if host is None:
        return None
    for digest in (host.machine, host.boot):
        if digest and not is_name(digest):
            raise _wrong(f"the digest {shorten(repr(digest))} of a machine")
    return replace(host, kernel=shorten(host.kernel), image=shorten(host.image), cpu=shorten(host.cpu))


def _admit_tools(tools: Mapping[str, str]) -> Mapping[str, str]:
    if len(tools) > _MOST_TOOLS:
        raise _wrong(f"{len(tools)} tools")
    for path, digest in tools.items():
        if not path.startswith("/") or not is_name(digest):
            raise _wrong(f"the tool {shorten(repr(path))} with the digest {shorten(repr(digest))}")
    return {printable(path, ""): digest for path, digest in tools.items()}


def _check_identity(identity: Identity) -> None:
    for number in (identity.uid, identity.gid):
        if not 0 <= number <= _HIGHEST_ID:
            raise _wrong(f"the user or group ID {shorten(str(number), 20)}")
    for name in (identity.user, identity.group):
        if not _USER.fullmatch(name):
            raise _wrong(f"the user or group name {shorten(repr(name))}")


def _check_end(build: BuildResult, action: Action) -> None:
    """Raise RemoteError if the build cannot have ended so, or then."""
    code, ok = build.exit_code, build.status is BuildStatus.OK
    if (ok and code != 0) or not (code is None or -128 <= code <= 255):
        raise _wrong(f"the status {build.status.value} with the exit status {shorten(str(code), 20)}")
    # Comparisons with a number that is none are false.
    if not 0 <= build.seconds <= action.timeout + SET_UP:
        raise _wrong(f"{shorten(str(build.seconds), 20)} s for a build that may take {action.timeout:g} s")
    cpu = build.cpu_seconds
    if cpu is not None and not 0 <= cpu <= _MOST_CPUS * (action.timeout + SET_UP):
        raise _wrong(f"{shorten(str(cpu), 20)} s of CPU time for a build that may take {action.timeout:g} s")
    now, never_began = time.time(), build.started == 0 and not ok
    if not never_began and not now - _CLOCK - action.timeout <= build.started <= now + _CLOCK:
        raise RemoteError(
            f"the worker says that the build started at {shorten(str(build.started), 30)} (seconds since 1970), more "
            "than a day from the time here",
            advice="Set the clocks of the farm's workers.",
        )


def _admit_notes(notes: Sequence[str]) -> tuple[str, ...]:
    first = [shorten(note, _LONGEST) for note in notes[:_MOST_SENTENCES]]
    for note in first:
        if is_of_the_session(note):
            raise _wrong(f"the note {shorten(repr(note))}, which only this machine writes")
    return (*first, *([f"{len(notes) - len(first)} more notes of the worker"] if len(notes) > len(first) else []))


def _admit_trace(build: BuildResult, action: Action) -> Trace | None:
    """Return the trace if one was asked for.  Raises RemoteError if it is not one, or if nobody says why it lacks."""
    trace = build.trace
    if action.trace is Tracing.NO:
        return None
    if trace is None:
        if build.status is BuildStatus.OK and not build.not_followed:
            raise _wrong("neither the trace that was asked for nor why there is none")
        return None
    most = len(trace.programs)
    if not all(-1 <= index < most for index in _indices(trace)):
        raise _wrong("a trace with uses by programs that it does not have")
    if any(kind not in _OUTSIDE for _, kind in trace.outside):
        raise _wrong("a trace with an unknown use of a file")
    return replace(trace, evaded=_sentences_by_name("evaded", trace.evaded))


def _indices(trace: Trace) -> Iterator[int]:
    yield from (program.parent for program in trace.programs)
    yield from (use[0] for use in (*trace.read, *trace.written, *trace.connected))
    yield from (use[0] for use in (*trace.contents, *trace.moved))
    yield from trace.random


def _sentences_by_name(field: str, sentences: Mapping[str, str]) -> dict[str, str]:
    if len(sentences) > _MOST_SENTENCES:
        raise _wrong(f"{len(sentences)} entries of {field}")
    return {shorten(name): shorten(sentence, _LONGEST) for name, sentence in sentences.items()}


def _wrong(what: str) -> RemoteError:
    return RemoteError(f"the worker's answer is not one that our program writes: it has {what}")
