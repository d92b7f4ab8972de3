"""Entering namespaces, as an ordinary user or as root."""

from __future__ import annotations

import errno
import os
from itertools import pairwise

from pytest_ftc.builds.launcher import kernel


def enter_namespaces(*, user: bool, pids: bool, network: bool, uid: int, gid: int) -> None:
    """Enter new mount, UTS and IPC namespaces, with `pids` also a PID namespace.

    With `user`, enter a user namespace first, in which this user has the ids `uid` and `gid`; without `network`, also
    a network namespace that has only loopback.  Raises OSError where the kernel or a sandbox refuses.

    The caller stays in its old PID namespace: with `pids`, its next child becomes PID 1 of the new one, and the
    namespace accepts no more processes once that child has ended, see pid_namespaces(7).
    """
    flags = kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
    if pids:
        flags |= kernel.CLONE_NEWPID
    if not network:
        flags |= kernel.CLONE_NEWNET
    try:
        if user:
            _enter_user_namespace(flags, uid, gid)
        else:
            kernel.unshare(flags)
    except OSError as error:
        raise OSError(error.errno, _explain(error)) from None
    if not network:
        kernel.raise_loopback()


def move_uptime(seconds: int) -> bool:
    """Add `seconds` to the uptime that the children of this process see; return whether that is possible.

    A time namespace moves CLOCK_MONOTONIC, CLOCK_BOOTTIME, sysinfo(2) and /proc/uptime, but no date.  Its offsets can
    be written only before the first process enters it, see time_namespaces(7) (Linux 5.6).
    """
    try:
        kernel.unshare(kernel.CLONE_NEWTIME)
        _write("/proc/self/timens_offsets", f"monotonic {seconds} 0\nboottime {seconds} 0\n")
    except OSError:
        return False
    return True


def _explain(error: OSError) -> str:
    """Return why namespaces are refused, and how to allow them; see ERRORS in unshare(2)."""
    if error.errno == errno.ENOSPC:
        return "namespaces are disabled here (sysctl user.max_user_namespaces is 0 or exhausted)"
    if error.errno in (errno.EPERM, errno.EACCES):
        return "namespaces are refused here (a container's seccomp profile, AppArmor or a sysctl); allow unshare(2)"
    return f"namespaces are refused here: {error.strerror or error}"


def _enter_user_namespace(flags: int, uid: int, gid: int) -> None:
    """Enter the namespaces of `flags` and a user namespace that owns them.

    Mapping more than the own ID requires CAP_SETUID and CAP_SETGID in the parent namespace, which this process loses
    when it leaves, so a helper that stays there writes the maps, see user_namespaces(7).
    """
    uid_map, gid_map = _make_maps(uid, gid)
    start_read, start_write = os.pipe()
    done_read, done_write = os.pipe()
    target = os.getpid()
    helper = os.fork()
    if helper == 0:
        os.close(start_write)
        status = 1
        try:
            if os.read(start_read, 1):
                _write_maps(target, uid_map, gid_map)
                os.write(done_write, b"+")
            status = 0
        except OSError as error:
            os.write(done_write, str(error).encode())
        finally:
            os._exit(status)
    os.close(start_read)
    os.close(done_write)
    try:
        # In one call: the kernel creates the user namespace first, whose capabilities permit the others.
        kernel.unshare(kernel.CLONE_NEWUSER | flags)
        os.write(start_write, b"+")
        answer = os.read(done_read, 4096)
    finally:
        os.close(start_write)
        os.waitpid(helper, 0)
        os.close(done_read)
    if answer != b"+":
        raise OSError(f"writing the id maps: {answer.decode(errors='replace')}")


def _make_maps(uid: int, gid: int) -> tuple[str, str]:
    """Return uid_map and gid_map: root maps all existing IDs, other users can map only their own."""
    if os.geteuid() == 0:
        return (
            map_ids(_mapped_ranges("/proc/self/uid_map"), os.geteuid(), uid),
            map_ids(_mapped_ranges("/proc/self/gid_map"), os.getegid(), gid),
        )
    return f"{uid} {os.geteuid()} 1\n", f"{gid} {os.getegid()} 1\n"


def map_ids(ranges: list[tuple[int, int]], own: int, wanted: int) -> str:
    """Return a map that swaps `own` and `wanted` and keeps all other IDs.

    A swap, because ranges must not overlap, and an unmapped ID would appear as the overflow ID 65534, see
    user_namespaces(7).  `ranges` contains the first ID and the length of each range that exists outside.
    """
    swapped = {own: wanted, wanted: own}
    lines = []
    for start, count in ranges:
        end = start + count
        edges = {start, end, *(edge for one in swapped for edge in (one, one + 1) if start < edge < end)}
        for first, after in pairwise(sorted(edges)):
            inside = swapped.get(first, first) if after - first == 1 else first
            lines.append(f"{inside} {first} {after - first}\n")
    return "".join(lines)


def _mapped_ranges(path: str) -> list[tuple[int, int]]:
    with open(path) as lines:
        return [(int(line.split()[0]), int(line.split()[2])) for line in lines]


def _write_maps(pid: int, uid_map: str, gid_map: str) -> None:
    if os.geteuid() != 0:
        # Without CAP_SETGID outside, this is required before gid_map: dropping a group could otherwise grant access.
        _write(f"/proc/{pid}/setgroups", "deny")
    _write(f"/proc/{pid}/gid_map", gid_map)
    _write(f"/proc/{pid}/uid_map", uid_map)


def _write(path: str, text: str) -> None:
    # In one write(2): a map can be written only once, see user_namespaces(7).
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
