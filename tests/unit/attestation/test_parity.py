"""Attribute reports and test results."""

import base64
import json
from dataclasses import replace

import pytest
from attestations import BUILDER, FOUND, bad, good
from samples import VARIED, verification

from pytest_ftc.attestation.evidence import describe_finding, evidence_of
from pytest_ftc.attestation.parity import (
    REPRODUCIBLE,
    UNREPRODUCIBLE,
    builder_of,
    make_parity,
    make_test_result,
    read_parity,
)
from pytest_ftc.attestation.statement import parse_statement
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import FtcError


def test_a_reproducible_artifact_is_attested_with_what_was_varied():
    evidence = read_parity(parse_statement(good().encode()))
    assert evidence == evidence_of(verification(Verdict.REPRODUCIBLE))
    assert evidence.varied == VARIED
    assert evidence.builds == 2
    assert evidence.not_varied == {"fileordering": "namespaces are refused here; allow unshare(2)"}
    assert good().predicate["attributes"][0]["attribute"] == REPRODUCIBLE


def test_an_unreproducible_one_with_cause_command_and_remedy():
    evidence = read_parity(parse_statement(bad().encode()))
    assert bad().predicate["attributes"][0]["attribute"] == UNREPRODUCIBLE
    (finding,) = evidence.findings
    assert finding["cause"] == "time"
    assert finding["confirmed"] is True
    assert finding["command"] == ["python", "-m", "build"]
    assert finding["remedy"]["proved"] is True
    shown = describe_finding(finding)
    for part in ("time (confirmed)", "python -m build", "set SOURCE_DATE_EPOCH (proved by rebuilding)"):
        assert part in shown


def test_values_of_outputs_are_not_in_it():
    assert FOUND.evidence.control.encode() not in base64.b64decode(
        bad().predicate["attributes"][0]["evidence"]["content"]
    )


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.FRAGILE, Verdict.ERROR])
def test_what_was_not_compared_is_not_attested(verdict):
    with pytest.raises(FtcError, match=f"the verdict is {verdict.value}"):
        make_parity(verification(verdict), BUILDER)


def test_the_predicate_is_one_of_the_specification():
    from google.protobuf import json_format
    from in_toto_attestation.predicates.scai.v0.scai_pb2 import AttributeReport

    for statement in (good(), bad()):
        parsed = json_format.Parse(json.dumps(statement.predicate), AttributeReport())
        assert parsed.attributes[0].evidence.content


def tampered(statement, **changes):
    predicate = json.loads(json.dumps(statement.predicate))
    predicate["attributes"][0].update(changes)
    return replace(statement, predicate=predicate)


def test_attribute_and_evidence_must_agree():
    with pytest.raises(DocumentError, match="by its evidence the verdict is unreproducible"):
        read_parity(tampered(bad(), attribute=REPRODUCIBLE))


def test_the_evidence_must_have_its_digest():
    evidence = {**good().predicate["attributes"][0]["evidence"], "content": base64.b64encode(b"{}").decode()}
    with pytest.raises(DocumentError, match="another digest"):
        read_parity(tampered(good(), evidence=evidence))


@pytest.mark.parametrize("evidence", [{}, None, {"mediaType": "text/plain"}])
def test_evidence_is_needed(evidence):
    with pytest.raises(DocumentError):
        read_parity(tampered(good(), evidence=evidence))


def test_two_verdicts_are_none():
    predicate = {"attributes": [*good().predicate["attributes"], *bad().predicate["attributes"]]}
    with pytest.raises(DocumentError, match="more than one verdict"):
        read_parity(replace(good(), predicate=predicate))


def test_attributes_of_others_are_passed_over():
    assert read_parity(replace(good(), predicate={"attributes": [{"attribute": "SIGNED"}]})) is None
    assert read_parity(make_test_result(verification(Verdict.REPRODUCIBLE))) is None


def test_the_builder_is_named():
    assert builder_of(good()) == BUILDER.id
    assert builder_of(make_test_result(verification(Verdict.REPRODUCIBLE))) == ""


def test_each_variation_is_a_test_that_passed():
    predicate = make_test_result(verification(Verdict.REPRODUCIBLE)).predicate
    assert predicate["result"] == "PASSED"
    assert predicate["passedTests"] == [f"pyproject.toml::ftc::app[{name}]" for name in VARIED]
    assert predicate["failedTests"] == []


def test_each_cause_is_a_test_that_failed():
    predicate = make_test_result(replace(verification(Verdict.UNREPRODUCIBLE), findings=(FOUND,))).predicate
    assert (predicate["result"], predicate["failedTests"]) == ("FAILED", ["pyproject.toml::ftc::app[time]"])
    assert predicate["passedTests"] == []


def test_what_fails_for_another_reason_fails_as_a_whole():
    leaked = replace(verification(Verdict.REPRODUCIBLE), leaks=("TOKEN is in dist/app.whl",))
    assert make_test_result(leaked).predicate["failedTests"] == ["pyproject.toml::ftc::app"]
