"""Findings in SARIF 2.1.0, for code scanning services.

See https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ftc.model import Finding, Verdict, Verification
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.baseline.state import Accepted, is_accepted, new_first
from pytest_ftc.reporting.causes import find_cause
from pytest_ftc.reporting.findings import show_command

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_WITHOUT_FINDINGS = {
    Verdict.EQUIVALENT: (
        "Numbers differ within the declared tolerance, and nothing else does.",
        "Fix the order of operations and the number of threads for equal bits.",
    ),
    Verdict.FAILED: ("The control build fails.", "Read the log of the control build."),
    Verdict.FRAGILE: (
        "The control build succeeds, and a variation breaks the build.",
        "Make the build tolerate the variation, or exclude it.",
    ),
    Verdict.ERROR: (
        "Infrastructure error: the result is inconclusive.",
        "Fix the infrastructure error and verify again.",
    ),
}
"""The meaning of each verdict, and what to do."""


def to_sarif(
    verifications: Sequence[Verification], tool: Mapping[str, Any], lines: Mapping[str, int], known: Accepted
) -> dict[str, Any]:
    """Return a SARIF log with one result for each finding and each artifact that is broken or only equivalent.

    `lines` maps an artifact's id to the line that declares it.  Findings with a `known` fingerprint get the level
    ``note`` and follow the new ones.
    """
    results = [result for one in verifications for result in _results(one, lines, known)]
    rules = [_rule(name) for name in dict.fromkeys(result["ruleId"] for result in results)]
    driver = {"name": tool["name"], "version": tool["version"], "rules": rules}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(name: str) -> dict[str, Any]:
    """Return the rule `name`; GitHub code scanning requires each of these texts."""
    if name in (verdict.value for verdict in _WITHOUT_FINDINGS):
        meaning, advice = _WITHOUT_FINDINGS[Verdict(name)]
        return _described(name, meaning, meaning, advice)
    cause = find_cause(name)
    if cause is None:
        brief = f"The outputs differ because of {name}."
        return _described(name, brief, brief, "Compare both builds in the report.")
    brief = f"{cause.brief[0].upper()}{cause.brief[1:]}."
    advice = "\n".join(f"- {remedy}" for remedy in cause.remedies)
    return {**_described(name, brief, cause.why, advice), "helpUri": cause.source}


def _described(name: str, brief: str, full: str, advice: str) -> dict[str, Any]:
    texts = {"shortDescription": brief, "fullDescription": full, "help": advice}
    return {"id": name, **{key: {"text": text} for key, text in texts.items()}}


def _results(verification: Verification, lines: Mapping[str, int], known: Accepted) -> Iterator[dict[str, Any]]:
    if verification.verdict in _WITHOUT_FINDINGS:
        level = "note" if verification.verdict is Verdict.EQUIVALENT else "error"
        yield _result(verification, verification.verdict.value, verification.reason, level, lines)
    if verification.verdict in (Verdict.UNREPRODUCIBLE, Verdict.FRAGILE):
        for finding in new_first(verification, known):
            mark = fingerprint(verification.id, finding)
            is_known = is_accepted(verification, finding, known)
            level = "note" if is_known else "error"
            result = _result(verification, finding.cause, describe(finding), level, lines)
            if known is not None:
                result["baselineState"] = "unchanged" if is_known else "new"
            result["partialFingerprints"] = {"ftc/v1": mark}
            result["locations"][0]["logicalLocations"] = [_logical(verification, finding)]
            result["properties"] = {"confirmed": finding.confirmed, "member": shorten(finding.member, 1000)}
            yield result


def _result(verification: Verification, rule: str, text: str, level: str, lines: Mapping[str, int]) -> dict[str, Any]:
    file = verification.id.partition("::")[0]
    place = {
        "artifactLocation": {"uri": _uri(file), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": lines.get(verification.id, 1)},
    }
    message = f"{verification.name}: {text or rule}"
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": shorten(message, 2000)},
        "locations": [{"physicalLocation": place}],
    }


def _logical(verification: Verification, finding: Finding) -> dict[str, str]:
    path = "/".join(filter(None, (finding.output, finding.member)))
    return {
        "name": shorten(finding.output.rpartition("/")[2] or finding.output, 1000),
        "fullyQualifiedName": shorten(f"{verification.name}/{path}", 2000),
        "kind": "resource",
    }


def describe(finding: Finding) -> str:
    """Return the finding in a few sentences, with its values shortened."""
    where = " › ".join(filter(None, (finding.output, finding.member)))
    sure = "confirmed" if finding.confirmed else "suspected"
    parts = [f"{where} differs at {finding.location or 'an unknown place'}; cause: {finding.cause} ({sure})."]
    if finding.evidence.control or finding.evidence.experiment:
        values = (shorten(text, 80) for text in (finding.evidence.control, finding.evidence.experiment))
        parts.append("One build has {!r}, another {!r}.".format(*values))
    if finding.command:
        parts.append(f"Written by {shorten(show_command(finding.command), 120)}.")
    if finding.remedy:
        proved = ", proved by rebuilding" if finding.remedy.proved else ""
        parts.append(f"Remedy{proved}: {finding.remedy.summary}.")
    return " ".join(parts)


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path.encode("utf-8", "surrogateescape"))
