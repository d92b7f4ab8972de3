"""Programs of macOS by section; the files are written by hand, as mach-o/loader.h says."""

import struct

import pytest

from pytest_ftc.comparison.members.engine import FOLLOWS

X86_64, ARM64 = 0x1000007, 0x100000C


class Program:
    """Load commands, and what they point to."""

    def __init__(self, machine=X86_64, wide=True, order="<"):
        self.machine, self.wide, self.order = machine, wide, order
        self.commands, self.body = [], b""

    def pack(self, layout, *values):
        return struct.pack(self.order + layout, *values)

    def put(self, content):
        self.body += content
        return 4096 + len(self.body) - len(content)

    def add(self, kind, data):
        data += bytes(-len(data) % 8)
        self.commands.append(self.pack("II", kind, 8 + len(data)) + data)

    def add_segment(self, *sections):
        made = b""
        for segment, section, content, flags in sections:
            names = section.encode().ljust(16, b"\0") + segment.encode().ljust(16, b"\0")
            start = 0 if flags == 1 else self.put(content)
            if self.wide:
                made += names + self.pack("QQIIIIIIII", 0, len(content), start, 0, 0, 0, flags, 0, 0, 0)
            else:
                made += names + self.pack("IIIIIIIII", 0, len(content), start, 0, 0, 0, flags, 0, 0)
        sizes = (0, 0, 0, 0, 7, 7, len(sections), 0)
        self.add(
            0x19 if self.wide else 1, bytes(16) + self.pack("QQQQIIII" if self.wide else "IIIIIIII", *sizes) + made
        )

    def add_symbols(self, *symbols):
        table, texts = b"", b"\0"
        for name, kind, value in symbols:
            table += self.pack("IBBHQ" if self.wide else "IBBHI", len(texts), kind, 0, 0, value)
            texts += name.encode() + b"\0"
        self.add(2, self.pack("IIII", self.put(table), len(symbols), self.put(texts), len(texts)))

    def data(self):
        commands = b"".join(self.commands)
        head = self.pack(
            "IIIIIII", 0xFEEDFACF if self.wide else 0xFEEDFACE, self.machine, 3, 6, len(self.commands), len(commands), 0
        )
        return (head + bytes(4 * self.wide) + commands).ljust(4096, b"\0") + self.body


def program(number, **form):
    made = Program(**form)
    made.add_segment(
        ("__TEXT", "__text", b"code", 0),
        ("__TEXT", "__cstring", b"one\0built %d\0" % number, 2),
        ("__DATA", "__bss", b"x" * 100_000, 1),
    )
    name = b"lib.dylib\0"
    made.add(0xD, made.pack("IIII", 24, 1_600_000_000 + number, 1, 1) + name)
    made.add(0x8000001C, made.pack("I", 12) + b"/rpath/%d\0" % number)
    made.add(0x1B, bytes([number]) * 16)
    made.add_symbols(("_main", 0xF, 5), (f"/one/{number}/main.o", 0x66, 1_700_000_000 + number))
    made.add(0x1D, made.pack("II", made.put(b"signed %d" % number), 8))
    return made.data()


EXPECTED = [
    ("mtime", "Mach-O LC_ID_DYLIB timestamp", ""),
    ("header", "Mach-O LC_RPATH", ""),
    ("mtime", "Mach-O time of the object main.o", ""),
    ("content", "Mach-O section __TEXT,__cstring, string 2", ""),
    ("content", "Mach-O string table, string 3", ""),
    ("content", "Mach-O code signature, line 1", FOLLOWS),
    ("header", "Mach-O LC_UUID", FOLLOWS),
]


def look(found):
    return [(leaf.field.value, leaf.location, leaf.note) for leaf in found.leaves]


@pytest.mark.parametrize("form", [{}, {"wide": False}, {"order": ">", "wide": False}], ids=["64", "32", "big-endian"])
def test_sections_times_and_identifiers_have_names(compare, form):
    found = compare(program(1, **form), program(2, **form))
    assert look(found) == EXPECTED
    assert (found.leaves[2].control, found.leaves[2].experiment) == (b"1700000001", b"1700000002")
    assert not found.cut


def test_a_uuid_alone_follows_from_nothing(compare):
    one, other = Program(), Program()
    for made, byte in ((one, b"a"), (other, b"b")):
        made.add(0x1B, byte * 16)
    assert look(compare(one.data(), other.data())) == [("header", "Mach-O LC_UUID", "")]


@pytest.mark.parametrize("wide", [False, True])
def test_a_universal_file_by_architecture(compare, wide):
    def fat(number):
        parts = [program(1), program(number, machine=ARM64)]
        head = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, 2)
        start, body = 4096, b""
        for machine, part in zip((X86_64, ARM64), parts, strict=True):
            values = (machine, 0, start + len(body), len(part), 12)
            head += struct.pack(">IIQQII", *values, 0) if wide else struct.pack(">IIIII", *values)
            body += part
        return head.ljust(4096, b"\0") + body

    found = look(compare(fat(1), fat(2)))
    assert found == [(field, f"architecture arm64, {location}", note) for field, location, note in EXPECTED]


@pytest.mark.parametrize(
    "command",
    [b"\x19\0\0\0\4\0\0\0", b"\x19\0\0\0\xff\xff\xff\x7f" + b"\xff" * 90, b"\2\0\0\0\x18\0\0\0" + b"\xff" * 16],
)
def test_a_damaged_program_is_compared_by_bytes(compare, command):
    head = struct.pack("<IIIIIII", 0xFEEDFACF, X86_64, 3, 6, 1, len(command), 0) + bytes(4) + command
    found = compare(head + b"1", head + b"2")
    assert found.leaves[0].location.startswith("byte 0x") and "not examined" in found.leaves[0].note
