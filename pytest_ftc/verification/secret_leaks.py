"""Secrets of builds: searched for in all that a build left, and masked in all that is told of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import Any

from pytest_ftc.builds.inputs.secrets import Secrets
from pytest_ftc.comparison.search import find_bytes
from pytest_ftc.model import BuildResult, Output, Verification
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.verification.not_searched import summarize

_CHUNK = 16 << 20
"""Bytes of a log that are masked at a time."""


def mask_secrets(verification: Verification, secrets: Secrets, logs: Path | None = None) -> Verification:
    """Return `verification` with what leaked, and without the values themselves; logs and diffs are masked too.

    The masked logs are put into the folder `logs`, or take the place of the others.
    """
    search = _Search(secrets)
    leaks = tuple(dict.fromkeys(map(secrets.mask, search.find_leaks(verification.builds))))
    notes = summarize("not searched for secrets", list(dict.fromkeys(map(secrets.mask, search.not_searched))))
    builds = tuple(mask_build(build, secrets, logs) for build in verification.builds)
    for path in dict.fromkeys(filter(None, (one.diff for one in verification.differences))):
        _mask_file(Path(path), Path(path).with_name(secrets.mask(Path(path).name)), secrets)
    masked = from_json(Verification, _mask(to_json(replace(verification, builds=builds)), secrets))
    return replace(masked, leaks=leaks, notes=tuple(dict.fromkeys((*masked.notes, *notes))))


def mask_build(build: BuildResult, secrets: Secrets, logs: Path | None) -> BuildResult:
    """Return `build` with its logs masked, those of earlier attempts too, and put into the folder `logs`, if given."""
    for path in _logs_of(build):
        _mask_file(path, (logs or path.parent) / path.name, secrets)
    log = str((logs or Path(build.log).parent) / Path(build.log).name) if build.log else ""
    return replace(build, log=log, log_tail=secrets.mask(build.log_tail))


def _logs_of(build: BuildResult) -> list[Path]:
    """Return the logs of all attempts at `build`."""
    if not build.log:
        return []
    last = Path(build.log)
    first = last.with_name(f"{build.id}.log")
    return [*dict.fromkeys([first, *sorted(last.parent.glob(f"{escape(build.id)}-attempt-*.log")), last])]


class _Search:
    """Looks for secrets in what builds left, and keeps what it could not search."""

    def __init__(self, secrets: Secrets) -> None:
        self._wanted = {one.data: f"{one.secret} ({one.encoding})" for one in reversed(secrets.spellings)}
        self.not_searched: list[str] = []

    def find_leaks(self, builds: Iterable[BuildResult]) -> Iterator[str]:
        """Yield one sentence for each secret and place."""
        searched = set()
        for build in builds:
            for output in build.outputs:
                yield from self._search_names(output)
                if output.sha256 and output.sha256 not in searched:
                    searched.add(output.sha256)
                    for member, what in self._search_file(Path(build.blobs, output.sha256), output.path):
                        place = f"{output.path} › {member}" if member else output.path
                        yield f"{what} stands in {place}"
            for log in _logs_of(build):
                for _, what in self._search_file(log, f"the log of the {build.role.value} build"):
                    yield f"{what} stands in the log of the {build.role.value} build"

    def _search_names(self, output: Output) -> Iterator[str]:
        for data, what in self._wanted.items():
            if data in os.fsencode(output.path.rpartition("/")[2]):
                yield f"{what} stands in the name of {output.path}"
            if data in os.fsencode(output.target):
                yield f"{what} stands in the link {output.path}"

    def _search_file(self, path: Path, name: str) -> Iterable[tuple[str, str]]:
        try:
            found = find_bytes(path, self._wanted, name)
        except FileNotFoundError:
            return ()
        except OSError as error:
            self.not_searched.append(f"{name}: {error.strerror}")
            return ()
        self.not_searched += (f"{name}: {sentence}" for sentence in found.not_searched)
        return found.places


def _mask_file(path: Path, target: Path, secrets: Secrets) -> None:
    """Move a file to `target` without the values; it is removed if that fails, rather than left as it is."""
    part = target.with_name(f"{target.name}.masked")
    held = max((len(spelling.data) for spelling in secrets.spellings), default=1)
    try:
        with open(path, "rb") as file, open(part, "wb") as masked:
            rest = b""
            while data := file.read(_CHUNK):
                # What stands across two chunks is seen with the second.
                rest = secrets.mask_bytes(rest + data)
                masked.write(rest[:-held])
                rest = rest[-held:]
            masked.write(rest)
        os.replace(part, target)  # noqa: PTH105
        if target != path:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return
    except OSError:
        for left in (part, path):
            left.unlink(missing_ok=True)


def _mask(value: Any, secrets: Secrets) -> Any:
    if isinstance(value, str):
        return secrets.mask(value)
    if isinstance(value, dict):
        return {secrets.mask(key): _mask(item, secrets) for key, item in value.items()}
    return [_mask(item, secrets) for item in value] if isinstance(value, list) else value
