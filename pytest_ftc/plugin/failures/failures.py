"""The failures of a session, also of those tests that a worker of pytest-xdist runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_ftc.plugin.failures.representation import VerificationRepr, represent_failure

if TYPE_CHECKING:
    import pytest

    from pytest_ftc.model import Verification
    from pytest_ftc.reporting.baseline.state import Accepted

_KEY = "ftc_failed"


class Failures:
    """Represents failed verifications; in what workers send, the controller puts its own representation back."""

    def __init__(
        self, config: pytest.Config, lines: Mapping[str, int], known: Callable[[Verification], Accepted]
    ) -> None:
        """`lines` has where artifacts are declared; `known` returns the findings that the baseline accepts."""
        self._config = config
        self._lines = lines
        self._known = known

    def represent(self, verification: Verification, nodeid: str, item: pytest.Item) -> VerificationRepr:
        """Return what pytest shows for a bad `verification` by the test `item`, which `nodeid` runs again."""
        path, line, _ = item.location
        return self._represent(verification, nodeid, (path, self._lines.get(verification.id, (line or 0) + 1)))

    def send(self, report: pytest.TestReport) -> None:
        """Let a worker's `report` say of which verification its failure is."""
        failure = report.longrepr
        if isinstance(failure, VerificationRepr):
            place = failure.place
            setattr(report, _KEY, json.dumps([failure.verification.id, failure.nodeid, place.path, place.lineno]))

    def restore(self, report: pytest.TestReport, found: Sequence[Verification]) -> None:
        """Give the `report` of a worker, which sent the verifications `found`, its failure back."""
        if text := getattr(report, _KEY, ""):
            id_, nodeid, path, line = json.loads(text)
            failed = next((one for one in found if one.id == id_), None)
            if failed:
                report.longrepr = self._represent(failed, nodeid, (path, line))

    def _represent(self, verification: Verification, nodeid: str, place: tuple[str, int]) -> VerificationRepr:
        config = self._config
        known = self._known(verification)
        return represent_failure(verification, nodeid, config.rootpath, place, known, config.get_verbosity())
