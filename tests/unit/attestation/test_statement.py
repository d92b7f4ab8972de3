"""Statements: what they are about, and which are refused."""

import json

import pytest
from attestations import BUILDER, good
from hypothesis import given
from hypothesis import strategies as st
from samples import verification

from pytest_ftc.attestation.parity import make_parity
from pytest_ftc.attestation.statement import (
    STATEMENT_TYPE,
    Statement,
    Subject,
    compared_subjects_of,
    parse_statement,
    subjects_of,
)
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.valid_text import valid_text

names = st.text(st.characters(codec="utf-8"), max_size=8)
digests = st.dictionaries(st.sampled_from(["sha256", "sha512"]), st.binary(min_size=1).map(bytes.hex), min_size=1)
predicates = st.dictionaries(names, st.recursive(names | st.booleans() | st.integers(), st.lists, max_leaves=5))


@given(
    st.lists(st.tuples(names.filter(bool), digests), min_size=1, max_size=3, unique_by=lambda one: one[0]), predicates
)
def test_a_statement_is_what_it_was(subjects, predicate):
    statement = Statement(tuple(Subject(*one) for one in subjects), "https://example.com/v1", predicate)
    assert parse_statement(statement.encode()) == statement


def test_equal_statements_are_equal_bytes():
    assert good().encode() == good().encode()
    assert b" " not in good().encode().replace(b"these are refused", b"")[:40]


def test_it_is_valid_for_the_library_of_the_specification():
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement as Specified

    parsed = json_format.Parse(good().encode(), statement_pb2.Statement())
    Specified.copy_from_pb(parsed).validate()
    assert parsed.subject[0].digest["sha256"] == "a" * 64


def document(**changes):
    subject = {"name": "a", "digest": {"sha256": "ab"}}
    return {"_type": STATEMENT_TYPE, "subject": [subject], "predicateType": "t", "predicate": {}, **changes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "_type: expected"),
        ({"subject": []}, "at least one"),
        ({"subject": [{"name": "a"}]}, "digest: expected an object, found nothing"),
        ({"subject": [{"name": "a", "digest": {}}]}, "hexadecimal"),
        ({"subject": [{"name": "a", "digest": {"sha256": "xyz"}}]}, "hexadecimal"),
        ({"subject": [{"name": "a", "digest": {"sha256": 3}}]}, "hexadecimal"),
        ({"subject": [{"name": "a", "digest": {"sha256": "AB"}}]}, "lower-case"),
        ({"subject": [{"name": 1, "digest": {"sha256": "ab"}}]}, "name: expected text"),
        ({"subject": [document()["subject"][0]] * 2}, "same name"),
        ({"subject": ["a"]}, "expected objects"),
        ({"predicateType": None}, "predicateType: expected text, found nothing"),
        ({"predicate": []}, "predicate: expected an object, found list"),
    ],
)
def test_what_is_no_statement_is_refused(changes, said):
    with pytest.raises(DocumentError, match=said):
        parse_statement(json.dumps(document(**changes)).encode())


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000, b"\xff", b'{"a": Infinity}']
)
def test_what_is_no_json_object_is_refused(data):
    with pytest.raises(DocumentError):
        parse_statement(data)


def test_unknown_fields_are_ignored():
    assert parse_statement(json.dumps(document(more=1)).encode()).predicate_type == "t"


def test_it_is_about_the_files_of_the_control():
    assert subjects_of(verification(Verdict.REPRODUCIBLE)) == (Subject("dist/app.whl", {"sha256": "a" * 64}),)


def test_files_of_experiments_are_named_after_their_build():
    names = [subject.name for subject in compared_subjects_of(verification(Verdict.UNREPRODUCIBLE))]
    assert names == ["dist/app.whl", "dist/app.whl#app-experiment"]


def test_without_an_output_there_is_nothing_to_attest():
    with pytest.raises(FtcError, match="nothing to attest"):
        subjects_of(verification(Verdict.FAILED))


def test_names_that_are_no_unicode_are_escaped():
    assert valid_text(b"a\xffb".decode("utf-8", "surrogateescape")) == "a\\xffb"
    statement = make_parity(verification(Verdict.REPRODUCIBLE, output="a\udcffb"), BUILDER)
    assert parse_statement(statement.encode()).subjects[0].name == "a\\xffb"
