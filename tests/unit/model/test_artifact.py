"""Ids of declared artifacts are made and recognised in one place."""

from pytest_ftc.model.artifact import declared_id, is_declared
from pytest_ftc.model.reference_note import is_reference_note, note_equal, note_normalized


def test_the_id_of_a_declared_artifact_is_recognised():
    assert declared_id("ftc.toml", "app") == "ftc.toml::ftc::app"
    assert is_declared("ftc.toml::ftc::app")
    assert is_declared("ftc.toml::ftc::app", "app")
    assert not is_declared("ftc.toml::ftc::app", "other")
    assert not is_declared("tests/test_app.py::test_build")


def test_notes_about_published_files_are_recognised():
    notes = [note_equal(["a", "b"]), note_normalized("a", equal=True), note_normalized("a", equal=False)]
    assert all(map(is_reference_note, notes))
    assert not is_reference_note("build requirements: sha256 0")
