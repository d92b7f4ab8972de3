"""What the guard asks about, and what it decides."""

import os
import subprocess
import sys

import pytest
from classic_bpf import ALLOW, ASK, CALLS, run

from pytest_ftc.builds.launcher.tracing.guard import Guard, is_foreign_pipe
from pytest_ftc.builds.launcher.tracing.seccomp import compile_filter

NEWCGROUP, NEWUSER, RDONLY, BIND = 0x02000000, 0x10000000, 1, 0x1000
CREATES = os.O_WRONLY | os.O_CREAT

AS_ROOT = {
    "a new cgroup namespace": ("unshare", [NEWCGROUP | NEWUSER], ASK),
    "another namespace": ("unshare", [NEWUSER], ALLOW),
    "a process in a new cgroup namespace": ("clone", [NEWCGROUP], ASK),
    "a process": ("clone", [NEWUSER | 17], ALLOW),
    "what memory says": ("clone3", [0], ASK),
    "a new mount": ("mount", [0, 0, 0, 14], ASK),
    "a new mount that is read-only": ("mount", [0, 0, 0, RDONLY], ASK),
    "a mount elsewhere": ("mount", [0, 0, 0, BIND], ALLOW),
    "a new mount in the new way": ("fsmount", [3, 0, 0], ASK),
    "one that is read-only": ("fsmount", [3, 0, RDONLY], ALLOW),
}
FOR_ALL = {
    "reading": ("openat", [0, 0, os.O_RDONLY], ALLOW),
    "writing": ("openat", [0, 0, CREATES | os.O_TRUNC], ASK),
    "reading and writing": ("openat", [0, 0, os.O_RDWR], ASK),
    "a file that must be new": ("openat", [0, 0, CREATES | os.O_EXCL], ALLOW),
}


@pytest.mark.parametrize("name", [*AS_ROOT, *FOR_ALL])
def test_it_asks_only_about_what_it_may_change(name):
    call, arguments, wanted = {**AS_ROOT, **FOR_ALL}[name]
    given = [*arguments, *(0 for _ in range(6 - len(arguments)))]
    as_root = Guard(as_root=True, isolated=True).rules
    as_user = Guard(as_root=False, isolated=True).rules
    assert run(compile_filter(as_root), CALLS[call], given) == wanted
    assert run(compile_filter(as_user), CALLS[call], given) == (ALLOW if name in AS_ROOT else wanted)
    assert Guard(as_root=False, isolated=False).rules == ()


def test_without_a_tracer_the_filter_itself_refuses():
    """In a child, which stays under it."""
    code = """
import ctypes, errno, sys
from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing.guard import refuse_cgroups
kernel.renounce_privileges()
refuse_cgroups()
libc = ctypes.CDLL(None, use_errno=True)
libc.unshare(0x02000000), print(errno.errorcode[ctypes.get_errno()])
libc.syscall(this_processor().calls["clone3"], None, 0), print(errno.errorcode[ctypes.get_errno()])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["EPERM", "ENOSYS"], done.stderr


def test_a_pipe_is_foreign_on_a_read_only_mount(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "file").touch()
    assert not is_foreign_pipe(str(pipe))
    assert not is_foreign_pipe(str(tmp_path / "file"))
    read, write = os.pipe()
    assert not is_foreign_pipe(f"/proc/self/fd/{write}")
    with pytest.raises(FileNotFoundError):
        is_foreign_pipe(str(tmp_path / "missing"))
    os.close(read)
    os.close(write)
