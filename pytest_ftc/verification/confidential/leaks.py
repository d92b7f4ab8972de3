"""Searching the outputs and logs of builds for secrets."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from glob import escape
from pathlib import Path

from pytest_ftc.builds.inputs.secrets import Secrets
from pytest_ftc.builds.inputs.spellings import Spelling
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.search import seek
from pytest_ftc.model import BuildResult, Output
from pytest_ftc.model.support.readings import read_all, texts_in

_LONGEST_FORM = 20
"""Bytes of a hex dump for each byte of a secret, including offsets and the character column."""
_SPARE = 4096
_DECOMPRESSED = 1 << 29
"""Most bytes to decompress in one output."""


class LeakSearch:
    """Searches the results of builds for secrets, and records the leaks and the outputs that must not be shown."""

    def __init__(self, secrets: Secrets, seconds: float) -> None:
        self._seconds = seconds
        self._end = 0.0
        self._seeker = SecretSeeker(secrets.spellings)
        self._searched: dict[str, bool] = {}
        self.leaks: dict[str, None] = {}
        """One sentence for each secret and place."""
        self.not_searched: dict[str, None] = {}
        self.hidden: set[str] = set()
        """Paths of outputs that contain a secret, or could not be searched completely."""

    def search(self, build: BuildResult) -> None:
        """Search the outputs and logs of `build`, for as long as a build may take."""
        self._end = time.monotonic() + self._seconds
        for log in logs_of(build):
            name = f"the log of the {build.role.value} build"
            found, _ = self._search_file(log, name)
            list(self._note(f"{what} appears in {name}" for _, what in found))
        for output in build.outputs:
            in_names = list(self._note(self._find_in_names(output)))
            if self._is_hidden(build, output) or in_names:
                self.hidden.add(output.path)

    def _is_hidden(self, build: BuildResult, output: Output) -> bool:
        if not output.sha256:
            return False
        if output.sha256 not in self._searched:
            found, whole = self._search_file(Path(build.blobs, output.sha256), output.path)
            places = ((f"{output.path} › {member}" if member else output.path, what) for member, what in found)
            leaks = list(self._note(f"{what} appears in {place}" for place, what in places))
            self._searched[output.sha256] = bool(leaks) or not whole
        return self._searched[output.sha256]

    def _note(self, sentences: Iterable[str]) -> Iterator[str]:
        for sentence in sentences:
            self.leaks[sentence] = None
            yield sentence

    def _find_in_names(self, output: Output) -> Iterator[str]:
        folder = set(self._seeker.find(os.fsencode(output.path.rpartition("/")[0]), None))
        for what in self._seeker.find(os.fsencode(output.path), None):
            # A secret in the name of a folder is reported for the folder itself, if that is an output.
            if what not in folder:
                yield f"{what} appears in the name of {output.path}"
            else:
                self.hidden.add(output.path)
        for what in self._seeker.find(os.fsencode(output.target), None):
            yield f"{what} appears in the link {output.path}"

    def _search_file(self, path: Path, name: str) -> tuple[Sequence[tuple[str, str]], bool]:
        """Return the places that contain secrets, and whether the whole file was searched."""
        try:
            limits = Limits(decompressed=_DECOMPRESSED, seconds=max(0.0, self._end - time.monotonic()))
            found = seek(path, self._seeker, name, Budget(limits))
        except FileNotFoundError:
            return (), True
        except OSError as error:
            self.not_searched[f"{name}: {error.strerror}"] = None
            return (), False
        self.not_searched.update(dict.fromkeys(f"{name}: {sentence}" for sentence in found.not_searched))
        return found.places, not found.not_searched


class SecretSeeker:
    """Finds secrets in bytes, even if they are escaped, broken across lines, or in a hex dump."""

    def __init__(self, spellings: Sequence[Spelling]) -> None:
        self._wanted = {one.data: one for one in reversed(spellings)}
        values = [len(one.data) for one in spellings if one.plain]
        longest = max((len(one.data) for one in spellings), default=0)
        self.overlap = max(longest, _LONGEST_FORM * max(values, default=0)) + _SPARE

    def find(self, data: bytes, among: Collection[str] | None) -> Iterable[str]:
        """See `pytest_ftc.comparison.search.Seeker`."""
        found = {_describe(one): one.secret for one in self._wanted.values() if one.data in data}
        left = [one for one in self._wanted.values() if one.secret not in found.values()]
        if left and (among is None or not set(among) <= found.keys()):
            for reading, read in read_all(texts_in(data)):
                for one in left:
                    if (not one.plain or len(one.data) >= reading.shortest) and one.data in read:
                        found.setdefault(_describe(one, reading.name), one.secret)
        return [what for what in found if among is None or what in among]


def _describe(spelling: Spelling, reading: str = "") -> str:
    return f"{spelling.secret} ({', '.join(filter(None, (spelling.encoding, reading)))})"


def logs_of(build: BuildResult) -> list[Path]:
    """Return the logs of all attempts at `build`."""
    if not build.log:
        return []
    last = Path(build.log)
    first = last.with_name(f"{build.id}.log")
    return [*dict.fromkeys([first, *sorted(last.parent.glob(f"{escape(build.id)}-attempt-*.log")), last])]
