"""Provenance."""

import json
from dataclasses import replace

import pytest
from attestations import BUILDER, INPUTS, provenance
from samples import verification

from pytest_ftc.attestation.provenance import Invocation, list_dependencies, make_provenance, timestamp
from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import FtcError

RUN = Invocation(id="urn:uuid:1", started=0, finished=1)


def test_it_lists_what_the_artifact_was_built_from():
    listed = {one["name"]: one for one in list_dependencies(INPUTS)}
    assert listed["source tree"]["digest"] == {"sha256": "c" * 64}
    assert listed["git commit"]["digest"] == {"gitCommit": "d" * 40}
    assert listed["git commit"]["annotations"] == {"sourceDiffers": True}
    assert listed["/usr/bin/make"]["digest"] == {"sha256": "e" * 64}
    assert listed["build requirements"]["digest"] == {"sha256": "f" * 64}
    assert listed["wheel"]["uri"] == "pkg:pypi/wheel@0.45"


def test_what_is_not_there_is_not_listed():
    listed = list_dependencies(replace(INPUTS, commit="", requirements="", tools={}, distributions={}))
    assert [one["name"] for one in listed] == ["source tree"]


def test_two_runs_differ_in_the_fields_of_the_run_alone():
    one = json.loads(provenance(1_700_000_010).encode())
    other = json.loads(provenance(1_800_000_010).encode())
    assert one != other
    for document in (one, other):
        del document["predicate"]["runDetails"]["metadata"]
    assert one == other


def test_the_predicate_is_one_of_the_specification():
    pb2 = pytest.importorskip("in_toto_attestation.predicates.provenance.v1.provenance_pb2")
    from google.protobuf import json_format

    parsed = json_format.Parse(json.dumps(provenance().predicate), pb2.Provenance())
    assert parsed.run_details.builder.id == BUILDER.id


def test_without_inputs_there_is_none():
    with pytest.raises(FtcError, match="inputs were not recorded"):
        make_provenance(verification(Verdict.REPRODUCIBLE), BUILDER, RUN)


def test_times_are_rfc_3339():
    assert timestamp(1_700_000_000.9) == "2023-11-14T22:13:20Z"
