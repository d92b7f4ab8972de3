"""The supervision of a build, and its part of the build's result."""

from __future__ import annotations

import contextlib
import os
import sys

from pytest_ftc.builds.launcher.collecting.output_links import file_clock
from pytest_ftc.builds.launcher.processes import Alone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pytest_ftc.builds.launcher.clocks.clock import MovedClock
    from pytest_ftc.builds.launcher.clocks.file_times import FileTimes
    from pytest_ftc.builds.launcher.clocks.time_stamps import TimeStamps
    from pytest_ftc.builds.launcher.tracing.contacts.meetings import Meetings
    from pytest_ftc.builds.launcher.tracing.contacts.peers import Peers
    from pytest_ftc.builds.launcher.tracing.contacts.shared_objects import SharedObjects
    from pytest_ftc.builds.launcher.tracing.flows import Flows
    from pytest_ftc.builds.launcher.tracing.listed_folders import ListedFolders
    from pytest_ftc.builds.launcher.tracing.random_requests import RandomRequests
    from pytest_ftc.builds.launcher.tracing.recorder import Recorder
    from pytest_ftc.builds.launcher.tracing.rewrites import Rewrites

_MOST_NAMED = 3


class Supervision:
    """The supervision of a build: its tracing, its moved `clocks`, and everything recorded."""

    def __init__(
        self,
        following: Alone,
        clocks: Sequence[MovedClock | FileTimes] = (),
        recorder: Recorder | None = None,
        peers: Peers | None = None,
        random: RandomRequests | None = None,
        stamps: TimeStamps | None = None,
    ) -> None:
        self.following = following
        self._clocks = clocks
        self._recorder = recorder
        self._peers = peers
        self._random = random
        self._stamps = stamps
        self._rewrites: Rewrites | None = None
        self._flows: Flows | None = None
        self.objects: SharedObjects | None = None
        """What the build uses of the kernel, where it shares that with others."""

    def observe_opening(self, meetings: Meetings, rewrites: Rewrites, flows: Flows | None) -> None:
        """Make the recorder pass opened files on to all of them."""
        assert self._recorder
        self._recorder.observers += [one.opened for one in (meetings, rewrites, flows) if one]
        self._rewrites = rewrites
        self._flows = flows

    @property
    def rewrites(self) -> Rewrites | None:
        """The files that the build rewrote; None if unknown."""
        return None if self.following.refusal else self._rewrites

    def report(self) -> dict[str, Any]:
        """Return the part of the build's result that describes its supervision."""
        hole = self._find_hole() if self._clocks else ""
        return {
            **({"not_applied": {"time": hole}} if hole else {}),
            **self._record(),
            "objects": list(self.objects.used) if self.objects else [],
            "not_followed": self.following.refusal,
        }

    def _record(self) -> dict[str, Any]:
        """Return the record; empty for a build that could not be followed."""
        if self.following.refusal or not self._peers:
            return {}
        peers = {"peers": list(self._peers.outside), "covered": list(self._peers.covered)}
        if not self._recorder:
            return peers
        seen = {"connected": list(self._peers.connected), "random": list(self._random.found) if self._random else []}
        trace = self._recorder.result()
        evaded = {**(self._stamps.evaded if self._stamps else {}), **trace["evaded"]}
        flows = self._flows.result() if self._flows else {}
        return {**peers, "trace": {**trace, **seen, **flows, "evaded": evaded}}

    def _find_hole(self) -> str:
        if self.following.refusal:
            return (
                "only libfaketime moves the clock, which does not affect every program, such as static ones, because "
                f"the build could not be traced ({self.following.refusal}); allow ptrace(2) and seccomp(2)"
            )
        unreached = (one for clock in self._clocks for one in clock.unreached.items())
        missed = [f"{name} {reason}" for name, reason in sorted(unreached)]
        if not missed:
            return ""
        more = f" and {len(missed) - _MOST_NAMED} more" * (len(missed) > _MOST_NAMED)
        return f"not all programs saw the moved clock: {', '.join(missed[:_MOST_NAMED])}{more}"


def prepare(spec: dict[str, Any]) -> None:
    """Do the imports that fail later: the build's root hides this package if it is below /tmp."""
    if spec["shell"]:
        from pytest_ftc.builds.launcher import terminal  # noqa: F401
    if spec["keep"]:
        from pytest_ftc.builds.launcher import keep as keeping  # noqa: F401
    if sys.platform == "linux":
        from pytest_ftc.builds.launcher.clocks.file_times import born
        from pytest_ftc.builds.launcher.tracing import attach as following  # noqa: F401

        spec["began"] = file_clock()
        with contextlib.suppress(OSError):
            spec["prepared"] = born(spec["snapshot"])


def supervise(spec: dict[str, Any], log: int) -> Supervision:
    """Return the supervision of a build: every build is followed, so that none can infer its role from that.

    PTRACE_O_EXITKILL kills every traced process with its tracer, even one that has started a new session.
    """
    if sys.platform != "linux":
        unknown = Alone()
        unknown.refusal = f"{os.uname().sysname} has no seccomp(2)"
        return Supervision(unknown)
    from pytest_ftc.builds.launcher.clocks.clock import MovedClock
    from pytest_ftc.builds.launcher.clocks.shown import Shown
    from pytest_ftc.builds.launcher.clocks.time_stamps import TimeStamps
    from pytest_ftc.builds.launcher.tracing.attach import follow
    from pytest_ftc.builds.launcher.tracing.contacts.peers import Peers
    from pytest_ftc.builds.launcher.tracing.contacts.shared_objects import SharedObjects
    from pytest_ftc.builds.launcher.tracing.guard import Guard
    from pytest_ftc.builds.launcher.tracing.outside import LookupWatcher, OutsideUses
    from pytest_ftc.builds.launcher.tracing.random_requests import RandomRequests
    from pytest_ftc.builds.launcher.tracing.recorder import Recorder

    uses, isolated, traced = OutsideUses(spec), spec["isolation"] != "none", spec["trace"] != "no"
    recorder = Recorder(log, uses, isolated=isolated) if traced or not isolated else None
    lookups = LookupWatcher(uses) if spec["trace"] == "uses" else None
    moved = _move_clocks(spec) if spec["clock_shift"] or spec["clock_stop"] else ()
    # The control also gets a patched vDSO, with a shift of 0, so that a build cannot infer its role from it.
    clocks = moved or ((MovedClock(Shown()),) if lookups else ())
    peers = Peers(spec, recorder.program_of if recorder else lambda _: -1)
    random = RandomRequests(recorder.program_of) if recorder and lookups else None
    stamps = TimeStamps() if recorder else None
    noticing = _watch_openings(spec, log, recorder, peers) if recorder else ()
    objects = None if isolated else SharedObjects()
    listed = _order_listings(spec) if isolated else None
    watchers = [one for one in (*clocks, recorder, lookups, peers, random, stamps, *noticing, objects, listed) if one]
    guard = Guard(as_root=spec["as_root"], isolated=isolated)
    supervision = Supervision(follow(watchers, guard), moved, recorder, peers, random, stamps)
    supervision.objects = objects
    if noticing:
        supervision.observe_opening(*noticing)
    return supervision


def _order_listings(spec: dict[str, Any]) -> ListedFolders | None:
    from pytest_ftc.builds.launcher.tracing.listed_folders import ListedFolders
    from pytest_ftc.builds.launcher.tracing.seccomp import can_hold_signals

    return ListedFolders(reverse=spec["file_order"] == "reversed") if can_hold_signals() else None


def _watch_openings(
    spec: dict[str, Any], log: int, recorder: Recorder, peers: Peers
) -> tuple[Meetings, Rewrites, Flows | None]:
    from pytest_ftc.builds.launcher.tracing.contacts.meetings import Meetings
    from pytest_ftc.builds.launcher.tracing.flows import Flows
    from pytest_ftc.builds.launcher.tracing.rewrites import Rewrites

    flows = Flows(log, recorder.program_of) if spec["trace"] == "contents" else None
    return Meetings(spec, peers), Rewrites(), flows


def _move_clocks(spec: dict[str, Any]) -> tuple[MovedClock | FileTimes, ...]:
    from pytest_ftc.builds.launcher.clocks.clock import MovedClock
    from pytest_ftc.builds.launcher.clocks.file_times import FileTimes
    from pytest_ftc.builds.launcher.clocks.shown import Shown, stopped_at

    began = spec["began"]
    clock = stopped_at(spec["clock_stop"]) if spec["clock_stop"] else Shown(spec["clock_shift"])
    user = spec["uid"] != 0
    files = FileTimes(clock, began=began, prepared=spec.get("prepared", began), user=user)
    return MovedClock(clock), files
