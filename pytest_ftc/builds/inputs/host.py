"""Which machine this is, for provenance: whether two builders are two machines can be seen from it."""

from __future__ import annotations

import hashlib
import hmac
import platform
import re
from pathlib import Path

from pytest_ftc.model.build_inputs import Host

_APPLICATION = b"https://pypi.org/project/pytest-ftc/"
_IMAGE_FIELDS = ("ID", "VERSION_ID", "VARIANT_ID", "BUILD_ID", "IMAGE_ID", "IMAGE_VERSION")
"""Of os-release(5)."""
_MODEL = re.compile(r"^(model name|Model|cpu model)\s*:\s*(?P<name>.+)$", re.MULTILINE)


def describe_host(root: Path = Path("/")) -> Host:
    """Return what this machine is; what cannot be read is empty.

    The machine's id and the id of its boot are confidential: only digests that belong to this application are given,
    as machine-id(5) asks.
    """
    return Host(
        kernel=f"{platform.system()} {platform.release()} {platform.version()}",
        image=_describe_image(),
        cpu=_describe_cpu(_read(root / "proc/cpuinfo")),
        machine=_digest(_read(root / "etc/machine-id"), "machine"),
        boot=_digest(_read(root / "proc/sys/kernel/random/boot_id"), "boot"),
    )


def _describe_image() -> str:
    try:
        fields = platform.freedesktop_os_release()
    except OSError:
        return ""
    return " ".join(fields[name] for name in _IMAGE_FIELDS if fields.get(name))


def _describe_cpu(information: bytes) -> str:
    """Return the machine and the model, as proc_cpuinfo(5) names it: what programs choose instructions by."""
    model = _MODEL.search(information.decode(errors="replace"))
    return " ".join((platform.machine(), *(model["name"].split() if model else ())))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError:
        return b""


def _digest(value: bytes, what: str) -> str:
    # An image that was never booted has the text "uninitialized".
    if len(value) < 32:
        return ""
    return hmac.new(value, _APPLICATION + what.encode(), hashlib.sha256).hexdigest()
