"""``--ftc-update-baseline`` and what it spares."""

import json

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


TAR = """
[artifacts.t]
build = "{build}"
outputs = ["t.tar"]
"""
PACK = "tar cf t.tar --exclude=t.tar a *.toml"


def test_a_new_member_is_known_and_one_more_cause_stands_first(verify, project):
    options = ("--ftc-variations=source_mtime,home", "--ftc-diagnose=fast", "--ftc-no-cache")
    (project / "a").mkdir()
    (project / "a/one.txt").write_text("1")
    verify(TAR.format(build=PACK), *options, "--ftc-update-baseline")
    assert (project / "ftc-baseline.toml").read_text().count("[[known]]") == 1
    (project / "a/one.txt").rename(project / "a/renamed.txt")
    (project / "a/two.txt").write_text("2")
    assert verify(None, *options).status == 0
    run = verify(
        TAR.format(build=f"echo $HOME > a/leak; touch -d @0 a a/leak; {PACK}"), *options, "--ftc-report=report", "-n2"
    )
    assert run.status == 1
    assert "t.tar › a/leak: line 1: home (suspected, new)\n" in run.text
    assert "known" in run.text and "that the baseline accepts: source_mtime" in run.text
    assert "new: ftc.toml::ftc::t, home in t.tar at line 0" in run.text
    findings = json.loads((project / "report/report.json").read_text())["artifacts"][0]["findings"]
    assert [one["new"] for one in findings] == sorted((one["new"] for one in findings), reverse=True)
    assert {one["cause"]: one["new"] for one in findings} == {"home": True, "source_mtime": False}
    results = json.loads((project / "report/findings.sarif").read_text())["runs"][0]["results"]
    assert {one["ruleId"]: one["baselineState"] for one in results} == {"home": "new", "source_mtime": "unchanged"}


SEVERAL = """
[artifacts.app]
build = "echo $HOME > out; head -c 8 /dev/urandom > more"
outputs = ["out", "more"]
[artifacts.other]
build = "umask > out"
outputs = ["out"]
[artifacts.third]
build = "echo $HOME > out"
outputs = ["out"]
[artifacts.broken]
build = "echo $HOME > out; exit 1"
outputs = ["out"]
"""


def test_an_update_touches_only_what_was_verified_and_what_is_gone(verify, project):
    (project / "test_it.py").write_text(
        "def test_one(ftc): ftc.verify('echo $HOME > out', ['out'])\ndef test_two(ftc): ftc.verify('umask > out', ['out'])\n"
    )
    first = verify(SEVERAL, *OPTIONS, "--ftc-update-baseline", "-n2")
    assert (first.status, first.verdicts["broken"]) == (1, "failed")
    file = project / "ftc-baseline.toml"
    assert {name: file.read_text().count(f'artifact = "{name}"') for name in ("ftc.toml::ftc::app", "ftc.toml::ftc::broken", "test_it.py::test_one")} == {
        "ftc.toml::ftc::app": 2,
        "ftc.toml::ftc::broken": 0,
        "test_it.py::test_one": 1,
    }  # fmt: skip
    file.write_text(file.read_text().replace("[[known]]", "# ours\n[[known]]"))
    before = file.read_text()
    for partial in (("-k", "other"), ("ftc.toml::ftc::other", "test_it.py::test_two")):
        verify(None, *OPTIONS, *partial, "--ftc-update-baseline")
        assert file.read_text() == before
    # One artifact is gone from the configuration, one test has another name, and one artifact is fixed.
    (project / "test_it.py").write_text("def test_two(ftc): ftc.verify('umask > out', ['out'])\n")
    changed = SEVERAL.replace("umask > out", "echo > out").replace("artifacts.third", "artifacts.fourth")
    run = verify(changed, *OPTIONS)
    assert "stale: ftc.toml::ftc::third no longer exists" in run.text
    assert "stale: test_it.py::test_one no longer exists" in run.text
    assert "removes what is fixed and stale" in run.text
    verify(None, *OPTIONS, "--ftc-update-baseline")
    after = file.read_text()
    assert [after.count(f"::{name}") for name in ("app", "other", "third", "fourth", "test_one", "test_two")] == [
        2,
        0,
        0,
        1,
        0,
        1,
    ]
    assert after.count("# ours") == 3


def test_what_one_diagnosis_has_written_another_knows(verify, project):
    build = PROJECT.format(build="(echo $HOME; echo $HOME | md5sum; umask) > out")
    file = project / "ftc-baseline.toml"
    for written, others in (("off", ["full"]), ("full", ["off", "fast"])):
        file.unlink(missing_ok=True)
        verify(build, *OPTIONS, f"--ftc-diagnose={written}", "--ftc-update-baseline")
        for seen in others:
            run = verify(None, *OPTIONS, f"--ftc-diagnose={seen}")
            assert (run.status, "0 new, 0 fixed" in run.text) == (0, True), (written, seen, run.text)
    assert {line for line in file.read_text().splitlines() if line.startswith("cause")} == {
        'cause = "home"',
        'cause = "umask"',
    }


@pytest.mark.parametrize(
    ("option", "told"), [("nothing.toml", "cannot be read: No such file"), ("ftc.toml", "expected tables [[known]]")]
)
def test_a_file_that_is_no_baseline_is_a_usage_error(verify, option, told):
    run = verify(PROJECT.format(build=ONE), f"--ftc-baseline={option}")
    assert (run.status, told in run.text) == (4, True)
