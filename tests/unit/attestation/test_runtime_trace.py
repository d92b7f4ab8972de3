"""Runtime traces."""

import json
import re
from dataclasses import replace

import pytest
from attestations import BUILDER, INPUTS
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.resource_descriptor_pb2 import ResourceDescriptor as Described
from in_toto_attestation.v1.statement import Statement as Specified
from samples import verification

from pytest_ftc.attestation.documents import make_statements
from pytest_ftc.attestation.provenance import Invocation
from pytest_ftc.attestation.runtime_trace import TRACE_TYPE, make_runtime_trace
from pytest_ftc.model import Verdict
from pytest_ftc.model.trace import Program, Trace

RUN = Invocation(id="urn:uuid:1", started=0, finished=1)


def program(name, parent=0, **more):
    values = {"pid": 7, "argv": (name, "x"), "folder": "/build", "parent": parent, "exit_code": 0}
    return Program(**{**values, "program": f"/usr/bin/{name}", "hash_seed": "the seed", **more})


TRACE = Trace(
    programs=(program("sh", -1), program("make"), program("cc", 1, exit_code=-9)),
    read=((1, "/usr/bin/make"), (2, "/build/a b.c"), (0, "/build/a b.c")),
    written=((2, "/build/a.o"),),
    contents=((2, "/build/a.o", "confidential"),),
    moved=((0, "/build/a.o", "/build/out"),),
    connected=((1, "192.0.2.1:443"), (2, "[2001:db8::1]:80"), (9, "somewhere")),
    gaps=("a gap",),
    random=(2,),
    outside=(("/etc/shadow", "absent"), ("/usr/bin/make", "file"), ("/etc", "folder"), ("/etc/fstab", "looked at")),
    outside_gap="another gap",
)


def traced(trace=TRACE, asked=True):
    one = verification(Verdict.REPRODUCIBLE)
    builds = tuple(replace(build, trace=trace) for build in one.builds)
    return replace(one, builds=builds, traced=asked, inputs=INPUTS)


def log(trace=TRACE):
    return make_runtime_trace(traced(trace), BUILDER, RUN).predicate["monitorLog"]


def test_it_is_a_statement_of_the_specification():
    statement = make_runtime_trace(traced(), BUILDER, RUN)
    parsed = json_format.Parse(statement.encode(), statement_pb2.Statement())
    Specified.copy_from_pb(parsed).validate()
    assert parsed.predicate_type == TRACE_TYPE == "https://in-toto.io/attestation/runtime-trace/v0.1"
    assert set(statement.predicate) == {"monitor", "monitoredProcess", "monitorLog", "metadata"}
    assert statement.predicate["monitoredProcess"]["hostID"] == BUILDER.id
    for one in statement.predicate["monitorLog"]["fileAccess"]:
        ResourceDescriptor.copy_from_pb(json_format.Parse(json.dumps(one), Described())).validate()


def test_processes_say_what_ran():
    assert log()["process"][2] == {
        "processBinary": "/usr/bin/cc",
        "arguments": ["cc", "x"],
        "folder": "/build",
        "parent": 1,
        "exitCode": -9,
        "askedForRandomBytes": True,
    }


def test_files_say_how_they_were_used_and_what_they_are():
    files = {one["name"]: one for one in log()["fileAccess"]}
    assert list(files) == sorted(files)
    assert files["/build/a b.c"]["uri"] == "file:///build/a%20b.c"
    assert files["/build/out"]["annotations"] == {"access": ["renamed to"]}
    assert files["/etc/shadow"]["annotations"] == {"access": ["absent"]}
    assert files["/etc"]["annotations"] == {"access": ["listed"]}
    assert files["/etc/fstab"]["annotations"] == {"access": ["looked at"]}
    assert files["/usr/bin/make"]["digest"] == {"sha256": "e" * 64}
    assert files["/usr/bin/make"]["annotations"] == {"access": ["read"]}


def test_addresses_are_those_of_the_specification():
    process = {"index": 1, "processBinary": "/usr/bin/make"}
    assert log()["network"] == [
        {"ip": "192.0.2.1", "port": 443, "invokingProcess": process},
        {"ip": "2001:db8::1", "port": 80, "invokingProcess": {"index": 2, "processBinary": "/usr/bin/cc"}},
        {"hostname": "somewhere"},
    ]


def test_gaps_are_named():
    policy = make_runtime_trace(traced(), BUILDER, RUN).predicate["monitor"]["tracePolicy"]
    assert policy["gaps"] == ["a gap", "another gap"]
    many = replace(TRACE, read=tuple((0, f"/{number}") for number in range(60_000)))
    statement = make_runtime_trace(traced(many), BUILDER, RUN)
    assert len(statement.predicate["monitorLog"]["fileAccess"]) == 50_000
    assert "lists end after 50000 entries" in statement.predicate["monitor"]["tracePolicy"]["gaps"]


def test_contents_and_environment_are_not_in_it():
    encoded = make_runtime_trace(traced(), BUILDER, RUN).encode()
    assert b"confidential" not in encoded
    assert b"the seed" not in encoded


def test_names_that_are_no_unicode_are_escaped():
    (one,) = log(replace(TRACE, read=((0, "/a\udcff"),), written=(), moved=(), outside=()))["fileAccess"]
    assert (one["name"], one["uri"]) == ("/a\\xff", "file:///a%FF")


@pytest.mark.parametrize("one", [traced(trace=None), traced(asked=False)], ids=["no trace", "not asked for"])
def test_without_a_trace_there_is_none(one):
    assert make_runtime_trace(one, BUILDER, RUN) is None
    assert "runtime-trace" not in dict(make_statements(one, BUILDER, None))


def test_it_is_of_the_run_that_provenance_is_of():
    made = dict(make_statements(traced(), BUILDER, None))
    run = made["provenance"].predicate["runDetails"]["metadata"]["invocationId"]
    assert made["runtime-trace"].predicate["monitoredProcess"]["event"] == run


def test_parity_and_provenance_name_the_trace_of_the_session():
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    made = dict(make_statements(replace(traced(), trace_id=trace), BUILDER, None))
    assert made["parity"].predicate["attributes"][0]["conditions"]["trace"] == trace
    run = made["provenance"].predicate["runDetails"]["metadata"]["invocationId"]
    assert re.fullmatch(rf"urn:uuid:[0-9a-f-]{{36}}\?=trace={trace}", run)
    earlier = dict(make_statements(traced(), BUILDER, None))
    assert "trace" not in earlier["parity"].predicate["attributes"][0]["conditions"]
