"""Suspicions from the values of a place, given what the two environments planted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from pytest_ftc.diagnosis.canaries.planted import Surroundings, Window, planted_by
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.diagnosis.plugin_diagnosers import Panel
from pytest_ftc.model import (
    BuildResult,
    Conditions,
    Environment,
    Machine,
    Place,
    Snapshot,
    Suspicion,
)


class Suspects:
    """Derives suspicions from the values of a place; `environments` maps ids of builds to their environments."""

    def __init__(
        self,
        environments: Mapping[str, Environment],
        owners: Mapping[str, str],
        source: Snapshot,
        machine: Machine,
        panel: Panel | None,
    ) -> None:
        self._environments = environments
        self._panel = panel
        times = [path.lstat().st_mtime for path in source.path.rglob("*")]
        self._around = Surroundings(
            machine=machine,
            source_times=Window(min(times), max(times)) if times else None,
            release=os.uname().release,
            owners=owners,
        )

    def suspect(self, place: Place, control: BuildResult, other: BuildResult) -> Sequence[Suspicion]:
        """Return suspicions from the values of a place in these two builds, most likely cause first."""
        planted = [planted_by(self._environments[build.id], build, self._around) for build in (control, other)]
        own = suspect(place, *planted)
        if self._panel is None:
            return own
        before, after = (
            Conditions(environment=self._environments[build.id], started=values.clock.start, ended=values.clock.end)
            for build, values in zip((control, other), planted, strict=True)
        )
        return self._panel.suspect(place, before, after, own)
