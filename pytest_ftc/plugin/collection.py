"""What a session has collected: whether an artifact of the baseline still exists."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class Collected:
    """What a session has collected, to tell an artifact that is gone from one that was not asked for."""

    def __init__(self, root: Path, artifacts: Iterable[str]) -> None:
        self._root = root
        self._artifacts = frozenset(artifacts)
        self._tests: frozenset[str] = frozenset()
        self.is_whole = True
        """Whether all tests of each file that was collected are known."""

    def note(self, tests: Iterable[str], *, whole: bool) -> None:
        """Take note of the node ids of `tests` that were collected; `whole` if none was asked for by name."""
        self._tests = frozenset(tests)
        self.is_whole = self.is_whole and whole

    def has(self, artifact: str) -> bool:
        """Return whether an artifact with this id is there, or may be."""
        file, _, rest = artifact.partition("::")
        if rest.startswith("ftc::") and file in ("ftc.toml", "pyproject.toml", "setup.py"):
            return artifact in self._artifacts
        if not (self._root / file).exists():
            return False
        test = artifact if artifact in self._tests else artifact.rpartition(" (")[0]
        others = any(nodeid.startswith(f"{file}::") for nodeid in self._tests)
        return test in self._tests or not (self.is_whole and others)
