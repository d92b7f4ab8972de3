"""Faults that whole sessions show: many builds fail, none is run, or the session is killed."""

from __future__ import annotations

from pytest_ftc.integrations.kit.game_day.fault import GOOD, Fault, only_configure, work, work_again
from pytest_ftc.integrations.kit.game_day.ground import Ground

_SEVERAL = tuple(f"app{number}" for number in range(6))
"""Artifacts: one of them is more than the budget of the game day, and less than what burns fast."""


def _fail(ground: Ground) -> None:
    # Prometheus must see that nothing had failed before.
    ground.configure({"app": "sleep 3; false"})
    ground.verify()


def _fail_and_differ_sometimes(ground: Ground) -> None:
    ground.configure({**dict.fromkeys(_SEVERAL, GOOD), _SEVERAL[0]: "false", _SEVERAL[1]: "date > out"})
    ground.verify()


def _be_killed(ground: Ground) -> None:
    """Kill a session, as a machine does that is switched off."""
    ground.configure({"app": f"sleep 60; {GOOD}"})
    ground.verify_and_kill()


def _use_the_cache(ground: Ground) -> None:
    """Verify without a build, until that is too long ago."""
    ground.verify()


def _build_again(ground: Ground) -> None:
    ground.verify("--ftc-no-cache", "--ftc-diagnose=off")


FAILING = Fault(
    name="failing",
    title="builds that fail",
    alerts=("FtcBuildSuccessBurnsFast",),
    prepare=only_configure,
    inject=_fail,
    repair=work_again,
)
SOME_BAD = Fault(
    name="some-bad",
    title="one of six builds fails, and one is not reproducible",
    alerts=("FtcBuildSuccessBurnsSlowly", "FtcReproducibleShareBurnsSlowly"),
    prepare=only_configure,
    inject=_fail_and_differ_sometimes,
    repair=work_again,
)
STUCK = Fault(
    name="stuck",
    title="a session that is killed",
    alerts=("FtcSchedulerStuck",),
    prepare=only_configure,
    inject=_be_killed,
    repair=work_again,
)
UNVERIFIED = Fault(
    name="unverified",
    title="sessions that only use the cache",
    alerts=("FtcArtifactUnverified",),
    prepare=work,
    inject=_use_the_cache,
    repair=_build_again,
)
