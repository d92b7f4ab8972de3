"""Whether two builders are two machines."""

import json
from dataclasses import replace

import pytest
from attestations import BUILDER, INPUTS, good, provenance
from samples import verification

from pytest_ftc.attestation.independence import count_machines, hosts_of
from pytest_ftc.attestation.provenance import Invocation, make_provenance
from pytest_ftc.model import Verdict
from pytest_ftc.model.build_inputs import Host

RUN = Invocation(id="urn:uuid:1", started=0, finished=1)


def of(**host):
    inputs = replace(INPUTS, host=Host(**host))
    return make_provenance(replace(verification(Verdict.REPRODUCIBLE), inputs=inputs), BUILDER, RUN)


def test_provenance_identifies_the_machine_and_its_kernel():
    assert hosts_of(of(machine="m", boot="b")) == {"m", "b"}
    assert hosts_of(provenance()) == frozenset()
    assert hosts_of(good()) == frozenset()


@pytest.mark.parametrize(
    "byproducts", [None, "x", [1], [{"name": "kernel boot"}], [{"name": "kernel boot", "digest": 1}]]
)
def test_what_is_malformed_identifies_nothing(byproducts):
    statement = of()
    predicate = json.loads(json.dumps(statement.predicate))
    predicate["runDetails"]["byproducts"] = byproducts
    assert hosts_of(replace(statement, predicate=predicate)) == frozenset()


def test_the_predicate_is_one_of_the_specification():
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

    statement = of(kernel="Linux 6", image="debian 12", machine="m" * 64, boot="b" * 64)
    parsed = json_format.Parse(json.dumps(statement.predicate), provenance_pb2.Provenance())
    assert parsed.build_definition.internal_parameters["image"] == "debian 12"
    assert parsed.run_details.byproducts[0].name == "kernel boot"


@pytest.mark.parametrize(
    ("hosts", "count"),
    [
        ({}, 4),
        ({"a": {"1"}, "b": {"2"}}, 4),
        ({"a": {"1"}, "b": {"1"}}, 3),
        ({"a": {"1"}, "b": {"1", "2"}, "c": {"2"}}, 2),
        ({"a": {"1"}, "b": {"2"}, "c": {"1", "2"}}, 2),
    ],
)
def test_builders_on_one_host_share_its_machines(hosts, count):
    sets = {name: frozenset(ids) for name, ids in hosts.items()}
    assert count_machines({"a": 1, "b": 2, "c": 1}, sets) == count
