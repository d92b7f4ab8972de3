"""An interpreter of the filters of seccomp(2), which are programs in classic BPF."""

import struct

from pytest_ftc.builds.launcher.cpu_abi import this_processor

ASK, ALLOW, FAIL = 0x7FC00000, 0x7FFF0000, 0x00050000
PROCESSOR = this_processor()
CALLS = PROCESSOR.calls


def run(program: bytes, number: int, arguments: list[int], processor: int = PROCESSOR.audit) -> int:
    """Return what the classic BPF `program` returns for a system call, see <linux/seccomp.h>."""
    data = struct.pack("=IIQ6Q", number, processor, 0, *arguments)
    instructions = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, yes, no, value = instructions[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x05:
            at += value
        elif code == 0x15:
            at += yes if accumulator == value else no
        elif code == 0x45:
            at += yes if accumulator & value else no
        else:
            assert code == 0x06
            return value
