"""Forms in which programs write what they were given."""

from __future__ import annotations

import base64
import json
import quopri
import subprocess
import textwrap
from collections.abc import Callable, Mapping
from urllib.parse import quote


def _run(*command: str) -> Callable[[bytes], bytes]:
    def dump(data: bytes) -> bytes:
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    return dump


def _wrapped(data: bytes, width: int) -> bytes:
    return "\n".join(textwrap.wrap(base64.b64encode(data).decode(), width)).encode()


def _fours(value: bytes) -> range:
    return range(0, len(value), 4)


BEFORE, AFTER = b"from/ab 12\0\xff", b" and~so on"
DUMPS = [
    ["xxd"],
    ["xxd", "-i"],
    ["xxd", "-p", "-c", "7"],
    ["xxd", "-e"],
    ["xxd", "-b"],
    ["hexdump", "-C"],
    ["od", "-tx1"],
    ["od", "-tx1z"],
    ["od", "-c"],
    ["od", "-b"],
    ["od", "-x"],
    ["od", "-tu1"],
    ["od", "-An", "-tx2"],
    ["od", "-tx4", "-v"],
    ["od"],
]
_KINDS = ("x1", "x1z", "x2", "x2z", "x4", "x4z", "x8", "o1", "o2", "u1", "c")
MORE_DUMPS = [
    *(["xxd", *mode, "-g", str(size)] for mode in ([], ["-e"]) for size in (1, 2, 4, 8)),
    ["xxd", "-g", "0"],
    *(["xxd", "-b", "-g", str(size)] for size in (0, 1, 2)),
    ["xxd", "-b", "-c", "1"],
    *(["od", *offsets, f"-t{kind}"] for offsets in ([], ["-An"], ["-v", "-Ax"], ["-Ad"]) for kind in _KINDS),
    *(["hexdump", *option] for option in ([], ["-b"], ["-c"], ["-o"], ["-x"])),
]


def _cut(value: bytes, size: int) -> list[str]:
    text = value.decode()
    return [text[at : at + size] for at in range(0, len(text), size)]


def _dump(*command: str) -> Callable[[bytes], bytes]:
    return lambda value: _run(*command)(BEFORE + value + AFTER)


FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "verbatim": lambda value: BEFORE + value + AFTER,
    "JSON": lambda value: json.dumps({"password": value.decode()}).encode(),
    "JSON in JSON": lambda value: json.dumps(json.dumps([value.decode()])).encode(),
    "JSON with escaped slashes": lambda value: json.dumps(value.decode()).replace("/", "\\/").encode(),
    "Python": lambda value: repr(value).encode(),
    "C escapes": lambda value: b"".join(b"\\x%02x" % byte for byte in value),
    "UTF-16 little-endian": lambda value: value.decode().encode("utf-16-le"),
    "UTF-16 big-endian": lambda value: b"x" + value.decode().encode("utf-16-be"),
    "URL": lambda value: b"https://host/?q=" + quote(value, safe="").encode(),
    "HTML": lambda value: "".join(f"&#{ord(character)};" for character in value.decode()).encode(),
    "HTML without semicolons": lambda value: "".join(f"&#{ord(character)}" for character in value.decode()).encode(),
    "HTML in hexadecimal": lambda value: "".join(f"&#x{ord(character):X}" for character in value.decode()).encode(),
    "quoted-printable": lambda value: quopri.encodestring(b"long " * 13 + value, quotetabs=True),
    "hexadecimal": lambda value: (BEFORE + value).hex().encode(),
    "HEXADECIMAL": lambda value: value.hex().upper().encode(),
    "spaced hexadecimal": lambda value: value.hex(" ").encode(),
    "colons": lambda value: value.hex(":").encode(),
    "base64 wrapped": lambda value: _wrapped(b"user: " * 9 + value + AFTER, 76),
    "base64 narrow": lambda value: _wrapped(b"y" + value + AFTER, 20),
    **{f"base64 at {number}": lambda value, n=number: base64.b64encode(b"x" * n + value) for number in range(3)},
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(b"??>" + value),
    "base32": lambda value: base64.b32encode(b"abc" + value),
    "octal": lambda value: b"".join(b"\\%03o" % byte for byte in value),
    "octal for printf %b": lambda value: b"".join(b"\\0%03o" % byte for byte in value),
    "octal in few digits": lambda value: b"".join(b"\\%o" % byte for byte in value),
    "eight digits": lambda value: "".join(f"\\U{ord(character):08x}" for character in value.decode()).encode(),
    "bits": lambda value: b"".join(b"%s" % f"{byte:08b}".encode() for byte in value),
    "words in C": lambda value: b", ".join(b"0x%s" % value[at : at + 4][::-1].hex().encode() for at in _fours(value)),
    "large words in C": lambda value: b",\n".join(b"0x%s" % value[at : at + 4].hex().encode() for at in _fours(value)),
    "a list": lambda value: json.dumps(list(value)).encode(),
    "lines": lambda value: value[:5] + b'\\\n    "' + value[5:],
    "short lines": lambda value: "\n".join(_cut(value, 3)).encode(),
    "short comments": lambda value: "\n# ".join(_cut(value, 5)).encode(),
    "short strings": lambda value: "'{}'".format("' +\n  '".join(_cut(value, 5))).encode(),
    **{" ".join(command): _dump(*command) for command in DUMPS},
}
"""All of them, by name, with a few dumps of each kind."""
ALL_FORMS = {**FORMS, **{" ".join(command): _dump(*command) for command in MORE_DUMPS}}
"""All of them, with dumps of all kinds."""
