"""Verification Summary Attestations."""

import json

import pytest
from attestations import DIGEST, NOW, good
from google.protobuf import json_format
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement as Specified

from pytest_ftc.attestation.judge import Judgement, Signed
from pytest_ftc.attestation.statement import Subject, parse_statement
from pytest_ftc.attestation.summary import Verifier, make_summary, package_url

SUBJECT = Subject("app 1.whl", {"sha256": DIGEST})
VERIFIER = Verifier(id="https://gate.example/", version="1.0", policy="my policy.toml", policy_sha256="c" * 64)
USED = (Signed("/x/b.json", good(), (), "b" * 64), Signed("/y/a b.json", good(), (), "a" * 64))


def summarize(**found):
    judgement = Judgement(**{"problems": (), "attestations": (*USED, USED[0]), **found})
    return make_summary(SUBJECT, judgement, VERIFIER, package_url(SUBJECT), NOW)


def test_it_is_valid_for_the_library_of_the_specification():
    statement = json_format.Parse(summarize().encode(), statement_pb2.Statement())
    Specified.copy_from_pb(statement).validate()
    predicate = json.loads(json.dumps(summarize().predicate))
    # The library declares one level as a text, and no version of the verifier: the specification has had both since 1.1.
    assert predicate.pop("verifiedLevels") == ["SLSA_BUILD_LEVEL_UNEVALUATED"]
    assert predicate["verifier"].pop("version") == {"pytest-ftc": "1.0"}
    parsed = json_format.Parse(json.dumps(predicate), vsa_pb2.VerificationSummary())
    assert parsed.verifier.id == VERIFIER.id
    assert parsed.time_verified.ToJsonString() == "2026-11-27T00:00:00Z"
    assert parsed.verification_result == "PASSED"
    assert dict(parsed.policy.digest) == {"sha256": "c" * 64}
    assert parsed.policy.uri == "my%20policy.toml"


def test_it_names_each_attestation_that_was_used_once():
    assert summarize().predicate["inputAttestations"] == [
        {"uri": "a%20b.json", "digest": {"sha256": "a" * 64}},
        {"uri": "b.json", "digest": {"sha256": "b" * 64}},
    ]


@pytest.mark.parametrize(
    ("found", "result", "levels"),
    [
        ({}, "PASSED", ["SLSA_BUILD_LEVEL_UNEVALUATED"]),
        ({"is_reproduced": True}, "PASSED", ["SLSA_BUILD_LEVEL_UNEVALUATED", "SLSA_BUILD_REPRODUCED"]),
        ({"problems": ("no",)}, "FAILED", ["FAILED"]),
        ({"problems": ("no",), "is_reproduced": True}, "FAILED", ["FAILED"]),
    ],
)
def test_levels_are_those_that_were_verified(found, result, levels):
    predicate = summarize(**found).predicate
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == (result, levels)


def test_without_an_address_the_digest_is_part_of_the_package_url():
    assert summarize().predicate["resourceUri"] == f"pkg:generic/app%201.whl?checksum=sha256:{DIGEST}"


def test_it_is_a_statement_about_the_artifact():
    assert parse_statement(summarize().encode()).is_about(DIGEST)
