"""Why an artifact did not pass, in one line, as for pytest's short summary."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ftc.model import Finding, Verdict, Verification
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.reporting.baseline.state import Accepted, is_accepted
from pytest_ftc.reporting.findings import findings_of
from pytest_ftc.reporting.terminal.style import show, show_lines
from pytest_ftc.reporting.terminal.summary import describe_verdict

_MOST_CAUSES = 3
_LONGEST = 300
"""Characters."""


def why_not_passed(verification: Verification, known: Accepted = None) -> str:
    """Return the causes and their output, such as ``time, umask in dist/x.whl``, or why there are none.

    Findings that the baseline accepts do not count, unless there is no other.
    """
    findings = findings_of(verification)
    new = [finding for finding in findings if not is_accepted(verification, finding, known)]
    if verification.verdict is Verdict.UNREPRODUCIBLE and findings:
        why = _causes_and_outputs(new or findings)
    else:
        first = (verification.reason or next(iter(verification.hermeticity), "")).split("\n")[0]
        word = "" if verification.verdict is Verdict.FAILED and first else describe_verdict(verification)
        why = ": ".join(filter(None, (word, show_lines(first))))
    if verification.leaks and verification.verdict is Verdict.UNREPRODUCIBLE:
        why = f"leaks a secret; {why}"
    return shorten(why, _LONGEST)


def _causes_and_outputs(findings: Sequence[Finding]) -> str:
    causes = list(dict.fromkeys(show(finding.cause) for finding in findings))
    outputs = list(dict.fromkeys(show(finding.output) for finding in findings))
    more = f" and {len(outputs) - 1} more" if len(outputs) > 1 else ""
    return f"{', '.join(causes[:_MOST_CAUSES])}{', …' * (len(causes) > _MOST_CAUSES)} in {outputs[0]}{more}"
