"""A green session names the command that builds what was verified, where that needs settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ftc.model import Artifact, Verdict, Verification
from pytest_ftc.verification.release.hint import release_command


def make(name: str, **more) -> Artifact:
    return Artifact(id=f"ftc.toml::ftc::{name}", name=name, build="make", outputs=("x",), source=Path("/s"), **more)


def verified(*names: str, verdict: Verdict = Verdict.REPRODUCIBLE) -> list[Verification]:
    return [Verification(id=f"ftc.toml::ftc::{name}", name=name, verdict=verdict) for name in names]


@pytest.mark.parametrize(
    "settings", [{"before": "x"}, {"after": "x"}, {"env": {"A": "1"}}, {"source_date_epoch": "git"}]
)
def test_settings_are_named(settings):
    artifacts = [make("my app", **settings), make("plain"), make("other", **settings)]
    told = release_command(artifacts, verified("my app", "plain"))
    assert told == "ftc build 'my app' -o dist   builds the bytes that were verified"


def test_without_settings_or_with_a_bad_verdict_nothing_is_said():
    assert release_command([make("a")], verified("a")) == ""
    artifacts = [make("a", after="x"), make("b")]
    assert release_command(artifacts, verified("a") + verified("b", verdict=Verdict.UNREPRODUCIBLE)) == ""


def test_many_names_are_left_out():
    names = ["a", "b", "c", "d"]
    told = release_command([make(name, after="x") for name in names], verified(*names))
    assert told.startswith("ftc build -o dist ")
