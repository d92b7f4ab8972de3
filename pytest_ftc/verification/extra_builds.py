"""Further experiments of an artifact that builds quickly, each with other values of every variation.

Two builds whose output depends on chance agree by luck: where it has two values, half of the time.  With seven builds
that happens in one of 64 cases.  The time between the first two builds is idle, so that most of these cost none.
"""

from __future__ import annotations

import posixpath
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pytest_ftc.builds.staggered import REAL_GAP
from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import Action, BuildResult, BuildStatus, Metadata, Program
from pytest_ftc.model.protocols import Executor

MOST_BUILDS = 7
"""Of an artifact, the control included."""

_SET_UP = 0.15
"""Seconds, about, that a build takes besides its command."""

_WANTED_BY_CHANCE = ((1.0, MOST_BUILDS - 2), (3.0, 3))
"""Up to how many seconds of one build this many further ones are wanted where chance may decide."""

_WANTED_ALWAYS = 1.0, 1
"""The same for all builds: the umasks of two experiments reach every permission bit, that of one does not."""

_TAKES_CHANCES = re.compile(
    r"(bash|bun|busybox|clisp|date|deno|elixir|erl|gawk|ghc|go|guile|java\w*|julia|lua\w*|mawk|mktemp|node|openssl|perl[\d.]*|"
    r"php[\d.]*|pypy[\d.]*|python[\d.]*|racket|Rscript|ruby[\d.]*|scala|shuf|tclsh[\d.]*|uuidgen|zsh)"
)
"""Programs whose sets or tables have an order of their own in each process, or which easily yield numbers by chance."""

_SYSTEM = ("/bin/", "/lib", "/nix/store/", "/sbin/", "/usr/")
"""Of programs elsewhere, such as those that the build has just compiled, nothing is known."""

_RANDOM_FILES = ("/dev/random", "/dev/urandom", "/proc/sys/kernel/random/")


def may_be_chance(control: BuildResult) -> bool:
    """Return whether a program ran whose output may differ by chance; also where the build was not traced."""
    trace = control.trace
    if trace is None:
        return True
    if any(path.startswith(_RANDOM_FILES) for _, path in trace.read):
        return True
    return any(
        not program.program.startswith(_SYSTEM)
        or _TAKES_CHANCES.fullmatch(posixpath.basename(program.program))
        or _shuffles(program)
        for program in trace.programs
    )


def _shuffles(program: Program) -> bool:
    """Return whether it is a sort(1) in random order."""
    options = [word for word in program.argv[1:] if word.startswith("-")]
    shuffles = any("R" in word if not word.startswith("--") else word.startswith("--random") for word in options)
    return posixpath.basename(program.program) == "sort" and shuffles


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraBuildOptions:
    """When further experiments are run."""

    metadata: Metadata
    """What of the outputs is compared."""
    workers: int
    """How many of them run at a time."""
    is_idle: Callable[[], bool]
    """Returns whether CPUs are free."""


class ExtraBuilds:
    """Runs as many of `actions` as are worth their time, once the control has ended."""

    def __init__(self, executor: Executor, actions: Sequence[Action], options: ExtraBuildOptions) -> None:
        self._executor = executor
        self._actions = actions
        self._options = options
        self._lock = threading.Lock()
        self._begun = 0
        self._enough = False
        self._results: dict[int, BuildResult] = {}

    @property
    def results(self) -> tuple[BuildResult, ...]:
        """Those of the first actions, up to one that did not run or was lost."""
        found = []
        for index in range(len(self._actions)):
            result = self._results.get(index)
            if result is None or result.status is BuildStatus.LOST:
                break
            found.append(result)
        return tuple(found)

    def run(self, control: BuildResult) -> None:
        """Run further experiments until they are enough, or one of them has shown what they could."""
        if not self._actions:
            return
        end = time.monotonic() + REAL_GAP
        wanted = self._wanted(control)

        def work() -> None:
            while (index := self._take(control, wanted, end)) is not None:
                result = self._executor.run(self._actions[index], lambda _: None)
                with self._lock:
                    self._results[index] = result
                    self._enough |= self._tells(control, result)

        with ThreadPoolExecutor(self._options.workers, thread_name_prefix="ftc-extra") as pool:
            for future in [pool.submit(work) for _ in range(self._options.workers)]:
                future.result()

    def _wanted(self, control: BuildResult) -> int:
        """Return how many are run even where they take time of their own."""
        wanted = (*_WANTED_BY_CHANCE, _WANTED_ALWAYS) if may_be_chance(control) else (_WANTED_ALWAYS,)
        return next((count for seconds, count in wanted if control.seconds <= seconds), 0)

    def _take(self, control: BuildResult, wanted: int, end: float) -> int | None:
        """Return the index of the next build to run; None when no more are to be."""
        with self._lock:
            if self._enough or self._begun == len(self._actions):
                return None
            fits = time.monotonic() + control.seconds + _SET_UP <= end and self._options.is_idle()
            if self._begun >= wanted and not fits:
                return None
            self._begun += 1
            return self._begun - 1

    def _tells(self, control: BuildResult, result: BuildResult) -> bool:
        if result.status is not BuildStatus.OK:
            return True
        return bool(compare_manifests(control.outputs, result.outputs, self._options.metadata))
