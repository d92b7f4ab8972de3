"""Processor-dependent numbers, from <asm/unistd.h>, <linux/audit.h>, <linux/elf-em.h> and <asm/ptrace.h>."""

from __future__ import annotations

import os
from typing import NamedTuple


class Processor(NamedTuple):
    """The constants for observing and changing system calls on one kind of processor."""

    audit: int
    """Its number in seccomp data (AUDIT_ARCH_*), see seccomp(2)."""
    machine: int
    """Its number in ELF headers (e_machine), see elf(5)."""
    stack_register: int
    """Index of the stack pointer among the 8-byte registers of NT_PRSTATUS, see PTRACE_GETREGSET in ptrace(2)."""
    argument_registers: tuple[int, ...]
    """The same of the arguments of a system call, see "Architecture calling conventions" in syscall(2)."""
    calls: dict[str, int]
    """Numbers of system calls that are observed, or made without a function of the C library."""
    result_registers: tuple[int, int] | None = None
    """The same of the result and the number of a system call, while its thread is stopped; None if not shown there."""
    can_patch: bool = False
    """Whether the machine code in `vdso` is for this processor."""
    also: int = 0
    """A bit that marks alternative numbers of the same calls: __X32_SYSCALL_BIT."""
    audit_32: int = 0
    """Like `audit`, for 32-bit calls, which 64-bit programs can also make; 0 if unknown."""
    machine_32: int = 0
    calls_32: dict[str, int] = {}  # noqa: RUF012


_X86_64 = Processor(
    audit=0xC000003E,
    machine=62,
    stack_register=19,
    argument_registers=(14, 13, 12, 7, 9, 8),
    calls={
        "write": 1, "open": 2, "stat": 4, "fstat": 5, "lstat": 6, "ioctl": 16, "pwrite64": 18, "writev": 20,
        "access": 21, "shmget": 29, "shmctl": 31, "sendfile": 40, "connect": 42, "sendto": 44, "sendmsg": 46,
        "setsockopt": 54, "clone": 56, "execve": 59, "semget": 64, "semctl": 66, "msgget": 68, "msgctl": 71,
        "fcntl": 72, "flock": 73, "chdir": 80, "rename": 82, "mkdir": 83, "creat": 85, "link": 86, "symlink": 88,
        "readlink": 89, "gettimeofday": 96, "ptrace": 101, "utime": 132, "mknod": 133, "pivot_root": 155,
        "adjtimex": 159, "chroot": 161, "mount": 165, "time": 201, "futex": 202, "sched_setaffinity": 203,
        "getdents64": 217, "timer_settime": 223, "clock_gettime": 228, "clock_nanosleep": 230, "utimes": 235,
        "mq_open": 240,
        "mq_timedsend": 242, "mq_timedreceive": 243, "add_key": 248, "request_key": 249, "keyctl": 250, "openat": 257,
        "mkdirat": 258, "mknodat": 259, "futimesat": 261, "newfstatat": 262, "renameat": 264, "linkat": 265,
        "symlinkat": 266, "readlinkat": 267, "faccessat": 269, "unshare": 272, "splice": 275, "tee": 276,
        "utimensat": 280, "timerfd_settime": 286, "pwritev": 296, "clock_adjtime": 305, "sendmmsg": 307, "setns": 308,
        "renameat2": 316, "seccomp": 317, "getrandom": 318, "execveat": 322, "copy_file_range": 326, "statx": 332,
        "io_uring_setup": 425, "fsopen": 430, "fsmount": 432, "pidfd_open": 434, "clone3": 435, "openat2": 437,
        "pidfd_getfd": 438, "faccessat2": 439, "futex_waitv": 449,
    },
    result_registers=(10, 15),
    can_patch=True,
    also=0x40000000,
    audit_32=0x40000003,
    machine_32=3,
    calls_32={
        "open": 5, "creat": 8, "time": 13, "mknod": 14, "oldstat": 18, "mount": 21, "ptrace": 26, "oldfstat": 28,
        "utime": 30, "ioctl": 54, "fcntl": 55, "chroot": 61, "gettimeofday": 78, "oldlstat": 84, "socketcall": 102,
        "stat": 106, "lstat": 107, "fstat": 108, "ipc": 117, "clone": 120, "adjtimex": 124, "flock": 143, "stat64": 195,
        "lstat64": 196, "fstat64": 197, "pivot_root": 217, "getdents64": 220, "fcntl64": 221, "futex": 240,
        "clock_gettime": 265,
        "clock_nanosleep": 267, "utimes": 271, "openat": 295, "mknodat": 297, "futimesat": 299, "fstatat64": 300,
        "unshare": 310, "utimensat": 320, "clock_adjtime": 343, "sendmmsg": 345, "setns": 346, "connect": 362,
        "setsockopt": 366, "sendto": 369, "sendmsg": 370, "statx": 383, "semctl": 394, "shmctl": 396, "msgctl": 402,
        "clock_gettime64": 403, "clock_adjtime64": 405, "clock_nanosleep_time64": 407, "utimensat_time64": 412,
        "futex_time64": 422, "fsopen": 430, "fsmount": 432, "clone3": 435, "openat2": 437,
    },
)  # fmt: skip
# Has only the calls that newer architectures need: openat but not open, clock_gettime but not time, see syscalls(2).
_AARCH64 = Processor(
    audit=0xC00000B7,
    machine=183,
    stack_register=31,
    argument_registers=(0, 1, 2, 3, 4, 5),
    calls={
        "fcntl": 25, "ioctl": 29, "flock": 32, "mknodat": 33, "mkdirat": 34, "symlinkat": 36, "linkat": 37,
        "renameat": 38, "mount": 40, "pivot_root": 41, "faccessat": 48, "chdir": 49, "chroot": 51, "openat": 56,
        "getdents64": 61,
        "write": 64, "writev": 66, "pwrite64": 68, "pwritev": 70, "sendfile": 71, "splice": 76, "tee": 77,
        "readlinkat": 78, "newfstatat": 79, "fstat": 80, "timerfd_settime": 86, "utimensat": 88, "unshare": 97,
        "futex": 98, "timer_settime": 110, "clock_gettime": 113, "clock_nanosleep": 115, "ptrace": 117,
        "sched_setaffinity": 122, "gettimeofday": 169, "adjtimex": 171, "mq_open": 180, "mq_timedsend": 182,
        "mq_timedreceive": 183, "msgget": 186, "msgctl": 187, "semget": 190, "semctl": 191, "shmget": 194,
        "shmctl": 195, "connect": 203, "sendto": 206, "setsockopt": 208, "sendmsg": 211, "add_key": 217,
        "request_key": 218, "keyctl": 219, "clone": 220, "execve": 221, "clock_adjtime": 266, "setns": 268,
        "sendmmsg": 269, "renameat2": 276, "seccomp": 277, "getrandom": 278, "execveat": 281, "copy_file_range": 285,
        "statx": 291, "io_uring_setup": 425, "fsopen": 430, "fsmount": 432, "pidfd_open": 434, "clone3": 435,
        "openat2": 437, "pidfd_getfd": 438, "faccessat2": 439, "futex_waitv": 449,
    },
)  # fmt: skip
_PROCESSORS = {"x86_64": _X86_64, "aarch64": _AARCH64}


def this_processor() -> Processor:
    """Return the processor of this machine.  Raises OSError if it is not supported."""
    name = os.uname().machine
    if name not in _PROCESSORS:
        raise OSError(f"tracing is not supported on {name}")
    return _PROCESSORS[name]
