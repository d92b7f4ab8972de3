"""Secrets of builds: searched for in all that a build left, and masked in all that is told of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_ftc.comparators import find_bytes
from pytest_ftc.model import BuildResult, Verification
from pytest_ftc.model.serial import from_json, to_json
from pytest_ftc.planning.secrets import Secrets


def keep_secret(verification: Verification, secrets: Secrets) -> Verification:
    """Return `verification` with what leaked, and without the values themselves; logs and diffs are masked too."""
    leaks = tuple(dict.fromkeys(_find_leaks(verification.builds, secrets)))
    paths = [*(build.log for build in verification.builds), *(one.diff for one in verification.differences)]
    for path in dict.fromkeys(filter(None, paths)):
        _mask_file(Path(path), secrets)
    masked = from_json(Verification, _mask(to_json(verification), secrets))
    return replace(masked, leaks=leaks)


def _find_leaks(builds: Iterable[BuildResult], secrets: Secrets) -> Iterator[str]:
    wanted = {spelling.data: f"{spelling.secret} ({spelling.encoding})" for spelling in reversed(secrets.spellings)}
    searched = set()
    for build in builds:
        for output in build.outputs:
            for spelling in secrets.spellings:
                if spelling.data in output.target.encode("utf-8", "surrogateescape"):
                    yield f"{wanted[spelling.data]} stands in the link {output.path}"
            if output.sha256 and output.sha256 not in searched:
                searched.add(output.sha256)
                with contextlib.suppress(OSError):
                    for member, what in find_bytes(Path(build.blobs, output.sha256), wanted):
                        place = f"{output.path} › {member}" if member else output.path
                        yield secrets.mask(f"{what} stands in {place}")
        if build.log:
            with contextlib.suppress(OSError):
                for _, what in find_bytes(Path(build.log), wanted):
                    yield f"{what} stands in the log of the {build.role.value} build"


def _mask_file(path: Path, secrets: Secrets) -> None:
    """Rewrite a file line by line; it is removed if that fails, rather than left as it is."""
    part = path.with_name(f"{path.name}.masked")
    try:
        with open(path, "rb") as lines, open(part, "wb") as masked:
            masked.writelines(map(secrets.mask_bytes, lines))
        os.replace(part, path)  # noqa: PTH105
    except FileNotFoundError:
        return
    except OSError:
        for file in (part, path):
            file.unlink(missing_ok=True)


def _mask(value: Any, secrets: Secrets) -> Any:
    if isinstance(value, str):
        return secrets.mask(value)
    if isinstance(value, dict):
        return {secrets.mask(key): _mask(item, secrets) for key, item in value.items()}
    return [_mask(item, secrets) for item in value] if isinstance(value, list) else value
