"""The Linux system calls that Python's `os` does not have, each a function that raises OSError."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NODEV = 0x1, 0x4

# The same number on every architecture: calls added since Linux 5.1 share one table.
_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {
    "x86_64": 155,
    "aarch64": 41,
    "riscv64": 41,
    "ppc64le": 203,
    "s390x": 217,
    "armv7l": 218,
    "i686": 217,
}

# chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, sys_chroot, setfcap.
_KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31})
_MOST_CAPABILITIES = 64
_CAPABILITY_HEADER = struct.pack("=Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
_SYS_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219}
_KEYCTL_JOIN_SESSION_KEYRING = 1

UNAME26 = 0x0020000
ADDR_NO_RANDOMIZE = 0x0040000

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones, see unshare(2)."""
    _check(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str = "") -> None:
    """Mount `source` at `target`, see mount(2).  Raises OSError."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    _check(_libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]), f"mount {target}")


def bind(source: str, target: str) -> None:
    """Bind-mount the folder or file `source`, with all mounts below it, at `target`.

    Always recursive: mounts that a user namespace inherits are locked together, and the kernel refuses to bind one
    without those below it, see "Restrictions on mount namespaces" in mount_namespaces(7).
    """
    mount(source, target, flags=MS_BIND | MS_REC)


def make_read_only(target: str) -> None:
    """Make `target` and every mount below it read-only, see mount_setattr(2) (Linux 5.12).

    MS_REMOUNT | MS_BIND of mount(2) would change one mount only, and would have to repeat all its other flags:
    clearing a locked one is refused in a user namespace.
    """
    _set_attributes(target, _MOUNT_ATTR_RDONLY)


def disable_devices(target: str) -> None:
    """Prevent opening device files in `target` and every mount below it: MOUNT_ATTR_NODEV of mount_setattr(2)."""
    _set_attributes(target, _MOUNT_ATTR_NODEV)


def _set_attributes(target: str, wanted: int) -> None:
    attributes = struct.pack("QQQQ", wanted, 0, 0, 0)
    result = _libc.syscall(
        _SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes))
    )
    _check(result, f"mount_setattr {target}")


def change_root(new_root: str) -> None:
    """Make `new_root`, a mount point, the root, and detach the old root, see pivot_root(2).

    After a mere chroot(2), a build that runs as root could still reach the old mounts.
    """
    os.chdir(new_root)
    # "." for both puts the old root on top of the new one, so no folder is needed to hold it, see NOTES in
    # pivot_root(2).  It is still in use, and its mounts are locked, so only a lazy umount2(2) of the whole works.
    _check(_libc.syscall(_SYS_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "umount the old root")
    os.chdir("/")


def name_host(host: str, domain: str) -> None:
    """Set the host and domain names of this UTS namespace, see sethostname(2) and setdomainname(2)."""
    for function, name in ((_libc.sethostname, os.fsencode(host)), (_libc.setdomainname, os.fsencode(domain))):
        _check(function(name, ctypes.c_size_t(len(name))), "sethostname")


def set_personality(flags: int) -> None:
    """Set the personality of this process and the programs that it executes, see personality(2).

    ADDR_NO_RANDOMIZE takes effect at the next execve(2), and UNAME26 makes uname(2) report a release 2.6.x.
    """
    _check(_libc.personality(ctypes.c_ulong(flags)), "personality")


def read_old_release() -> str:
    """Return the release that uname(2) reports with UNAME26.  Raises OSError."""
    ask = 0xFFFFFFFF
    before = _libc.personality(ctypes.c_ulong(ask))
    set_personality(UNAME26)
    try:
        return os.uname().release
    finally:
        set_personality(before)


def system_call(number: int, *arguments: object, what: str) -> int:
    """Make the system call `number`, for which the C library may have no function.  Raises OSError."""
    converted = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *converted))
    _check(result, what)
    return result


def die_with_parent(signal: int) -> None:
    """Request `signal` when the parent dies, see PR_SET_PDEATHSIG in prctl(2).

    Children do not inherit this.  If the parent is already dead, no signal is sent.
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "PR_SET_PDEATHSIG")


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, see PR_SET_CHILD_SUBREAPER in prctl(2)."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "PR_SET_CHILD_SUBREAPER")


def allow_tracing() -> None:
    """Let this process and its children be traced, even if a change of credentials has cleared that.

    See PR_SET_DUMPABLE in prctl(2), and "Ptrace access mode checking" in ptrace(2).
    """
    _check(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE")


def forbid_tracing() -> None:
    """Deny other processes of the same user access to this one: its memory, and its descriptors and root in /proc.

    See PR_SET_DUMPABLE in prctl(2).  A child that was forked before is not affected.
    """
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "PR_SET_DUMPABLE")


def limit_capabilities() -> None:
    """Permanently drop all capabilities except those over files, processes and IDs of the build, see capabilities(7).

    execve(2) as UID 0 does not gain capabilities outside the bounding set either, unless they are inheritable.  Without
    CAP_SYS_ADMIN, a build that runs as root cannot undo the read-only mounts; without CAP_SYS_PTRACE and
    CAP_DAC_READ_SEARCH it can neither take the descriptors of the launcher nor open files by their handles.  A build
    may still create a user namespace, but inherited mounts stay read-only there, see mount_namespaces(7).
    """
    for number in range(_MOST_CAPABILITIES):
        # EINVAL after the last capability that the kernel knows.
        if number not in _KEPT_CAPABILITIES and _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            error = ctypes.get_errno()
            if error == errno.EINVAL:
                break
            raise OSError(error, f"PR_CAPBSET_DROP: {os.strerror(error)}")
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _clear_inheritable()


def _clear_inheritable() -> None:
    """Make no capability inheritable, see capset(2); each of the three sets has a low and a high word, interleaved."""
    words = _read_capabilities()
    words[2] = words[5] = 0
    _write_capabilities(words)


@contextlib.contextmanager
def without_capabilities(*numbers: int) -> Iterator[None]:
    """Remove the capabilities `numbers`, all below 32, from the effective set in this context, see capabilities(7)."""
    words = _read_capabilities()
    mask = sum(1 << number for number in numbers)
    _write_capabilities([words[0] & ~mask, *words[1:]])
    try:
        yield
    finally:
        _write_capabilities(words)


def _read_capabilities() -> list[int]:
    sets = ctypes.create_string_buffer(24)
    _check(_libc.capget(_CAPABILITY_HEADER, sets), "capget")
    return list(struct.unpack("=6I", sets.raw))


def _write_capabilities(words: list[int]) -> None:
    _check(_libc.capset(_CAPABILITY_HEADER, struct.pack("=6I", *words)), "capset")


def leave_keyring() -> None:
    """Join a new session keyring, because builds would otherwise share the machine's, see session-keyring(7)."""
    number = _SYS_KEYCTL.get(os.uname().machine)
    if number:
        system_call(number, _KEYCTL_JOIN_SESSION_KEYRING, 0, what="keyctl")


def renounce_privileges() -> None:
    """Prevent gaining privileges by executing a program, see PR_SET_NO_NEW_PRIVS in prctl(2).

    Without this, seccomp(2) accepts filters only from processes with CAP_SYS_ADMIN.
    """
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")


def raise_loopback() -> None:
    """Bring up ``lo``, which is down in a new network namespace: see network_namespaces(7), netdevice(7)."""
    import socket  # slower to import than everything else here, and few builds need it

    siocsifflags, iff_up = 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))
