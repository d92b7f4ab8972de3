"""The reports of all jobs together: what is missing is told, and nothing else is."""

import pytest

from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.reporting.seal import seal
from pytest_ftc.verification.sharding.shard import Shard
from pytest_ftc.verification.sharding.split import Part, split
from pytest_ftc.verification.sharding.together import put_together, read_shard_report

IDS = [*(f"ftc.toml::ftc::a{number}" for number in range(7)), "test_a.py::test_b"]


def document(number, count=3, *, ids=IDS, lacks=(), left_out=(), commit="1" * 40):
    part = Part.of(split(ids, {}, count), Shard(number, count))
    verified = [one for one in part.artifacts if one not in {*lacks, *left_out}]
    session = {"shard": {**to_json(part), "left_out": list(left_out)}, "source": {"commit": commit}}
    return seal({"session": session, "artifacts": [{"id": one, "verdict": "reproducible"} for one in verified]})


def together(*documents):
    reports = [read_shard_report(f"r{place}.json", one) for place, one in enumerate(documents, 1)]
    return put_together(reports)


def test_all_of_them_have_every_artifact():
    found = together(document(1), document(2), document(3))
    assert (found.problems, found.total, found.verdicts) == ((), 8, {"reproducible": 8})


def test_a_job_that_did_not_run_and_one_that_ran_twice_are_told():
    assert together(document(1), document(3)).problems == ("shard 2 of 3 has no report",)
    twice = together(document(1), document(2), document(3), document(2))
    assert twice.problems == ("shard 2 of 3 has 2 reports: r2.json, r4.json",)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (document(3, commit="2" * 40), "commit"),
        (document(3, ids=IDS[1:]), "division of the artifacts"),
        (document(3, 4), "number of shards"),
    ],
)
def test_reports_of_different_divisions_are_told_apart(other, what):
    assert f"r3.json has another {what} than r1.json" in together(document(1), document(2), other).problems


def test_an_artifact_without_a_verdict_is_told_unless_it_was_left_out_or_is_a_test():
    own = Part.of(split(IDS, {}, 3), Shard(1, 3)).artifacts
    assert together(document(1, lacks=own[:1]), document(2), document(3)).problems == (
        f"{own[0]} has no verdict in r1.json",
    )
    assert together(document(1, left_out=own[:1]), document(2), document(3)).problems == ()
    tests = [document(number, lacks=["test_a.py::test_b"]) for number in (1, 2, 3)]
    assert together(*tests).problems == ()


def test_what_is_no_report_of_a_shard_or_was_changed_is_told():
    assert read_shard_report("r", seal({"session": {}, "artifacts": []})) == "r is not the report of a shard"
    changed = {**document(1), "artifacts": []}
    assert read_shard_report("r", changed) == "r was changed: its digest does not match its contents"
    assert put_together([]).problems == ()
