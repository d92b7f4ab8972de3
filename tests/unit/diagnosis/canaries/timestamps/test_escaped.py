"""Binary times in the escapes of a literal, and in lists of bytes."""

import struct
from dataclasses import replace

import pytest
from planted import CONTROL, EXPERIMENT, LATER, NOW

from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.model import Field, Place

ONE, OTHER = NOW + 5, LATER + 4
PACKED = {
    "milliseconds": lambda seconds: struct.pack(">Q", seconds * 1000),
    "seconds": lambda seconds: b"id" + struct.pack("<I", seconds) + b"tail",
}
FORMS = {
    "hexadecimal escapes": lambda data: 'data = b"' + "".join(f"\\x{byte:02x}" for byte in data) + '"',
    "the literal of Python": lambda data: f"data = b{data!r}\\\n",
    "octal escapes": lambda data: '"' + "".join(f"\\{byte:03o}" for byte in data) + '"',
    "xxd -i": lambda data: "  " + ", ".join(f"0x{byte:02x}" for byte in data) + "\n};\n",
    "numbers": lambda data: "d[] = {" + ",".join(map(str, data)) + "};",
}


def find(one, other):
    leaf = Place(field=Field.CONTENT, location="line 1", control=one.encode(), experiment=other.encode())
    varied = replace(EXPERIMENT, utc_offset=0)
    return [found for found in suspect(leaf, CONTROL, varied) if found.cause == "time"]


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_evidence_is_the_time_in_words(form, pack):
    (found,) = find(form(pack(ONE)), form(pack(OTHER)))
    assert (found.control, found.experiment) == ("2026-11-23 22:40:05 UTC", "2027-12-27 19:53:04 UTC")
    assert found.why.startswith("each time lies between the start and end of its build (")


def test_a_literal_over_two_lines():
    texts = ['"' + "".join(f"\\x{byte:02x}" for byte in struct.pack(">I", seconds)) + '"' for seconds in (ONE, OTHER)]
    assert find(*(text[:9] + "\\\n" + text[9:] for text in texts))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\x41\\x42\\x43\\x44", "\\x41\\x42\\x43\\x45"),
        ("1, 2, 3, 4, 5, 6", "1, 2, 3, 4, 5, 7"),
        ("300, 301, 302, 303", "300, 301, 302, 304"),
        ("\\x", "\\x4"),
        ("C:\\new\\table", "C:\\new\\tables"),
    ],
)
def test_other_escapes_and_numbers_are_no_times(one, other):
    assert find(one, other) == []
