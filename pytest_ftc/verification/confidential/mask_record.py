"""Masking secrets in the record of a verification and in its files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from pytest_ftc.builds.inputs.secrets import Secrets
from pytest_ftc.model import BuildResult, Difference, Evidence, Finding, Verification
from pytest_ftc.model.support.atomic_file import replacement
from pytest_ftc.verification.confidential.leaks import logs_of

NOT_SHOWN = "not shown: the output contains a secret, or could not be searched for secrets"

_CHUNK = 4 << 20
"""Bytes of a log to mask at a time."""
_HELD = 1 << 18
"""Bytes at the end of a chunk that are masked again with the next one: a secret may cross the border."""
_OURS = {"id", "name", "sha256", "blobs", "log", "diff", "recipe", "verdict", "cause", "variation", "varied", "role"}
_OURS |= {"status", "type", "mode", "requirements", "kept"}
"""Fields with our own values, never shortened: only whole secrets are masked in them, since parts occur by chance."""


def mask_build(build: BuildResult, secrets: Secrets, logs: Path | None) -> BuildResult:
    """Return `build` with its logs (also of earlier attempts) masked, and moved to the folder `logs`, if given."""
    for path in logs_of(build):
        mask_file(path, (logs or path.parent) / path.name, secrets)
    log = str((logs or Path(build.log).parent) / Path(build.log).name) if build.log else ""
    return replace(build, log=log, log_tail=secrets.mask(build.log_tail))


def mask_record(verification: Verification, secrets: Secrets, hidden: Collection[str]) -> Verification:
    """Return `verification` without the values of secrets, and without any value from `hidden` outputs."""
    shown = replace(
        verification,
        findings=tuple(_hide_finding(one) if one.output in hidden else one for one in verification.findings),
        differences=tuple(_hide(one) if one.output in hidden else one for one in verification.differences),
    )
    masked: Verification = _mask(shown, secrets)
    return masked


def _hide_finding(finding: Finding) -> Finding:
    return replace(finding, evidence=Evidence(control="", experiment=""), why=NOT_SHOWN)


def _hide(difference: Difference) -> Difference:
    return replace(difference, evidence=None, diff="", numbers="", note=NOT_SHOWN)


def mask_file(path: Path, target: Path, secrets: Secrets) -> bool:
    """Move a file to `target` with its secrets masked, and return whether that succeeded.

    If it fails, the file is removed.
    """
    try:
        with open(path, "rb") as file, replacement(target, durable=False) as masked:
            rest = b""
            while data := file.read(_CHUNK):
                rest += data
                # A value that is not complete yet would be masked in part, and not recognised in the next chunk.
                held = _begun(rest, secrets)
                rest = secrets.mask_bytes(rest[: len(rest) - held]) + rest[len(rest) - held :]
                # Read whole lines, if there are any: the lines of a hex dump start with an offset.
                end = max(0, len(rest) - _HELD)
                end = rest.rfind(b"\n", 0, end) + 1 or end
                masked.write(rest[:end])
                rest = rest[end:]
            masked.write(secrets.mask_bytes(rest))
    except FileNotFoundError:
        return False
    except OSError:
        path.unlink(missing_ok=True)
        return False
    if target != path:
        path.unlink(missing_ok=True)
    return True


def _begun(data: bytes, secrets: Secrets) -> int:
    """Return how many bytes at the end of `data` may be the beginning of a value."""
    return max(
        (
            size
            for spelling in secrets.spellings
            for size in range(1, min(len(spelling.data), len(data) + 1))
            if data.endswith(spelling.data[:size])
        ),
        default=0,
    )


def _mask(value: Any, secrets: Secrets, *, ours: bool = False) -> Any:
    """Return `value`, a part of a record, masked; in `ours`, only whole secrets are masked."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return secrets.mask_whole(value) if ours else secrets.mask(value)
    if isinstance(value, bytes):
        return secrets.mask_bytes(value)
    if is_dataclass(value) and not isinstance(value, type):
        values = {
            one.name: _mask(getattr(value, one.name), secrets, ours=ours or one.name in _OURS) for one in fields(value)
        }
        return replace(value, **values)
    if isinstance(value, Mapping):
        return {secrets.mask_whole(key): _mask(item, secrets, ours=ours) for key, item in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return type(value)(_mask(item, secrets, ours=ours) for item in value)
    return value
