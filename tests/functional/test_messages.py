"""What a mistake in the configuration or on the command line is told."""

import pytest

PROJECT = """
[artifacts.first]
build = "echo 1 > other.txt"
outputs = ["out.txt"]
[artifacts.second]
build = "true"
outputs = ["out.txt"]
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n[tool.ftc.artifacts.a]\nbuild = 'x'\n", "ftc.toml:2: [tool.ftc.artifacts.a]: write [artifacts.a], without"),
        ("[tool.ftc]\nbuilds = 3\n", "ftc.toml:1: [tool.ftc]: leave this line out: the keys stand at the top"),
    ],
)
def test_tables_are_not_named_as_in_pyproject(verify, text, told):
    run = verify(text)
    assert (run.status, told in run.text) == (4, True)


def test_an_artifact_that_is_not_there_is_told_with_those_that_are(verify):
    run = verify(PROJECT, "ftc.toml::ftc::frist")
    assert run.status == 4
    assert "no artifact is named 'frist'; did you mean 'first'?  Artifacts: first, second" in run.text


def test_a_missing_output_is_told_with_what_the_build_left(verify):
    run = verify(PROJECT, "--ftc-variations=home", "--ftc-no-cache")
    words = " ".join(run.text.split())
    assert "the build left nothing that matches 'out.txt'; it left 'other.txt'" in words
    assert "the build left nothing that matches 'out.txt'; it left no file at all" in words


def test_options_that_wait_for_ftc_verify_are_warned_of(pytester):
    pytester.makepyfile("def test(): pass")
    run = pytester.runpytest_subprocess("--ftc-diagnose=off")
    run.stdout.fnmatch_lines(["*without --ftc-verify, --ftc-diagnose has no effect"])
    pytester.makeini("[pytest]\naddopts = --ftc-diagnose=off")
    run = pytester.runpytest_subprocess()
    run.assert_outcomes(passed=1, warnings=0)
