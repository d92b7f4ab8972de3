"""The failure that pytest shows for a bad verdict: coloured on a terminal, plain elsewhere."""

from __future__ import annotations

import os
import shlex
from functools import partial
from typing import TYPE_CHECKING, Protocol

from _pytest._code.code import ReprExceptionInfo, ReprFileLocation, ReprTracebackNative

from pytest_ftc.config import AD_HOC
from pytest_ftc.reporting.baseline.state import Accepted, is_accepted

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest._io import TerminalWriter

    from pytest_ftc.model import Verification
    from pytest_ftc.reporting.terminal.replay import Rerun

_WIDTH = 100
"""Columns where there is no terminal, as in the file of ``--junitxml``."""
WIDEST = 120
"""Most columns on a terminal."""


class Draw(Protocol):
    """Draws the panel of a failed verification."""

    def __call__(self, *, width: int, colour: bool) -> str:
        """Return the panel with at most `width` columns."""


class VerificationRepr(ReprExceptionInfo):
    """A failed verification in place of a traceback; its message is in pytest's short summary.

    A worker of pytest-xdist sends it as an ordinary traceback, whose only entry is the plain panel.
    """

    brief = False
    """Whether the terminal gets one line instead of the panel."""

    def __init__(
        self, verification: Verification, known: Accepted, nodeid: str, draw: Draw, place: ReprFileLocation
    ) -> None:
        """`nodeid` runs the test again, `draw` draws the panel, and `place` declares the artifact."""
        super().__init__(ReprTracebackNative([draw(width=_WIDTH, colour=False)]), place)
        self.verification = verification
        self.known = known
        self.nodeid = nodeid
        self.draw = draw
        self.place = place

    @property
    def causes(self) -> frozenset[str]:
        """The causes that the panel tells; the verdict if there are none."""
        from pytest_ftc.reporting.findings import findings_of

        found = self.verification
        causes = {finding.cause for finding in findings_of(found) if not is_accepted(found, finding, self.known)}
        return frozenset(causes or {found.verdict.value})

    def __str__(self) -> str:
        return self.draw(width=_WIDTH, colour=False)

    def toterminal(self, tw: TerminalWriter) -> None:
        from pytest_ftc.reporting.terminal.overview.one_line import brief_panel
        from pytest_ftc.reporting.terminal.style import fit_encoding

        draw = partial(brief_panel, self.verification, known=self.known) if self.brief else self.draw
        panel = draw(width=min(tw.fullwidth, WIDEST), colour=tw.hasmarkup)
        tw.write(fit_encoding(panel, getattr(tw._file, "encoding", None)))


def represent_failure(
    verification: Verification, nodeid: str, root: Path, place: tuple[str, int], known: Accepted, verbosity: int
) -> VerificationRepr:
    """Return the failure of a `verification`, which the test `nodeid` of the project at `root` repeats.

    The file and line of `place` declare it.  The baseline accepts the `known` findings.
    """
    from pytest_ftc.reporting.terminal.failure import failure_panel
    from pytest_ftc.reporting.terminal.overview.one_line import why_not_passed

    rerun = rerun_of(nodeid, root, "--ftc-no-cache" if verification.cached else "")
    draw = partial(failure_panel, verification, rerun=rerun, known=known, verbosity=verbosity)
    location = ReprFileLocation(*place, why_not_passed(verification, known))
    return VerificationRepr(verification, known, nodeid, draw, location)


def rerun_of(nodeid: str, root: Path, option: str = "") -> Rerun:
    """Return what repeats the test `nodeid` of the project at `root`, with an `option` if there is one."""
    from pytest_ftc.reporting.terminal.paths import relative
    from pytest_ftc.reporting.terminal.replay import Rerun

    command = os.environ.get(AD_HOC)
    words = [command, option] if command else ["pytest --ftc-verify", option, shlex.quote(nodeid)]
    return Rerun(" ".join(filter(None, words)), relative(str(root)))
