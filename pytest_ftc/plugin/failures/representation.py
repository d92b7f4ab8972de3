"""The failure that pytest shows for a bad verdict: coloured on a terminal, plain elsewhere."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Protocol

from _pytest._code.code import ReprExceptionInfo, ReprFileLocation, ReprTracebackNative

if TYPE_CHECKING:
    from _pytest._io import TerminalWriter

    from pytest_ftc.model import Verification

_WIDTH = 100
"""Columns where there is no terminal, as in the file of ``--junitxml``."""
_WIDEST = 120


class Draw(Protocol):
    """Draws the panel of a failed verification."""

    def __call__(self, *, width: int, colour: bool) -> str:
        """Return the panel with at most `width` columns."""


class VerificationRepr(ReprExceptionInfo):
    """A failed verification in place of a traceback; its message is in pytest's short summary.

    A worker of pytest-xdist sends it as an ordinary traceback, whose only entry is the plain panel.
    """

    def __init__(self, draw: Draw, place: ReprFileLocation) -> None:
        super().__init__(ReprTracebackNative([draw(width=_WIDTH, colour=False)]), place)
        self._draw = draw

    def __str__(self) -> str:
        return self._draw(width=_WIDTH, colour=False)

    def toterminal(self, tw: TerminalWriter) -> None:
        from pytest_ftc.reporting.terminal.style import fit_encoding

        panel = self._draw(width=min(tw.fullwidth, _WIDEST), colour=tw.hasmarkup)
        tw.write(fit_encoding(panel, getattr(tw._file, "encoding", None)))


def represent_failure(
    verification: Verification, nodeid: str, place: tuple[str, int], known: frozenset[str] | None, verbosity: int
) -> VerificationRepr:
    """Return the failure of a `verification`, which the test `nodeid` repeats.

    The file and line of `place` declare it.  The baseline accepts the `known` findings.
    """
    from pytest_ftc.reporting.terminal.failure import failure_panel
    from pytest_ftc.reporting.terminal.overview.one_line import why_not_passed

    again = "--ftc-verify --ftc-no-cache" if verification.cached else "--ftc-verify"
    rerun = f"pytest {again} {shlex.quote(nodeid)}"
    draw = partial(failure_panel, verification, rerun=rerun, known=known, verbosity=verbosity)
    return VerificationRepr(draw, ReprFileLocation(*place, why_not_passed(verification, known)))
