"""What a session prints of its artifacts: once what is common to all, and each failure in one line."""

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
