"""Programs that count the processors with the instruction CPUID, which the kernel does not see.

Intel processors can make it fault, see ARCH_SET_CPUID in arch_prctl(2), but many virtual machines and other processors
cannot.  So the code of programs is searched for it.
"""

from __future__ import annotations

import os
import re

_KNOWN = frozenset(("cpuid", "i7z", "likwid-topology", "turbostat", "x86info"))
"""Programs whose purpose it is."""
_LARGEST = 64 << 20
# Just before it, the leaf is loaded into a register (mov, or push and pop) or through the stack.  Leaves with the
# number of processors: 4 for shared caches, 0xb and 0x1f for the topology, AMD's 0x80000008, 0x8000001e and 0x80000026.
_MOVE = rb"(?:[\xb8-\xbf]|\xc7(?:\x45.|\x44\x24.|\x85.{4}))"
_COUNTING = re.compile(
    rb"(?:" + _MOVE + rb"(?:[\x04\x0b\x1f]\0\0\0|[\x08\x1e\x26]\0\0\x80)|\x6a[\x04\x0b\x1f]\x58).{0,64}?\x0f\xa2",
    re.DOTALL,
)


class Counters:
    """Searches each file once."""

    def __init__(self) -> None:
        self._searched: dict[tuple[str, int, int], bool] = {}

    def counts(self, path: str, *, made: bool) -> bool:
        """Return whether the program or library `path` counts the processors; only those `made` here are searched."""
        if os.path.basename(path) in _KNOWN:
            return True
        return made and os.uname().machine == "x86_64" and self._search(path)

    def _search(self, path: str) -> bool:
        try:
            status = os.stat(path)
            key = path, status.st_size, status.st_mtime_ns
            if key not in self._searched:
                with open(path, "rb") as file:
                    code = file.read(_LARGEST)
                self._searched[key] = code[:4] == b"\x7fELF" and bool(_COUNTING.search(code))
        except OSError:
            return False
        return self._searched[key]
