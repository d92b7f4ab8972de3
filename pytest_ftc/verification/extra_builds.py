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
from dataclasses import dataclass, replace

from pytest_ftc.builds.staggered import REAL_GAP, run_apart
from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import Action, BuildResult, BuildStatus, Isolation, Metadata, Program, Role
from pytest_ftc.model.protocols import Executor, Variation
from pytest_ftc.variations.build_path import BuildPath
from pytest_ftc.verification.plan import Plan, PlannedArtifact, plan_rebuild

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
    plainer: Callable[[int], Action | None] = lambda _: None
    """Returns the action in the place of one that breaks: in a plain path, if its path is unusual."""


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
        self.replaced: dict[int, Action] = {}
        """The actions that were run in the place of others."""

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
                result = self._build(index)
                with self._lock:
                    self._results[index] = result
                    self._enough |= self._tells(control, result)

        with ThreadPoolExecutor(self._options.workers, thread_name_prefix="ftc-extra") as pool:
            for future in [pool.submit(work) for _ in range(self._options.workers)]:
                future.result()

    def _build(self, index: int) -> BuildResult:
        """Run a further experiment; where it breaks, in a plain path too, since many builds bear no unusual one."""
        action = self._actions[index]
        result = self._executor.run(action, lambda _: None)
        if result.status in (BuildStatus.OK, BuildStatus.LOST) or (plain := self._options.plainer(index)) is None:
            return result
        again = self._executor.run(plain, lambda _: None)
        if again.status is not BuildStatus.OK:
            return result
        self.replaced[index] = plain
        note = f"it does not build in the path {action.environment.build_path!r}: {result.reason}"
        return replace(again, notes=(*again.notes, note))

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


def run_builds(
    planned: PlannedArtifact, executor: Executor, is_idle: Callable[[], bool]
) -> tuple[Plan, tuple[BuildResult, ...]]:
    """Run the control, an experiment, and as many further ones as are worth their time; return the plan they follow."""
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
        workers=max(1, min(2, machine.cpus - 1)),  # one is left for the experiment that waits
        # Without namespaces the builds of an artifact share their paths, and take turns.
        is_idle=lambda: machine.isolation is not Isolation.NONE and is_idle(),
        plainer=plainer,
    )
    extra = ExtraBuilds(executor, plan.actions[2:], options)
    builds = run_apart(executor, plan.actions[:2], after_first=extra.run)
    builds = (*builds, *(extra.results if len(builds) == 2 else ()))
    ran = (*plan.actions[:2], *(extra.replaced.get(index, one) for index, one in enumerate(plan.actions[2:])))
    return replace(plain_plan if extra.replaced else plan, actions=ran[: len(builds)]), builds


def _plain(variation: Variation) -> Variation:
    return replace(variation, unusual=False) if isinstance(variation, BuildPath) else variation
