"""The program that runs on workers, as a zip: always the same bytes for the same version of the package.

Farms give workers contents that they have not verified, so what starts it is in the command, and verifies the zip.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest_ftc
from pytest_ftc.builds.worker_request import PROGRAM

_PARTS = (
    "__init__.py",
    "builds/*.py",
    *(f"builds/inputs/{name}.py" for name in ("__init__", "host", "named_files", "toolchain")),
    "builds/launcher/**/*.py",
    "builds/launching/*.py",
    "builds/survey/*.py",
    "model/**/*.py",
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
START = f"""\
import sys
if sys.version_info < (3, 10):
    sys.exit("pytest-ftc needs Python 3.10 or later on the worker, found %d.%d" % sys.version_info[:2])
import hashlib, io, os, zipfile
with open("{PROGRAM}", "rb") as file:
    data = file.read()
if hashlib.sha256(data).hexdigest() != sys.argv[1]:
    sys.exit("the farm gave the worker another '{PROGRAM}' than it was sent")
# Unpacked, because the launcher imports modules when its root no longer shows the zip; it shows this folder again.
folder = os.path.abspath("program")
zipfile.ZipFile(io.BytesIO(data)).extractall(folder)
sys.path.insert(0, folder)
from pytest_ftc.builds.worker import main
sys.exit(main(sys.argv[2]))
"""
"""What ``python3 -I -S -c`` runs on the worker; its arguments are the sha256 of the zip and that of the request."""


@cache
def pack_program() -> bytes:
    """Return the zip, which `START` runs."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in _modules():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return data.getvalue()


def _modules() -> Iterator[tuple[str, bytes]]:
    package = Path(pytest_ftc.__file__).parent
    for path in sorted({path for part in _PARTS for path in package.glob(part)}):
        yield str(path.relative_to(package.parent)), path.read_bytes()
