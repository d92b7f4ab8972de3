"""The log of verdicts: what it lost or what was changed is found."""

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.attestation.merkle import is_consistent, leaf_hash, root_hash
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.attestation.verdict_log import Head, LogError, VerdictLog, parse_proof


@pytest.fixture
def log(tmp_path):
    log = VerdictLog(tmp_path / "log")
    for number in range(5):
        log.append([{"artifact": f"a{number}", "verdict": "reproducible"}, {"artifact": f"b{number}"}])
    return log


@given(st.lists(st.lists(st.binary(max_size=3), max_size=9), max_size=6))
def test_the_root_follows_from_the_head_alone(batches):
    head, leaves = Head(0, root_hash([])), []
    for batch in batches:
        head = head.grown_by(batch)
        leaves += batch
        assert (head.size, head.root) == (len(leaves), root_hash([leaf_hash(leaf) for leaf in leaves]))


def test_an_empty_log(tmp_path):
    assert VerdictLog(tmp_path / "log").verify().head.size == 0


def test_every_leaf_is_proved(log):
    for index in range(10):
        proof = log.verify().prove(index)
        assert proof.holds
        assert parse_proof(json.loads(json.dumps(proof.to_json()))) == proof
    assert json.loads(log.verify().prove(9).leaf) == {"artifact": "b4"}


def test_a_proof_of_another_leaf_does_not_hold(log):
    document = log.verify().prove(3).to_json()
    for name, value in (
        ("leaf", "{}"),
        ("index", 4),
        ("size", 3),
        ("root", "00" * 32),
        ("hashes", document["hashes"][1:]),
    ):
        assert not parse_proof({**document, name: value}).holds


@pytest.mark.parametrize("change", [{"hashes": "x"}, {"hashes": ["zz"]}, {"root": 1}, {"index": "1"}, {"leaf": None}])
def test_what_is_no_proof_is_refused(log, change):
    with pytest.raises(DocumentError):
        parse_proof({**log.verify().prove(0).to_json(), **change})


def test_a_grown_log_begins_with_what_it_was(log):
    before = log.head()
    log.append([{"artifact": "c"}])
    now = log.verify().head
    assert is_consistent(before.size, before.root, now.size, now.root, log.verify().prove_consistency(before.size))
    assert root_hash(log.verify().hashes[: before.size]) == before.root


def lines(log) -> Path:
    return log._leaves


def damage_last(log):
    lines(log).write_bytes(lines(log).read_bytes()[:-20])


def damage_one(log):
    lines(log).write_bytes(lines(log).read_bytes().replace(b"a2", b"a9"))


def drop_one(log):
    lines(log).write_bytes(b"".join(lines(log).read_bytes().splitlines(keepends=True)[1:]))


def swap(log):
    rows = lines(log).read_bytes().splitlines(keepends=True)
    lines(log).write_bytes(b"".join([rows[2], rows[1], rows[0], *rows[3:]]))


@pytest.mark.parametrize("damage", [damage_last, damage_one, drop_one, swap, lambda log: lines(log).unlink()])
def test_a_lost_or_changed_leaf_is_found(log, damage):
    damage(log)
    with pytest.raises(LogError):
        log.verify()


@pytest.mark.parametrize("damage", [damage_last, drop_one])
def test_nothing_is_appended_to_a_log_that_lost_leaves(log, damage):
    damage(log)
    with pytest.raises(LogError, match="lost leaves"):
        log.append([{"artifact": "x"}])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"size": 1, "root": "zz", "length": 1, "peaks": []}'])
def test_a_damaged_head_is_found(log, text):
    log._head.write_text(text)
    with pytest.raises(DocumentError):
        log.verify()


def test_a_session_killed_before_it_wrote_the_head_loses_nothing(log):
    with open(lines(log), "ab") as file:
        file.write(b'{"artifact":"late"}\n{"artif')
    assert log.verify().head.size == 10
    log.append([{"artifact": "next"}])
    assert log.verify().head.size == 12
    assert [json.loads(leaf)["artifact"] for leaf in log.verify().leaves[-2:]] == ["late", "next"]


def find(log, **wanted):
    return log.verify().find(lambda entry: wanted.items() <= entry.items())


def test_the_newest_leaf_with_the_wanted_fields_is_found(log):
    assert find(log, verdict="reproducible") == 8
    assert find(log, artifact="b1") == 3
    assert find(log, artifact="none") is None


def append_many(folder):
    for number in range(20):
        VerdictLog(folder).append([{"number": number}])


def test_sessions_at_once_lose_nothing(tmp_path):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(append_many, [tmp_path / "log"] * 3)
    assert VerdictLog(tmp_path / "log").verify().head.size == 60


@pytest.mark.parametrize("size", [0, 11, -1])
def test_there_is_no_proof_of_a_size_it_never_had(log, size):
    with pytest.raises(LogError):
        log.verify().prove_consistency(size)
    with pytest.raises(LogError, match="no leaf"):
        log.verify().prove(10)
