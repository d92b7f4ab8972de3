"""Further builds for a diagnosis, each with only some of the variations, within a budget."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from pytest_ftc.builds.staggered import APART, not_before, run_apart
from pytest_ftc.diagnosis.canaries.planted import utc_offset
from pytest_ftc.model import Action, Artifact, BuildResult, Cause, Environment, Role, Tracing
from pytest_ftc.model.protocols import Executor, MayStart, at_once
from pytest_ftc.model.remedy import Changes, add_setting
from pytest_ftc.model.timing.collector import here
from pytest_ftc.variations.timezone import Timezone
from pytest_ftc.verification.plan import PlannedArtifact, plan_rebuild

_SET_UP = 0.06
"""Approximate seconds until a build starts in its environment."""
_CHEAP_SECONDS = 20.0
"""The total duration of the builds of a cheap diagnosis, at most."""
PATIENCE = 60.0
"""Seconds in which a cheap diagnosis may build more, since the machine may be busy."""
_FOR_REMEDIES = 4
_MOST_SLOWER, _LEAST_SECONDS = 8, 20
"""How much longer a build may take whose clock stands still: those that wait for their clock to advance never end."""
_FROM_TURN = 2 * 3600
"""Seconds to the turn of a year, less than the offset of any zone: builds take time."""


def turn_of_year(environments: Sequence[Environment]) -> float:
    """Return a moment at which it is next year in the zone of one of these, or still last year, and not in UTC."""
    year = datetime.datetime.now(datetime.timezone.utc).year + 1
    turn = datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
    offsets = [utc_offset(one.variables.get("TZ", ""), turn) for one in environments]
    return turn - _FROM_TURN if max(offsets) > 0 else turn + _FROM_TURN


def apply_changes(artifact: Artifact, changes: Changes, tree: str) -> Artifact:
    """Return `artifact` with `changes`, for a build in `tree`; flags are appended to those that it sets."""
    settings = dict(artifact.env)
    for name, value in changes.settings.items():
        settings[name] = add_setting(artifact.env, name, value.replace("$PWD", tree))
    before = "\n".join(filter(None, (*changes.before, artifact.before)))
    after = "\n".join(filter(None, (artifact.after, *changes.after)))
    return replace(artifact, before=before, after=after, env=settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildBudget:
    """The limits of a diagnosis."""

    builds: int
    seconds: float
    """Time after which no further build is started, without that in which all wait for builds of others."""
    cheap_builds: int = 0
    """The number of builds permitted while all together take less than `_CHEAP_SECONDS`."""
    patience: float = PATIENCE
    """Seconds in which these are permitted."""
    numbered_from: int = 1
    """The number in the ID of the first one, where others of the same roles ran before."""


class ArtifactRebuilder:
    """The `Rebuilder` of one artifact; `builds` are its builds so far.

    `experiment` is the number of the experiment from which the variations take their values, `began` the moment at
    which the control started, in seconds since 1970.
    """

    def __init__(
        self, planned: PlannedArtifact, executor: Executor, *, experiment: int, budget: RebuildBudget, began: float = 0
    ) -> None:
        self._planned = planned
        self._plan = planned.plan
        self._executor = executor
        self._experiment = experiment
        self._budget = budget
        self._apart = not_before(began + APART)
        self._begin = time.monotonic()
        self._waited = 0.0
        self.builds: list[BuildResult] = []
        self._cheap = 0
        """The number of builds when `left` last found them cheap."""
        self.environments = {action.id: action.environment for action in planned.plan.actions}
        """The environments of all builds of the artifact, by ID."""

    @property
    def left(self) -> int:
        """The number of further builds that the budget permits."""
        if self.is_late:
            return 0
        if self._taken < self._budget.patience and sum(build.seconds for build in self.builds) < _CHEAP_SECONDS:
            self._cheap = len(self.builds)
            return max(0, max(self._budget.builds, self._budget.cheap_builds) - len(self.builds))
        # Builds beyond the budget were cheap, and do not reduce what remains for remedies.
        reserved = self._cheap + _FOR_REMEDIES if self._budget.cheap_builds else 0
        return max(0, max(self._budget.builds, reserved) - len(self.builds))

    @property
    def is_late(self) -> bool:
        """Whether the time for builds is up."""
        return self._taken >= self._budget.seconds

    @property
    def _taken(self) -> float:
        """The seconds so far, without waiting for builds of others: how busy the machine is must not matter."""
        return time.monotonic() - self._begin - self._waited

    def varying(self, groups: Sequence[Collection[str]], *, trace: bool = False) -> list[BuildResult]:
        """Build once for each of `groups`, in parallel, with only its variations; with `trace` the first is traced."""
        # A repeat in the second of the control would have its time.
        return self._run(self._only(groups, Tracing.CONTENTS if trace else Tracing.NO), self._apart)

    def on_both_machines(self) -> list[BuildResult]:
        """Repeat the control, and once more on the machine of the experiment; both list the files that they use."""
        actions = [
            self._action(self._planned.artifact, names, role, number, Tracing.TOOLS)
            for number, (names, role) in enumerate((((), Role.REPEAT), ((Cause.MACHINE,), Role.BISECT)))
        ]
        return self._run(actions)

    def at_the_time_of(self, build: BuildResult, lead: float) -> BuildResult:
        """Repeat the control with the clock set to `lead` seconds before the start of `build`."""
        action = self._action(self._planned.artifact, (), Role.REPEAT, 0, Tracing.NO)
        start = build.started - _SET_UP - lead
        time.sleep((start - time.time()) % 1)
        shift = round(start - time.time())
        action = self._known(replace(action, environment=replace(action.environment, clock_shift=shift)))
        return self._keep(lambda: [self._executor.run(action, lambda _: None)])[0]

    def with_a_stopped_clock(self, build: BuildResult, groups: Sequence[Collection[str]]) -> Sequence[BuildResult]:
        """Build as `varying` does, with a clock that stands still at the start of `build`."""
        most = round(_MOST_SLOWER * build.seconds + _LEAST_SECONDS)
        return self._run(
            [
                self._known(
                    replace(
                        action,
                        environment=replace(action.environment, clock_stop=int(build.started)),
                        timeout=min(action.timeout, most),
                    )
                )
                for action in self._only(groups)
            ]
        )

    def at_the_turn_of_a_year(self, groups: Sequence[Collection[str]]) -> Sequence[BuildResult]:
        """Build as `varying` does, at a moment at which the varied time zone has another year than UTC."""
        actions = self._only(groups)
        shift = round(turn_of_year([action.environment for action in actions]) - time.time())
        return self._run(
            [
                self._known(replace(action, environment=replace(action.environment, clock_shift=shift)))
                for action in actions
            ]
        )

    def with_changes(self, changes: Changes, only: Collection[str] | None = None) -> Sequence[BuildResult]:
        """Build a control and an experiment with all variations, or `only` these, both with `changes`.

        The second may be omitted.
        """
        varied = [name for name in self._plan.varied if only is None or name in only]
        actions = [
            self._action(apply_changes(self._planned.artifact, changes, tree), names, Role.REMEDY, number, Tracing.NO)
            for number, (tree, names) in enumerate(
                (
                    (self._plan.actions[0].environment.build_path, ()),
                    (self._path_of(varied), varied),
                )
            )
        ]
        return self._keep(lambda: run_apart(self._executor, actions))

    def _path_of(self, varied: Collection[str]) -> str:
        """Return the path in which a build runs that varies these."""
        number = self._experiment if Cause.BUILD_PATH in varied else 0
        return self._plan.actions[number].environment.build_path

    def _only(self, groups: Sequence[Collection[str]], first: Tracing = Tracing.NO) -> list[Action]:
        """Return an action for each of `groups` that varies only it; the first with that tracing."""
        return [
            self._action(
                self._planned.artifact,
                [name for name in self._plan.varied if name in group],
                Role.BISECT if group else Role.REPEAT,
                number,
                Tracing.NO if number else first,
            )
            for number, group in enumerate(groups)
        ]

    def _run(self, actions: Sequence[Action], may_start: MayStart = at_once) -> list[BuildResult]:
        def build(action: Action) -> BuildResult:
            return self._executor.run(action, lambda _: None, may_start)

        with ThreadPoolExecutor(len(actions), thread_name_prefix="ftc-diagnose") as pool:
            return self._keep(lambda: list(pool.map(here(build), actions)))

    def _keep(self, run: Callable[[], Sequence[BuildResult]]) -> list[BuildResult]:
        """Return what `run` builds side by side, and note how long it waited for builds of others."""
        begin = time.monotonic()
        results = list(run())
        self.builds += results
        # They also wait for each other, where fewer may run at once.
        idle = time.monotonic() - begin - sum(result.seconds for result in results)
        self._waited += max(0.0, min(idle, max(result.queue_seconds for result in results)))
        return results

    def _action(self, artifact: Artifact, names: Sequence[str], role: Role, number: int, tracing: Tracing) -> Action:
        plan = self._plan
        if Cause.TIME not in names:
            # A date of the real clock should differ, whatever the hour.
            zones = [replace(one, moment=time.time()) if isinstance(one, Timezone) else one for one in plan.variations]
            plan = replace(plan, variations=tuple(zones))
        action = plan_rebuild(
            replace(self._planned, artifact=artifact, plan=plan),
            names,
            role=role,
            suffix=f"-{self._budget.numbered_from + len(self.builds) + number}",
            experiment=self._experiment,
            trace=tracing,
        )
        return self._known(action)

    def _known(self, action: Action) -> Action:
        self.environments[action.id] = action.environment
        return action
