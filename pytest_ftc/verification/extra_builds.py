"""Further experiments for artifacts that build quickly, each with different values of every variation.

Two builds whose output is random may agree by chance: with two possible outputs, half of the time.  With seven builds,
that happens once in 64 cases.  Most further builds run during the gap between the first two, which is idle otherwise.
"""

from __future__ import annotations

import posixpath
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from pytest_ftc.builds.staggered import REAL_GAP
from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import Action, BuildResult, BuildStatus, Isolation, Metadata, Program, Role
from pytest_ftc.model.protocols import Executor, Variation
from pytest_ftc.model.timing.collector import here
from pytest_ftc.variations.build_path import BuildPath
from pytest_ftc.verification.plan import Plan, PlannedArtifact, plan_rebuild
from pytest_ftc.verification.steps.apart import must_wait, run_planned

MOST_BUILDS = 7
"""Most builds of an artifact, including the control."""

_WITHOUT_GAP = 0.5
"""Seconds for further builds where no gap has to pass anyway."""

_SET_UP = 0.15
"""Approximate overhead of a build, in seconds."""

_WANTED_BY_CHANCE = ((1.0, MOST_BUILDS - 2), (3.0, 3))
"""For builds that may be random: up to this duration in seconds, this many further builds are wanted."""

_WANTED_ALWAYS = 1.0, 1
"""The same for all builds: two experiments' umasks together cover every permission bit, but one does not."""

_TAKES_CHANCES = re.compile(
    r"(bash|bun|busybox|clisp|date|deno|elixir|erl|gawk|ghc|go|guile|java\w*|julia|lua\w*|mawk|mktemp|node|openssl|perl[\d.]*|"
    r"php[\d.]*|pypy[\d.]*|python[\d.]*|racket|Rscript|ruby[\d.]*|scala|shuf|tclsh[\d.]*|uuidgen|zsh)"
)
"""Programs with hash tables that are ordered differently in each process, or with easily used random numbers."""

_SYSTEM = ("/bin/", "/lib", "/nix/store/", "/sbin/", "/usr/")
"""Folders of known programs.  A program elsewhere, such as one that the build has just compiled, may do anything."""

_RANDOM_FILES = ("/dev/random", "/dev/urandom", "/proc/sys/kernel/random/")


def may_be_chance(control: BuildResult) -> bool:
    """Return whether a program ran whose output may be random, or the build was not traced."""
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
    """Return whether it is a sort(1) with random order."""
    options = [word for word in program.argv[1:] if word.startswith("-")]
    shuffles = any("R" in word if not word.startswith("--") else word.startswith("--random") for word in options)
    return posixpath.basename(program.program) == "sort" and shuffles


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraBuildOptions:
    """Conditions for further experiments."""

    metadata: Metadata
    """Which metadata of the outputs is compared."""
    is_idle: Callable[[], bool]
    """Returns whether CPUs are free."""
    plainer: Callable[[int], Action | None] = lambda _: None
    """Returns a replacement for a failing action with an unusual path: the same in a plain path."""


class ExtraBuilds:
    """Runs as many of `actions` as their duration permits, once the control has ended."""

    def __init__(self, executor: Executor, actions: Sequence[Action], options: ExtraBuildOptions) -> None:
        self._executor = executor
        self._actions = actions
        self._options = options
        self._lock = threading.Lock()
        self._begun = 0
        self._enough = False
        self._results: dict[int, BuildResult] = {}
        self.replaced: dict[int, Action] = {}
        """Actions that replaced others, by index."""

    @property
    def results(self) -> tuple[BuildResult, ...]:
        """Results of the first actions, up to one that did not run or was lost."""
        found = []
        for index in range(len(self._actions)):
            result = self._results.get(index)
            if result is None or result.status is BuildStatus.LOST:
                break
            found.append(result)
        return tuple(found)

    def run(self, control: BuildResult, seconds: float = REAL_GAP, workers: int = 1) -> None:
        """Run further experiments until there are enough, or one of them fails or differs, `workers` at a time.

        More than are wanted run only within these `seconds`.
        """
        if not self._actions:
            return
        end = time.monotonic() + seconds
        wanted = self._wanted(control)

        def work() -> None:
            while (index := self._take(control, wanted, end)) is not None:
                result = self._build(index)
                with self._lock:
                    self._results[index] = result
                    self._enough |= self._tells(control, result)

        with ThreadPoolExecutor(workers, thread_name_prefix="ftc-extra") as pool:
            for future in [pool.submit(here(work)) for _ in range(workers)]:
                future.result()

    def _build(self, index: int) -> BuildResult:
        """Run a further experiment; if it fails, retry in a plain path, because unusual paths break many builds."""
        action = self._actions[index]
        result = self._executor.run(action, lambda _: None)
        if result.status in (BuildStatus.OK, BuildStatus.LOST) or (plain := self._options.plainer(index)) is None:
            return result
        again = self._executor.run(plain, lambda _: None)
        if again.status is not BuildStatus.OK:
            return result
        self.replaced[index] = plain
        note = f"the build fails in the path {action.environment.build_path!r}: {result.reason}"
        return replace(again, notes=(*again.notes, note))

    def _wanted(self, control: BuildResult) -> int:
        """Return the number of builds to run even if they extend the verification."""
        wanted = (*_WANTED_BY_CHANCE, _WANTED_ALWAYS) if may_be_chance(control) else (_WANTED_ALWAYS,)
        return next((count for seconds, count in wanted if control.seconds <= seconds), 0)

    def _take(self, control: BuildResult, wanted: int, end: float) -> int | None:
        """Return the index of the next build to run; None if there is none."""
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


def run_builds(
    planned: PlannedArtifact, executor: Executor, is_idle: Callable[[], bool]
) -> tuple[Plan, tuple[BuildResult, ...]]:
    """Run the control, an experiment, and as many further ones as time permits; return the plan they follow."""
    plan, machine = planned.plan, planned.machine
    plain_plan = replace(plan, variations=tuple(_plain(variation) for variation in plan.variations))

    def plainer(index: int) -> Action | None:
        action = plan_rebuild(
            replace(planned, plan=plain_plan),
            plan.varied,
            role=Role.EXPERIMENT,
            suffix=f"-{index + 2}-plain",
            experiment=index + 2,
        )
        usual = action.environment.build_path == plan.actions[index + 2].environment.build_path
        return None if usual else action

    options = ExtraBuildOptions(
        metadata=planned.artifact.metadata,
        # Without namespaces, the builds of an artifact share their paths and run one at a time.
        is_idle=lambda: machine.isolation is not Isolation.NONE and is_idle(),
        plainer=plainer,
    )
    extra = ExtraBuilds(executor, plan.actions[2:], options)
    first = plan.actions[:2]

    def run_more(control: BuildResult) -> None:
        waits = must_wait(first, control)
        # One CPU is reserved for an experiment that waits.
        extra.run(control, REAL_GAP if waits else _WITHOUT_GAP, max(1, min(2, machine.cpus - waits)))

    builds = run_planned(executor, first, at_once=planned.at_once, after_first=run_more)
    builds = (*builds, *(extra.results if len(builds) == 2 else ()))
    ran = (*plan.actions[:2], *(extra.replaced.get(index, one) for index, one in enumerate(plan.actions[2:])))
    return replace(plain_plan if extra.replaced else plan, actions=ran[: len(builds)]), builds


def _plain(variation: Variation) -> Variation:
    return replace(variation, unusual=False) if isinstance(variation, BuildPath) else variation
