"""``--ftc-sample``: some of the artifacts, none of them left out for long, and what is left out is said to be."""

import json

import pytest

NAMES = [f"a{number}" for number in range(8)]
PROJECT = "".join(f"[artifacts.{name}]\nbuild = 'echo > out'\noutputs = ['out']\n" for name in NAMES)
QUICK = ("--ftc-variations=quick,-time",)


@pytest.fixture(autouse=True)
def _fresh_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_what_was_never_verified_is_not_left_out(verify):
    assert set(verify(PROJECT, *QUICK, "--ftc-sample=0").verdicts) == set(NAMES)


def test_a_sample_is_the_same_for_the_same_commit_and_says_what_it_leaves_out(verify):
    verify(PROJECT, *QUICK)
    run = verify(PROJECT, *QUICK, "--ftc-sample=0.5")
    assert 0 < len(run.verdicts) < len(NAMES)
    assert run.verdicts == verify(PROJECT, *QUICK, "--ftc-sample=0.5").verdicts
    left_out = sorted(set(NAMES) - set(run.verdicts))
    (line,) = [line for line in run.text.splitlines() if "left out" in line]
    assert line.startswith(f"  left out    {len(left_out)} artifact")
    assert ": not in this session's sample of 50%; last verified 2" in line
    verbose = verify(PROJECT, *QUICK, "--ftc-sample=0.5", "-v").text
    assert verbose.count("  left out    ") == len(left_out)
    assert f"{left_out[0]}: not in this session's sample of 50%; last verified 2" in verbose
    assert f"{len(left_out)} skipped" in run.text


def test_none_is_left_out_more_often_than_allowed(verify):
    limit = "[sampling]\nmost_left_out = 2\n"
    verify(PROJECT + limit, *QUICK)
    counts = [len(verify(None, *QUICK, "--ftc-sample=0").verdicts) for _ in range(3)]
    assert counts == [0, 0, len(NAMES)]


def test_what_is_critical_or_named_is_always_verified(verify):
    critical = "[artifacts.sure]\nbuild = 'echo > out'\noutputs = ['out']\ncritical = true\n"
    verify(PROJECT + critical, *QUICK)
    assert set(verify(None, *QUICK, "--ftc-sample=0").verdicts) == {"sure"}
    assert set(verify(None, *QUICK, "--ftc-sample=0", "ftc.toml::ftc::a3").verdicts) == {"a3"}


def test_what_did_not_pass_is_not_left_out(verify):
    project = PROJECT.replace("'echo > out'", "'cat /nonexistent > out'", 1)
    verify(project, *QUICK)
    for _ in range(2):
        assert verify(None, *QUICK, "--ftc-sample=0").verdicts == {"a0": "failed"}
    verify(PROJECT, *QUICK, "--ftc-sample=0")
    assert verify(None, *QUICK, "--ftc-sample=0").verdicts == {}


def test_workers_leave_out_the_same(verify):
    verify(PROJECT, *QUICK)
    alone = verify(None, *QUICK, "--ftc-sample=0.5")
    assert verify(None, *QUICK, "--ftc-sample=0.5", "-n2").verdicts == alone.verdicts


@pytest.mark.parametrize("spoilt", ["{", '{"x": 1}', json.dumps({"ftc.toml::ftc::a1": {"left_out": "many"}})])
def test_what_cannot_be_remembered_makes_all_of_them_due(verify, monkeypatch, tmp_path, spoilt):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    verify(PROJECT, *QUICK)
    (file,) = (tmp_path / "pytest-ftc" / "samples").glob("*.json")
    file.write_text(spoilt)
    assert set(verify(None, *QUICK, "--ftc-sample=0").verdicts) == set(NAMES)


@pytest.mark.parametrize("value", ["1.5", "-0.1", "half", "nan"])
def test_what_is_no_share_is_a_usage_error(verify, value):
    run = verify(PROJECT, f"--ftc-sample={value}")
    assert run.status == 4
    assert "--ftc-sample: expected a number from 0 to 1" in run.text
