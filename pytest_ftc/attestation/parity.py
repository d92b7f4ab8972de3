"""The verdict on an artifact as statements: a SCAI attribute report and a test result.

See https://github.com/in-toto/attestation/blob/main/spec/predicates/scai.md and test-result.md.
"""

from __future__ import annotations

from typing import Any

from pytest_ftc.attestation.evidence import Evidence, as_resource, evidence_of, parse_evidence
from pytest_ftc.attestation.provenance import Builder
from pytest_ftc.attestation.statement import Statement, compared_subjects_of, subjects_of
from pytest_ftc.attestation.strict_json import DocumentError, field, parse_object
from pytest_ftc.attestation.verdict_log import InclusionProof, parse_proof
from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.errors import FtcError

SCAI_TYPE = "https://in-toto.io/attestation/scai/v0.3"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
REPRODUCIBLE = "REPRODUCIBLE"
UNREPRODUCIBLE = "UNREPRODUCIBLE"
_WHAT = "attribute report"
_ATTRIBUTES = {Verdict.REPRODUCIBLE: REPRODUCIBLE, Verdict.UNREPRODUCIBLE: UNREPRODUCIBLE}


def make_parity(verification: Verification, builder: Builder, logged: InclusionProof | None = None) -> Statement:
    """Return the attribute report: ``REPRODUCIBLE`` or ``UNREPRODUCIBLE``, with the evidence, and how it was `logged`.

    Raises FtcError for any other verdict: what does not build in every environment was not compared.
    """
    attribute = _ATTRIBUTES.get(verification.verdict)
    if attribute is None:
        raise FtcError(f"{verification.name}: nothing to attest: the verdict is {verification.verdict.value}")
    evidence = evidence_of(verification)
    conditions: dict[str, Any] = {"builds": evidence.builds, "varied": list(evidence.varied)}
    if logged:
        conditions["log"] = logged.to_json()
    if verification.trace_id:
        conditions["trace"] = verification.trace_id
    assertion = {
        "attribute": attribute,
        "conditions": conditions,
        "evidence": as_resource(evidence),
    }
    predicate = {"attributes": [assertion], "producer": {"uri": builder.id}}
    find_subjects = subjects_of if verification.verdict is Verdict.REPRODUCIBLE else compared_subjects_of
    return Statement(find_subjects(verification), SCAI_TYPE, predicate)


def make_test_result(verification: Verification) -> Statement:
    """Return the test result; each variation that made no difference is a test that passed.  Raises FtcError."""
    passed = verification.passed
    causes = sorted({finding.cause for finding in verification.findings})
    predicate = {
        "result": "PASSED" if passed else "FAILED",
        "configuration": [{"name": verification.id}],
        "passedTests": [_name_test(verification, name) for name in verification.varied if passed],
        "failedTests": [] if passed else [_name_test(verification, cause) for cause in causes] or [verification.id],
    }
    return Statement(subjects_of(verification), TEST_RESULT_TYPE, predicate)


def read_parity(statement: Statement) -> Evidence | None:
    """Return the evidence of an attribute report of ours; None for another statement.

    Raises DocumentError where attribute and evidence contradict each other, or where one of them is malformed.
    """
    if statement.predicate_type != SCAI_TYPE:
        return None
    assertion = _find_assertion(statement)
    if assertion is None:
        return None
    evidence = parse_evidence(field(assertion, "evidence", dict, _WHAT))
    if _ATTRIBUTES.get(evidence.verdict) != assertion["attribute"]:
        raise DocumentError(
            f"{_WHAT}: {assertion['attribute']}, but by its evidence the verdict is {evidence.verdict.value}"
        )
    return evidence


def is_logged(statement: Statement) -> bool:
    """Return whether an attribute report of ours proves that its verdict, on its subjects, is in a log.

    Equal evidence is not enough: verdicts on other files have the same.  Raises DocumentError.
    """
    assertion = _find_assertion(statement)
    conditions = assertion.get("conditions") if assertion else None
    if not assertion or not isinstance(conditions, dict) or "log" not in conditions:
        return False
    proof = parse_proof(field(conditions, "log", dict, _WHAT))
    entry = parse_object(proof.leaf, "leaf of the log")
    digest = field(field(assertion, "evidence", dict, _WHAT), "digest", dict, _WHAT)
    outputs = entry.get("outputs")
    is_about = isinstance(outputs, dict) and all(
        outputs.get(one.name, "") == one.digest.get("sha256")
        for one in statement.subjects
        if assertion["attribute"] == REPRODUCIBLE or not one.is_of_experiment
    )
    return is_about and proof.holds and entry.get("evidence") == digest.get("sha256")


def _find_assertion(statement: Statement) -> dict[str, Any] | None:
    ours = [
        one
        for one in field(dict(statement.predicate), "attributes", list, _WHAT)
        if isinstance(one, dict) and one.get("attribute") in _ATTRIBUTES.values()
    ]
    if len(ours) > 1:
        raise DocumentError(f"{_WHAT}: more than one verdict")
    return ours[0] if ours else None


def builder_of(statement: Statement) -> str:
    """Return the URI of the builder that an attribute report or provenance names; empty if it names none."""
    predicate = statement.predicate
    producer = predicate.get("producer")
    details = predicate.get("runDetails")
    builder = details.get("builder") if isinstance(details, dict) else None
    for holder, name in ((producer, "uri"), (builder, "id")):
        if isinstance(holder, dict) and isinstance(holder.get(name), str):
            return str(holder[name])
    return ""


def _name_test(verification: Verification, name: str) -> str:
    return f"{verification.id}[{name}]"
