"""Full disks of a real farm and of this machine."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from services.farm_faults import Server, Trial, all_ended
from services.fault_counts import Counts
from services.fault_kinds import Found
from services.full_disk import on_small_disk
from services.session_faults import FEW, own_folder, run_session, write_project
from services.session_kinds import judge

_OTHER = 2_000_000
"""Added to seeds, so that no farm has the contents from other kinds."""
_SERVER = (3, 8, 14, 18)
"""MiB of a server's disk: from one that is full at once to one that is at the last output."""
_CLIENT = (64, 512, 1024, 6 << 10)
"""KiB of this machine's disk: from one without room for a store to one with room for half of what is downloaded."""
# `ftc store verify` ends with status 1 for a store that is not sound, and 2 for one that cannot be read.
_AND_LOOK = """\
mkdir -p "$0/tmp"; "$@"; status=$?
ls "$0/tmp" > left
if test -e "$0/store"; then
  '{python}' -m pytest_ftc store verify --store "$0/store" > sound 2>&1 || test $? -ne 1 || echo unsound >> sound
fi
exit $status
"""


def server_full(folder: Path, server: Server, seed: int) -> Found:
    """Take an action, and a session, through a server whose disk becomes full."""
    found, room = Counts(faults=1), _SERVER[seed % len(_SERVER)] << 20
    with _with_small_disk(server, room), found.timed():
        ended = Trial(server.target, seed + _OTHER).run()
        found.right, found.errors = int(ended == "right"), int(ended.startswith("error"))
        if not found.right + found.errors:
            found.note(f"wrong: {ended} on a server with {room} bytes")
        if not all_ended(server):
            found.note("left over: an action on a server with a full disk")
    yield "disk of the server full", found
    with _with_small_disk(server, room), _project(folder, server, seed) as project:
        session = run_session(project, server, "disk of the server full", lambda: 0, diagnose=False)
    yield "session: disk of the server full", judge(session, f"{room} bytes", faults=1)


def client_full(folder: Path, server: Server, seed: int) -> Found:
    """Run a session whose store and temporary folder are on a disk that becomes full."""
    size = _CLIENT[seed % len(_CLIENT)] << 10
    with _project(folder, server, seed + _OTHER) as project:
        own = own_folder(project)
        prefix = [*on_small_disk(own, size), "sh", "-c", _AND_LOOK.format(python=sys.executable), str(own)]
        session = run_session(project, server, "disk full", lambda: 0, diagnose=False, prefix=prefix)
        found = judge(session, f"{size} bytes", faults=1)
        if left := (project / "left").read_text():
            found.note(f"left over: {left} on a disk of {size} bytes")
        sound = project / "sound"
        if sound.exists() and "unsound" in (said := sound.read_text()):
            found.note(f"wrong: the store on a disk of {size} bytes: {said}")
    yield "session: disk of the client full", found


@contextlib.contextmanager
def _with_small_disk(server: Server, room: int) -> Iterator[None]:
    """Give the server a disk of `room` bytes, empty at first."""
    server.kill()
    server.restart(room=room)
    try:
        yield
    finally:
        server.kill()
        server.restart()


@contextlib.contextmanager
def _project(folder: Path, server: Server, seed: int) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    write_project(folder / "project", f"grpc://{server.target}", seed, artifacts=FEW)
    yield folder / "project"
    shutil.rmtree(folder)
