"""The numbers that differ from processor to processor: see <asm/unistd.h>, <linux/audit.h> and <asm/ptrace.h>."""

from __future__ import annotations

import os
from typing import NamedTuple


class Processor(NamedTuple):
    """What has to be known of one kind of processor to read and change what a program on it does."""

    audit: int
    """Its name in seccomp data (AUDIT_ARCH_*)."""
    machine: int
    """Its name in ELF headers (e_machine)."""
    stack_register: int
    """Index of the stack pointer among the 8-byte registers of NT_PRSTATUS."""
    calls: dict[str, int]
    """Numbers of system calls; the C library has functions for none of what is done with them here."""


_X86_64 = Processor(
    audit=0xC000003E,
    machine=62,
    stack_register=19,
    calls={
        "write": 1, "open": 2, "pwrite64": 18, "writev": 20, "connect": 42, "rename": 82, "mkdir": 83, "creat": 85,
        "link": 86, "symlink": 88, "gettimeofday": 96, "ptrace": 101, "time": 201, "futex": 202,
        "clock_gettime": 228, "clock_nanosleep": 230, "openat": 257, "mkdirat": 258, "renameat": 264, "linkat": 265,
        "symlinkat": 266, "renameat2": 316, "seccomp": 317, "pidfd_open": 434, "openat2": 437, "pidfd_getfd": 438,
    },
)  # fmt: skip
_AARCH64 = Processor(
    audit=0xC00000B7,
    machine=183,
    stack_register=31,
    calls={
        "mkdirat": 34, "symlinkat": 36, "linkat": 37, "renameat": 38, "openat": 56, "write": 64, "writev": 66,
        "pwrite64": 68, "futex": 98, "clock_gettime": 113, "clock_nanosleep": 115, "ptrace": 117,
        "gettimeofday": 169, "connect": 203, "renameat2": 276, "seccomp": 277, "pidfd_open": 434, "openat2": 437,
        "pidfd_getfd": 438,
    },
)  # fmt: skip
_PROCESSORS = {"x86_64": _X86_64, "aarch64": _AARCH64}


def this_processor() -> Processor:
    """Return the processor of this machine.  Raises OSError for one that is not known here."""
    name = os.uname().machine
    if name not in _PROCESSORS:
        raise OSError(f"not known how to follow programs on {name}")
    return _PROCESSORS[name]
