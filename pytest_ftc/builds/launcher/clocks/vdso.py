"""The moved clock inside the vDSO, for every program, whatever its linkage and environment.

A 64-bit program asks the vDSO for the time, which reads it from mapped memory and makes no system call, see vdso(7).
It finds the functions in the symbol table of the vDSO.  Here, small functions are placed after the code of the vDSO,
each of which calls an original one and adds the shift to its result, or tells the time at which the clock stands, and
the symbols are changed to point to them.
The kernel maps the same image into all programs, so the patches are computed once.  Writing to a page gives the
process its own copy.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from pytest_ftc.builds.launcher.clocks.shown import BILLION, Shown

_HEADER = struct.Struct("=16sHHIQQQ")  # Elf64_Ehdr up to e_shoff
_SEGMENT = struct.Struct("=IIQQQQQQ")  # Elf64_Phdr
_SYMBOL = struct.Struct("=IBBHQQ")  # Elf64_Sym
_LOAD, _DYNAMIC = 1, 2
_HASH, _STRINGS, _SYMBOLS = 4, 5, 6  # DT_HASH, DT_STRTAB, DT_SYMTAB
_ALIGNMENT = 16

# Machine code of x86-64.  CALL is the distance to the original function, SHIFT the seconds to add.
_CALL, _SHIFT = b"CALL", b"-SHIFT--"
_SECONDS, _NANOSECONDS, _MICROSECONDS = b"-SECOND-", b"NANOSECS", b"MICROSEC"
_GET_CLOCK = (  # int clock_gettime(clockid_t rdi, struct timespec *rsi)
    b"\x57\x56\x48\x83\xec\x08\xe8CALL"  # push rdi; push rsi; sub rsp, 8; call
    b"\x48\x83\xc4\x08\x5e\x5f\x85\xc0\x75\x1c"  # add rsp, 8; pop rsi; pop rdi; test eax, eax; jne end
    b"\x83\xff\x00\x74\x0a\x83\xff\x05\x74\x05\x83\xff\x0b\x75\x0d"  # unless edi is 0, 5 or 11: jump to the end
    b"\x48\xb9-SHIFT--\x48\x01\x0e\xc3"  # mov rcx, shift; add [rsi], rcx; end: ret
)
_GET_DAY = (  # int gettimeofday(struct timeval *rdi, struct timezone *rsi)
    b"\x57\xe8CALL\x5f\x85\xc0\x75\x12\x48\x85\xff\x74\x0d"  # push rdi; call; pop rdi; unless eax, or rdi is NULL:
    b"\x48\xb9-SHIFT--\x48\x01\x0f\xc3"  # mov rcx, shift; add [rdi], rcx; end: ret
)
_GET_TIME = (  # time_t time(time_t *rdi)
    b"\x57\xe8CALL\x5f\x48\xb9-SHIFT--\x48\x01\xc8"  # push rdi; call; pop rdi; mov rcx, shift; add rax, rcx
    b"\x48\x85\xff\x74\x03\x48\x89\x07\xc3"  # unless rdi is NULL: mov [rdi], rax; end: ret
)
# The same for a clock that stands still.
_TELL_CLOCK = (
    b"\x83\xff\x00\x74\x0f\x83\xff\x05\x74\x0a\x83\xff\x0b\x74\x05"  # if edi is 0, 5 or 11: jump over the next
    b"\xe9CALL"  # jmp: another clock
    b"\x48\xb9-SECOND-\x48\x89\x0e\x48\xb9NANOSECS\x48\x89\x4e\x08"  # store seconds and nanoseconds
    b"\x31\xc0\xc3"  # xor eax, eax; ret
)
_TELL_DAY = (
    b"\x48\x85\xff\x74\x1b"  # if rdi is NULL: jump over the next
    b"\x48\xb9-SECOND-\x48\x89\x0f\x48\xb9MICROSEC\x48\x89\x4f\x08"  # store seconds and microseconds
    b"\x48\x85\xf6\x74\x07\x48\xc7\x06\0\0\0\0"  # unless rsi is NULL: no time zone
    b"\x31\xc0\xc3"
)
_TELL_TIME = b"\x48\xb8-SECOND-\x48\x85\xff\x74\x03\x48\x89\x07\xc3"  # mov rax, seconds; unless rdi is NULL: store; ret
_NAMES = (b"clock_gettime", b"gettimeofday", b"time")
_RUNNING, _STANDING = (_GET_CLOCK, _GET_DAY, _GET_TIME), (_TELL_CLOCK, _TELL_DAY, _TELL_TIME)


class Patch(NamedTuple):
    """Bytes to write into the vDSO."""

    offset: int
    data: bytes


def read_own_vdso() -> bytes:
    """Return the image of the vDSO in this process, see proc_pid_maps(5).  Raises OSError."""
    with open("/proc/self/maps") as maps:
        found = next((line.split()[0] for line in maps if line.rstrip().endswith("[vdso]")), "")
    if not found:
        raise OSError("there is no vDSO")
    start, end = (int(address, 16) for address in found.split("-"))
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.seek(start)
        return memory.read(end - start)


def find_patches(image: bytes, clock: Shown) -> tuple[Patch, ...]:
    """Return the patches for the time of `clock` in the vDSO `image` of x86-64.  Raises ValueError if that fails."""
    functions = dict(zip(_NAMES, _STANDING if clock.stop else _RUNNING, strict=True))
    try:
        symbols = _read_symbols(image)
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError("the vDSO has an unknown structure") from error
    place = len(image.rstrip(b"\0"))
    patches, moved = [], {}
    for at, name, value in symbols:
        name = name.removeprefix(b"__vdso_")
        if name not in functions:
            continue
        if value not in moved:
            place += -place % _ALIGNMENT + _ALIGNMENT
            code = _compile(functions[name], place, value, clock)
            patches.append(Patch(place, code))
            moved[value] = place
            place += len(code)
        # st_value comes after 8 bytes of Elf64_Sym.
        patches.append(Patch(at + 8, struct.pack("=Q", moved[value])))
    if not moved or place > len(image):
        raise ValueError("the vDSO has no space for code, or no functions for the time")
    return tuple(patches)


def _compile(code: bytes, place: int, original: int, clock: Shown) -> bytes:
    # The operand of call and jmp is relative to the next instruction.
    distance = original - (place + code.find(_CALL) + len(_CALL))
    seconds, rest = divmod(clock.stop, BILLION)
    numbers = {_SHIFT: clock.shift, _SECONDS: seconds, _NANOSECONDS: rest, _MICROSECONDS: rest // 1000}
    code = code.replace(_CALL, struct.pack("=i", distance))
    for mark, number in numbers.items():
        code = code.replace(mark, struct.pack("=q", number))
    return code


def _read_symbols(image: bytes) -> list[tuple[int, bytes, int]]:
    """Return the offset, name and value of each symbol of the ELF file `image`, see elf(5)."""
    start = _HEADER.unpack_from(image)[5]
    size, count = struct.unpack_from("=HH", image, 54)
    segments = [_SEGMENT.unpack_from(image, start + size * index) for index in range(count)]
    kinds = {segment[0]: segment for segment in segments}
    loaded, dynamic = kinds[_LOAD], kinds[_DYNAMIC]
    bias = loaded[2] - loaded[3]
    table = dict(struct.iter_unpack("=QQ", image[dynamic[2] : dynamic[2] + dynamic[5] // 16 * 16]))
    # The second word of DT_HASH, nchain, is the number of symbols (System V gABI, chapter 5, "Hash Table").
    total = struct.unpack_from("=I", image, table[_HASH] + bias + 4)[0]
    strings, first = table[_STRINGS] + bias, table[_SYMBOLS] + bias
    found = []
    for at in range(first, first + total * _SYMBOL.size, _SYMBOL.size):
        name, _, _, _, value, _ = _SYMBOL.unpack_from(image, at)
        found.append((at, image[strings + name : image.index(b"\0", strings + name)], value + bias))
    return found
