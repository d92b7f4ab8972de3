"""Inspecting and changing a program that execve(2) has just loaded, before it runs its first instruction.

The stack then holds, from the stack pointer upward, the argument count, the arguments, the environment and the
auxiliary vector; nothing has read them yet.  /proc/PID/mem is writable because the program is traced, see
proc_pid_mem(5).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

from pytest_ftc.builds.launcher.clocks.vdso import Patch
from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing import ptrace

_AT_NULL, _AT_IGNORE, _AT_SYSINFO_EHDR = 0, 1, 33
_PIECE = 64 * 1024
_MOST_STACK = 8 << 20
_FORMS = {4: "I", 8: "Q"}


def patch_vdso(pid: int, patches: Iterable[Patch]) -> None:
    """Change the vDSO of the program that starts in the stopped process `pid`.  Raises OSError."""
    kinds, values = _read_vector(pid, 8)[1:]
    if _AT_SYSINFO_EHDR not in kinds:
        return  # so the program will not find the vDSO either
    base = values[kinds.index(_AT_SYSINFO_EHDR)]
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    try:
        for patch in patches:
            os.pwrite(memory, patch.data, base + patch.offset)
    finally:
        os.close(memory)


def hide_vdso(pid: int, word: int) -> None:
    """Make the program that starts in the stopped process `pid` use system calls for the time.  Raises OSError.

    Otherwise it calls the vDSO, which reads the time from mapped memory, without a system call that seccomp could
    intercept, see vdso(7).  A program finds the vDSO through AT_SYSINFO_EHDR in its auxiliary vector, see getauxval(3),
    which consists of numbers of `word` bytes.
    """
    # The kernel's own copy is read-only: it only shows the bytes to find on the stack.
    vector, kinds, _ = _read_vector(pid, word)
    if _AT_SYSINFO_EHDR not in kinds:
        return
    bottom = ptrace.stack_pointer(pid)
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    try:
        place = _find(memory, bottom, vector) + kinds.index(_AT_SYSINFO_EHDR) * 2 * word
        os.pwrite(memory, struct.pack(f"={_FORMS[word]}", _AT_IGNORE), place)
    finally:
        os.close(memory)


def _read_vector(pid: int, word: int) -> tuple[bytes, tuple[int, ...], tuple[int, ...]]:
    with open(f"/proc/{pid}/auxv", "rb") as file:
        vector = file.read()
    numbers = struct.unpack(f"={len(vector) // word}{_FORMS[word]}", vector)
    # For 32-bit programs, the kernel returns more zeros than the end of the vector has.
    pairs = numbers[::2].index(_AT_NULL) + 1 if _AT_NULL in numbers[::2] else len(numbers) // 2
    return vector[: pairs * 2 * word], numbers[: 2 * pairs : 2], numbers[1 : 2 * pairs : 2]


def _find(memory: int, bottom: int, wanted: bytes) -> int:
    """Return the address of `wanted` on the stack, above the arguments and the environment."""
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
    """The ELF header of the program in the process `pid`, see elf(5).  Raises OSError."""

    def __init__(self, pid: int) -> None:
        with open(f"/proc/{pid}/exe", "rb", buffering=0) as file:
            head = file.read(64)
        processor = this_processor()
        machine = struct.unpack_from("=H", head, 18)[0] if len(head) == 64 else 0
        self.word = 8 if head[:5] == b"\x7fELF\x02" else 4
        """Size of its addresses in bytes: 8 for ELFCLASS64."""
        self.kind = ""
        """``native``, ``32-bit`` if the calls of such programs are known, or empty."""
        if machine == processor.machine:
            self.kind = "native" if self.word == 8 else "32-bit"
        elif machine and machine == processor.machine_32:
            self.kind = "32-bit"
