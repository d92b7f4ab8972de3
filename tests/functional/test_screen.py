"""What a session prints of its artifacts: once what is common to all, and each failure in one line."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

FAST = ("--ftc-variations=home,umask", "--ftc-diagnose=fast", "--ftc-no-cache")
LEAKS = "[artifacts.{name}]\nbuild = '(echo $HOME; umask) > {name}.txt'\noutputs = ['*.txt']\n"
TEST = """
def test_it(ftc):
    ftc.verify(build="echo $HOME > out", outputs=["out"])
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_the_short_summary_names_causes_and_output(verify, project, workers):
    (project / "test_it.py").write_text(TEST)
    run = verify(LEAKS.format(name="app"), *FAST, *workers, "--junitxml=junit.xml")
    lines = run.text.splitlines()
    assert "FAILED ftc.toml::ftc::app - home, umask in app.txt" in lines
    assert "FAILED test_it.py::test_it - home in out" in lines
    messages = {failure.get("message") for failure in ElementTree.parse(project / "junit.xml").iter("failure")}
    assert messages == {"home, umask in app.txt", "home in out"}


def test_it_does_so_too_where_tests_of_the_project_fail(verify, project):
    (project / "test_it.py").write_text("def test_it():\n    assert 0\n")
    run = verify(LEAKS.format(name="app"), *FAST)
    assert "FAILED ftc.toml::ftc::app - home, umask in app.txt" in run.text.splitlines()


def test_a_line_of_each_failure_has_its_place_in_the_configuration(verify):
    run = verify("# first\n" + LEAKS.format(name="app"), *FAST, "--tb=line")
    assert "ftc.toml:2: home, umask in app.txt" in run.text.splitlines()


def test_what_was_varied_is_listed_once(verify):
    run = verify(LEAKS.format(name="one") + LEAKS.format(name="other"), *FAST)
    assert [line for line in run.text.splitlines() if line.startswith("  varied ")] == ["  varied      home, umask"]


MANY = "".join(LEAKS.format(name=f"leak-{number}") for number in range(19)) + (
    "[artifacts.broken]\nbuild = 'exit 3'\noutputs = ['*.txt']\n"
)


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_many_failures_are_first_told_by_cause_and_most_in_one_line(verify, workers, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    run = verify(MANY, *FAST, *workers)
    lines = run.text.splitlines()
    assert run.text.index("= ftc: 20 failures by cause =") < run.text.index("= FAILURES =")
    for line in (
        "  home    19 artifacts, no remedy known",
        "  umask   19 artifacts, no remedy known",
        "  failed  1 artifact: the control build failed: exit status 3",
        "  total       20 artifacts: 19 unreproducible, 1 failed (-v lists them)",
    ):
        assert line in lines
    assert lines.count("✘ leak-18.txt: line 1: home (suspected); also umask") == 1
    assert any(line.startswith("✘ unreproducible  leak-") for line in lines)
    assert any("control     /ftc-home-" in line for line in lines)
    assert len(lines) < 120


def test_a_verbose_session_shows_many_failures_in_full(verify):
    run = verify(MANY, *FAST, "-v")
    assert "= ftc: 20 failures by cause =" in run.text
    assert run.text.count("  control     /ftc-home-") == 19
    assert sum(line.startswith("✘ unreproducible  leak-18 ") for line in run.text.splitlines()) == 1


def test_a_session_that_shows_no_failures_shows_no_causes(verify):
    run = verify("".join(LEAKS.format(name=f"leak-{number}") for number in range(6)), *FAST, "--tb=no")
    assert "6 failed" in run.text
    assert "by cause" not in run.text


def test_few_failures_are_all_shown_in_full(verify):
    run = verify("".join(LEAKS.format(name=f"leak-{number}") for number in range(5)), *FAST)
    assert "by cause" not in run.text
    assert run.text.count("  control     /ftc-home-") == 5


def test_the_stacks_of_pytest_are_shown_for_slow_tests_of_the_project_alone(verify, project):
    (project / "pytest.ini").write_text("[pytest]\nfaulthandler_timeout = 0.5\n")
    build = "[artifacts.slow]\nbuild = 'sleep 1; date +%s%N > out'\noutputs = ['out']\n"
    slow = "import time\n\n\ndef test_it():\n    time.sleep(1)\n"
    assert "Timeout (" not in verify(build, "--ftc-diagnose=off", "--ftc-no-cache").text
    (project / "test_slow.py").write_text(slow)
    run = verify(build, "--ftc-diagnose=off", "--ftc-no-cache", "--ftc-sample=0")
    assert run.text.count("Timeout (") == 1
    assert 'test_slow.py", line 5 in test_it' in run.text


def test_the_note_on_what_is_not_declared_is_wrapped(verify, project, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    (project / "pyproject.toml").write_text("[build-system]\nrequires = []\nbuild-backend = 'none'\n")
    build = "[artifacts.wheel]\nbuild = 'echo a > out'\noutputs = ['out']\n"
    run = verify(build, "--ftc-diagnose=off", "--ftc-no-cache")
    (first,) = (
        number for number, line in enumerate(run.text.splitlines()) if line.startswith("  note        the sdist")
    )
    assert all(len(line) <= 80 for line in run.text.splitlines()[first : first + 3])
    assert "add [artifacts.sdist] with preset" in " ".join(run.text.split())


@pytest.mark.parametrize("start", ["above", "below"])
def test_commands_go_to_the_project_from_where_the_session_was_started(project, clean_environment, tmp_path, start):
    (project / "ftc.toml").write_text("[artifacts.app]\nbuild = 'tar cf app.tar a'\noutputs = ['app.tar']\n")
    (project / "pytest.ini").write_text("")
    (project / "a").mkdir()
    folder, argument = (project.parent, project.name) if start == "above" else (project / "a", "..")
    variables = {**clean_environment, "FTC_STORE": str(tmp_path / "store")}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"

    def run(command):
        done = subprocess.run(["sh", "-c", command], cwd=folder, env=variables, capture_output=True, text=True)
        return done.stdout + done.stderr

    text = run(f"pytest --ftc-verify --ftc-variations=source_mtime,umask {argument}")
    shown = dict(re.findall(r"^  (next|again|replay)\s+(.*)$", re.sub(r"\\\n\s+", "", text), re.MULTILINE))
    assert "TAR_OPTIONS" in run(shown["next"]), shown
    assert "same as before" in run(shown["replay"]), shown
    assert "unreproducible  app" in run(shown["again"]), shown
