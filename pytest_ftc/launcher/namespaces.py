"""Entering namespaces, as an ordinary user or as root."""

from __future__ import annotations

import errno
import os

from pytest_ftc.launcher import kernel


def enter_namespaces(*, user: bool, network: bool) -> None:
    """Enter new mount, UTS, IPC and PID namespaces (the PID one takes effect for children).

    With `user`, a user namespace first, in which every id keeps its number; without `network`, a network namespace in
    which only loopback exists.  Raises OSError where the kernel or a sandbox refuses.
    """
    flags = kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWPID
    if not network:
        flags |= kernel.CLONE_NEWNET
    try:
        if user:
            _enter_user_namespace(flags)
        else:
            kernel.unshare(flags)
    except OSError as error:
        raise OSError(error.errno, _explain(error)) from None
    if not network:
        kernel.raise_loopback()


def _explain(error: OSError) -> str:
    """Return why namespaces are refused, and what would allow them; see the errors in unshare(2)."""
    if error.errno == errno.ENOSPC:
        return "namespaces are switched off here (sysctl user.max_user_namespaces is 0 or used up)"
    if error.errno in (errno.EPERM, errno.EACCES):
        return "namespaces are refused here (a container's seccomp profile, AppArmor or a sysctl); allow unshare(2)"
    return f"namespaces are refused here: {error.strerror or error}"


def _enter_user_namespace(flags: int) -> None:
    """Enter the namespaces of `flags` and a user namespace that owns them.

    A map of more than one's own id has to be written from outside, so a helper that stays behind writes it, see
    user_namespaces(7).
    """
    maps = _identity_maps()
    start_read, start_write = os.pipe()
    done_read, done_write = os.pipe()
    target = os.getpid()
    helper = os.fork()
    if helper == 0:
        os.close(start_write)
        status = 1
        try:
            if os.read(start_read, 1):
                _write_maps(target, *maps)
                os.write(done_write, b"+")
            status = 0
        except OSError as error:
            os.write(done_write, str(error).encode())
        finally:
            os._exit(status)
    os.close(start_read)
    os.close(done_write)
    try:
        kernel.unshare(kernel.CLONE_NEWUSER | flags)
        os.write(start_write, b"+")
        answer = os.read(done_read, 4096)
    finally:
        os.close(start_write)
        os.waitpid(helper, 0)
        os.close(done_read)
    if answer != b"+":
        raise OSError(f"writing the id maps: {answer.decode(errors='replace')}")


def _identity_maps() -> tuple[str, str, bool]:
    """Return uid_map, gid_map and whether setgroups(2) must be denied: all ids for root, one's own for others."""
    if os.geteuid() == 0:
        return _mapped_ids("/proc/self/uid_map"), _mapped_ids("/proc/self/gid_map"), False
    return f"{os.geteuid()} {os.geteuid()} 1\n", f"{os.getegid()} {os.getegid()} 1\n", True


def _mapped_ids(path: str) -> str:
    with open(path) as lines:
        ranges = [line.split() for line in lines]
    return "".join(f"{inside} {inside} {count}\n" for inside, _, count in ranges)


def _write_maps(pid: int, uid_map: str, gid_map: str, deny_setgroups: bool) -> None:
    if deny_setgroups:
        _write(f"/proc/{pid}/setgroups", "deny")
    _write(f"/proc/{pid}/gid_map", gid_map)
    _write(f"/proc/{pid}/uid_map", uid_map)


def _write(path: str, text: str) -> None:
    # One write(2): the kernel takes a map whole or not at all.
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
