"""Whether the artifacts of a baseline still exist."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class Collected:
    """What a session has collected; it distinguishes removed artifacts from those that were not selected."""

    def __init__(self, root: Path, artifacts: Iterable[str]) -> None:
        self._root = root
        self._artifacts = frozenset(artifacts)
        self._tests: frozenset[str] = frozenset()
        self.is_whole = True
        """Whether every test of each collected file is known."""

    def note(self, tests: Iterable[str], *, whole: bool) -> None:
        """Record the node ids of collected `tests`; `whole` if none was selected by name."""
        self._tests = frozenset(tests)
        self.is_whole = self.is_whole and whole

    def has(self, artifact: str) -> bool:
        """Return whether an artifact with this id exists or may exist."""
        file, _, rest = artifact.partition("::")
        if rest.startswith("ftc::") and file.rpartition("/")[2] in ("ftc.toml", "pyproject.toml", "setup.py"):
            return artifact in self._artifacts
        if not (self._root / file).exists():
            return False
        test = artifact if artifact in self._tests else artifact.rpartition(" (")[0]
        others = any(nodeid.startswith(f"{file}::") for nodeid in self._tests)
        return test in self._tests or not (self.is_whole and others)
