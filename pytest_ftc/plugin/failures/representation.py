"""The failure that pytest shows for a bad verdict: coloured on a terminal, plain elsewhere."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr
    from _pytest._io import TerminalWriter

    from pytest_ftc.model import Verification

_WIDTH = 100
"""Columns where there is no terminal, as in the file of ``--junitxml``."""
_WIDEST = 120


def represent_failure(
    verification: Verification, nodeid: str, known: frozenset[str] | None, verbosity: int
) -> TerminalRepr:
    """Return the failure of a `verification` whose test is `nodeid`; the baseline accepts the `known` findings."""
    from _pytest._code.code import TerminalRepr

    from pytest_ftc.reporting.terminal.failure import failure_panel
    from pytest_ftc.reporting.terminal.style import fit_encoding

    again = "--ftc-verify --ftc-no-cache" if verification.cached else "--ftc-verify"
    rerun = f"pytest {again} {shlex.quote(nodeid)}"
    draw = partial(failure_panel, verification, rerun=rerun, known=known, verbosity=verbosity)

    class VerificationRepr(TerminalRepr):
        def __str__(self) -> str:
            return draw(width=_WIDTH, colour=False)

        def toterminal(self, tw: TerminalWriter) -> None:
            panel = draw(width=min(tw.fullwidth, _WIDEST), colour=tw.hasmarkup)
            tw.write(fit_encoding(panel, getattr(tw._file, "encoding", None)))

    return VerificationRepr()
