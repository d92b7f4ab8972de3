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


BEFORE, AFTER = b"from/ab 12\0\xff", b" and~so on"

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
    "a list": lambda value: json.dumps(list(value)).encode(),
    "lines": lambda value: value[:5] + b'\\\n    "' + value[5:],
    "xxd": _run("xxd"),
    "xxd -i": _run("xxd", "-i"),
    "xxd -p": _run("xxd", "-p", "-c", "7"),
    "hexdump -C": lambda value: _run("hexdump", "-C")(BEFORE + value + AFTER),
    "od -tx1": lambda value: _run("od", "-tx1")(BEFORE + value + AFTER),
    "od -tx1z": lambda value: _run("od", "-tx1z")(BEFORE + value + AFTER),
    "od -c": lambda value: _run("od", "-c")(BEFORE + value + AFTER),
    "od -b": lambda value: _run("od", "-b")(BEFORE + value + AFTER),
    "od -x": lambda value: _run("od", "-x")(BEFORE + value + AFTER),
    "od -tu1": lambda value: _run("od", "-tu1")(BEFORE + value + AFTER),
}
