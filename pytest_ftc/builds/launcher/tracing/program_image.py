"""Inspecting and changing a program that execve(2) has just loaded, before it runs its first instruction.

The stack then holds, from the stack pointer upward, the argument count, the arguments, the environment and the
auxiliary vector; nothing has read them yet.  /proc/PID/mem can be written to since the program is traced, see
proc_pid_mem(5).
"""

from __future__ import annotations

import mmap
import os
import struct

from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing import ptrace

_AT_IGNORE, _AT_SYSINFO_EHDR = 1, 33
_INTERPRETER, _NOTE = 3, 4
_WORD = 8
_PIECE = 64 * 1024
_MOST_STACK = 8 << 20
_LARGEST = 24 << 20
"""Bytes of a program that is searched."""
_ENV_START, _ENV_END = 47, 48
"""Indexes of env_start and env_end, fields 50 and 51 of /proc/PID/stat, after the first two: see proc_pid_stat(5)."""


def hide_vdso(pid: int) -> None:
    """Have the program that starts in the stopped process `pid` ask the kernel for the time.  Raises OSError.

    Otherwise it calls the vDSO, which reads the time from mapped memory and makes no system call that seccomp could
    intercept, see vdso(7).  A program finds the vDSO by AT_SYSINFO_EHDR in its auxiliary vector, see getauxval(3).
    """
    # A copy that the kernel keeps, and cannot be written to: it only says what to look for on the stack.
    with open(f"/proc/{pid}/auxv", "rb") as file:
        vector = file.read()
    kinds = struct.unpack(f"={len(vector) // _WORD}Q", vector)[::2]
    if _AT_SYSINFO_EHDR not in kinds:
        return
    bottom = ptrace.stack_pointer(pid)
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    try:
        place = _find(memory, bottom, vector) + kinds.index(_AT_SYSINFO_EHDR) * 2 * _WORD
        os.pwrite(memory, struct.pack("=Q", _AT_IGNORE), place)
    finally:
        os.close(memory)


def _find(memory: int, bottom: int, wanted: bytes) -> int:
    """Return the address of `wanted`, which lies on the stack above the arguments and the environment."""
    seen = b""
    while len(seen) < _MOST_STACK:
        piece = os.pread(memory, _PIECE, bottom + len(seen))
        seen += piece
        place = seen.find(wanted)
        if place >= 0:
            return bottom + place
        if not piece:
            break
    raise OSError("the auxiliary vector is not on the stack")


class Program:
    """What the ELF header of the program in the process `pid` says, see elf(5).  Raises OSError."""

    def __init__(self, pid: int) -> None:
        with open(f"/proc/{pid}/exe", "rb", buffering=0) as file:
            head = file.read(4096)
            self.native = head[:5] == b"\x7fELF\x02" and _short(head, 18) == this_processor().machine
            """Whether it is a 64-bit program (ELFCLASS64) for this processor; only its calls are intercepted."""
            self.dynamic = self.go = False
            if self.native:
                self._read_segments(head, file.fileno())
            status = os.fstat(file.fileno())
            self.identity = status.st_dev, status.st_ino
            """Identifies its file."""

    def _read_segments(self, head: bytes, descriptor: int) -> None:
        # e_phoff, e_phentsize and e_phnum of Elf64_Ehdr; then p_type, p_offset and p_filesz of each Elf64_Phdr.
        start, size, count = struct.unpack_from("=Q", head, 32)[0], _short(head, 54), _short(head, 56)
        table = os.pread(descriptor, min(size * count, 64 * 1024), start)
        for at in range(0, len(table) - 55, size):
            kind, offset, length = struct.unpack_from("=I4xQ16xQ", table, at)
            if kind == _INTERPRETER:
                self.dynamic = True
                """Whether a dynamic linker loads it (PT_INTERP), which reads LD_PRELOAD, see ld.so(8)."""
            elif kind == _NOTE:
                # Go's runtime calls the vDSO itself, also in programs that use the C library.  Its build id is a note
                # of type 4 with the name "Go", see "Notes" in elf(5).
                self.go |= b"\x04\0\0\0Go\0\0" in os.pread(descriptor, min(length, 4096), offset)


def _short(data: bytes, offset: int) -> int:
    value: int = struct.unpack_from("=H", data, offset)[0]
    return value


def names(pid: int, word: bytes) -> bool:
    """Return whether the file of the program in the process `pid` contains `word`; a large one is not searched.

    Raises OSError.
    """
    with open(f"/proc/{pid}/exe", "rb", buffering=0) as file:
        if not 0 < os.fstat(file.fileno()).st_size <= _LARGEST:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(word) >= 0


def stop_preloading(pid: int) -> None:
    """Have the dynamic linker of the program that starts in the stopped process `pid` preload nothing.  Raises OSError.

    The environment cannot shrink here, so the variable stays, as ``_D_PRELOAD``, which nothing reads.
    """
    with open(f"/proc/{pid}/stat", "rb") as file:
        # The second field, a name in parentheses, may contain spaces and parentheses.
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[_ENV_START]), int(fields[_ENV_END])
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    try:
        place = (b"\0" + os.pread(memory, end - start, start)).find(b"\0LD_PRELOAD=")
        if place >= 0:
            os.pwrite(memory, b"_", start + place)
    finally:
        os.close(memory)


def has_preloaded(pid: int, library: str) -> bool:
    """Return whether the environment of `pid` asks the dynamic linker for `library`.  Raises OSError."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        return any(
            variable.startswith(b"LD_PRELOAD=") and os.fsencode(library) in variable
            for variable in file.read().split(b"\0")
        )
