"""The program that runs on workers, as a zip: always the same bytes for the same version of the package."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest_ftc

_PARTS = (
    "__init__.py",
    "builds/*.py",
    *(f"builds/inputs/{name}.py" for name in ("__init__", "host", "named_files", "toolchain")),
    "builds/launcher/**/*.py",
    "model/**/*.py",
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAIN = """\
import sys
if sys.version_info < (3, 10):
    sys.exit("pytest-ftc needs Python 3.10 or later on the worker, found %d.%d" % sys.version_info[:2])
# Unpacked, because the launcher imports modules when its root no longer shows the zip; it shows this folder again.
import os, zipfile
folder = os.path.abspath("program")
zipfile.ZipFile(sys.path[0]).extractall(folder)
sys.path[0] = folder
from pytest_ftc.builds.worker import main
sys.exit(main())
"""


@cache
def pack_program() -> bytes:
    """Return the zip, which ``python3 -I -S`` runs."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in (("__main__.py", _MAIN.encode()), *_modules()):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return data.getvalue()


def _modules() -> Iterator[tuple[str, bytes]]:
    package = Path(pytest_ftc.__file__).parent
    for path in sorted({path for part in _PARTS for path in package.glob(part)}):
        yield str(path.relative_to(package.parent)), path.read_bytes()
