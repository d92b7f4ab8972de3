"""Ids of declared artifacts are made and recognised in one place."""

from pytest_ftc.model.artifact import declared_id, is_declared


def test_the_id_of_a_declared_artifact_is_recognised():
    assert declared_id("ftc.toml", "app") == "ftc.toml::ftc::app"
    assert is_declared("ftc.toml::ftc::app")
    assert is_declared("ftc.toml::ftc::app", "app")
    assert not is_declared("ftc.toml::ftc::app", "other")
    assert not is_declared("tests/test_app.py::test_build")
