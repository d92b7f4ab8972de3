"""``--ftc-update-baseline`` and what it spares."""

import pytest

PROJECT = """
[artifacts.app]
build = "{build}"
outputs = ["out"]
"""
ONE, TWO, NONE = "echo $HOME > out", "(echo $HOME; umask) > out", "echo > out"
OPTIONS = ("--ftc-variations=home,umask", "--ftc-diagnose=fast", "--ftc-no-cache")


def test_known_findings_pass_new_ones_fail_and_fixed_ones_go(verify, project):
    assert verify(PROJECT.format(build=ONE), *OPTIONS).status == 1
    assert verify(None, *OPTIONS, "--ftc-update-baseline").status == 0
    file = project / "ftc-baseline.toml"
    assert 'cause = "home"' in file.read_text()
    known = verify(None, *OPTIONS)
    assert (known.status, known.verdicts) == (0, {"app": "unreproducible"})
    assert "1 known, 0 new, 0 fixed (ftc-baseline.toml)" in known.text
    new = verify(PROJECT.format(build=TWO), *OPTIONS)
    assert (new.status, "1 known, 1 new" in new.text) == (1, True)
    fixed = verify(PROJECT.format(build=NONE), *OPTIONS)
    assert fixed.status == 0
    assert "fixed: ftc.toml::ftc::app, home in out" in fixed.text
    verify(None, *OPTIONS, "--ftc-update-baseline")
    assert "[[known]]" not in file.read_text()


def test_workers_know_it_too_and_what_expired_fails(verify, project):
    verify(PROJECT.format(build=ONE), *OPTIONS, "--ftc-update-baseline")
    assert verify(None, *OPTIONS, "-n2").status == 0
    file = project / "ftc-baseline.toml"
    file.write_text(file.read_text() + "expires = 2020-01-01\n")
    run = verify(None, *OPTIONS)
    assert run.status == 1
    assert "expired on 2020-01-01: ftc.toml::ftc::app, home in out" in run.text


@pytest.mark.parametrize(
    ("option", "told"), [("nothing.toml", "cannot be read: No such file"), ("ftc.toml", "expected tables [[known]]")]
)
def test_a_file_that_is_no_baseline_is_a_usage_error(verify, option, told):
    run = verify(PROJECT.format(build=ONE), f"--ftc-baseline={option}")
    assert (run.status, told in run.text) == (4, True)
