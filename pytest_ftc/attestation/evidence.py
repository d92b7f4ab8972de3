"""The findings of a verification, as the evidence in an attestation; docs/evidence.md describes its fields."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftc.attestation.envelope import decode_base64
from pytest_ftc.attestation.strict_json import DocumentError, field, parse_object
from pytest_ftc.model import Finding, Role, Verdict, Verification
from pytest_ftc.model.build import BuildStatus
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.support.valid_text import valid_text, valid_values

EVIDENCE_MEDIA_TYPE = "application/vnd.pytest-ftc.evidence.v1+json"
_WHAT = "evidence"
_COMPARED = (Role.CONTROL, Role.EXPERIMENT)
"""The builds that the verdict compares; others belong to the diagnosis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The content of an attestation about a verdict."""

    verdict: Verdict
    builds: int
    """How many builds were compared."""
    machines: int
    """The number of machines on which agreeing builds ran."""
    varied: tuple[str, ...]
    not_varied: Mapping[str, str]
    """Reasons by variation."""
    findings: tuple[Mapping[str, Any], ...] = ()


def evidence_of(verification: Verification) -> Evidence:
    """Return the evidence of `verification`, without the values of outputs, which may be confidential."""
    compared = [one for one in verification.builds if one.role in _COMPARED and one.status is BuildStatus.OK]
    return Evidence(
        verdict=verification.verdict,
        builds=len(compared),
        machines=verification.agreement.machines if verification.agreement else 1,
        varied=verification.varied,
        not_varied={one.variation: one.reason for one in verification.not_varied},
        findings=tuple(_describe(one) for one in verification.findings),
    )


def as_resource(evidence: Evidence) -> dict[str, Any]:
    """Return `evidence` as an in-toto ResourceDescriptor with its content and digest."""
    document = {
        "verdict": evidence.verdict.value,
        "builds": evidence.builds,
        "machines": evidence.machines,
        "varied": list(evidence.varied),
        "notVaried": [{"variation": name, "reason": why} for name, why in evidence.not_varied.items()],
        "findings": [dict(one) for one in evidence.findings],
    }
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return {
        "name": "verification",
        "mediaType": EVIDENCE_MEDIA_TYPE,
        "digest": {"sha256": hashlib.sha256(content).hexdigest()},
        "content": base64.b64encode(content).decode(),
    }


def log_entry(verification: Verification, made: float) -> dict[str, Any]:
    """Return the leaf of the log for `verification`, which was `made` at this time in seconds since 1970."""
    control = next((one for one in verification.builds if one.role is Role.CONTROL), None)
    outputs = {valid_text(one.path): one.sha256 for one in control.outputs if one.sha256} if control else {}
    return {
        "artifact": verification.id,
        "verdict": verification.verdict.value,
        "cached": verification.cached,
        "outputs": outputs,
        "evidence": evidence_digest(verification),
        "time": int(made),
    }


def evidence_digest(verification: Verification) -> str:
    """Return the sha256 of the evidence of `verification`, by which its leaf is found."""
    digest: str = as_resource(evidence_of(verification))["digest"]["sha256"]
    return digest


def parse_evidence(resource: Mapping[str, Any]) -> Evidence:
    """Return the evidence in an in-toto ResourceDescriptor.  Raises DocumentError."""
    descriptor = dict(resource)
    if descriptor.get("mediaType") != EVIDENCE_MEDIA_TYPE:
        raise DocumentError(f"{_WHAT}: mediaType: expected {EVIDENCE_MEDIA_TYPE}")
    content = decode_base64(field(descriptor, "content", str, _WHAT), f"{_WHAT}: content")
    if field(descriptor, "digest", dict, _WHAT).get("sha256") != hashlib.sha256(content).hexdigest():
        raise DocumentError(f"{_WHAT}: the content has another digest")
    document = parse_object(content, _WHAT)
    try:
        verdict = Verdict(field(document, "verdict", str, _WHAT))
    except ValueError:
        raise DocumentError(f"{_WHAT}: verdict: unknown: {document['verdict']!r}") from None
    return Evidence(
        verdict=verdict,
        builds=_count(document, "builds"),
        machines=_count(document, "machines"),
        varied=_texts(document, "varied"),
        not_varied=_reasons(document),
        findings=tuple(_objects(document, "findings")),
    )


def describe_finding(finding: Mapping[str, Any]) -> str:
    """Return cause, command and remedy of a `finding` in evidence, a line each; it may hold anything."""
    remedy = finding.get("remedy")
    command = finding.get("command")
    proved = isinstance(remedy, dict) and remedy.get("proved") is True
    lines = {
        "output": finding.get("output"),
        "cause": f"{finding.get('cause')}{' (confirmed)' if finding.get('confirmed') is True else ' (suspected)'}",
        "command": " ".join(map(str, command)) if isinstance(command, list) else "",
        "remedy": f"{remedy.get('summary')}{' (proved by rebuilding)' if proved else ''}"
        if remedy and isinstance(remedy, dict)
        else "",
    }
    return "\n".join(f"  {name:<9}{printable(str(value), keep='')}" for name, value in lines.items() if value)


def _describe(finding: Finding) -> dict[str, Any]:
    remedy = finding.remedy
    described = {
        "output": finding.output,
        "member": finding.member,
        "location": finding.location,
        "cause": finding.cause,
        "confirmed": finding.confirmed,
        "builds": finding.builds,
        "command": list(finding.command),
        "why": finding.why,
    }
    if remedy:
        described["remedy"] = {
            "summary": remedy.summary,
            "settings": dict(remedy.settings),
            "before": remedy.before,
            "after": remedy.after,
            "proved": remedy.proved,
        }
    return valid_values(described)  # type: ignore[no-any-return]


def _count(document: dict[str, Any], name: str) -> int:
    number: int = field(document, name, int, _WHAT)
    if number < 0:
        raise DocumentError(f"{_WHAT}: {name}: expected a number of at least 0")
    return number


def _texts(document: dict[str, Any], name: str) -> tuple[str, ...]:
    values = field(document, name, list, _WHAT)
    if not all(isinstance(one, str) for one in values):
        raise DocumentError(f"{_WHAT}: {name}: expected texts")
    return tuple(values)


def _objects(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = field(document, name, list, _WHAT)
    if not all(isinstance(one, dict) for one in values):
        raise DocumentError(f"{_WHAT}: {name}: expected objects")
    return list(values)


def _reasons(document: dict[str, Any]) -> dict[str, str]:
    entries = _objects(document, "notVaried")
    return {field(one, "variation", str, _WHAT): field(one, "reason", str, _WHAT) for one in entries}
