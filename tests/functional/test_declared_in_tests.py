"""The fixture ``ftc`` and the marker ``ftc``: artifacts that tests declare."""

import json

import pytest

OPTIONS = ("--ftc-variations=home,umask,hash_seed", "--ftc-diagnose=fast", "-p", "no:cacheprovider")


@pytest.fixture
def run(pytester, tmp_path, monkeypatch):
    monkeypatch.setenv("FTC_STORE", str(tmp_path / "store"))
    pytester.makeini("[pytest]\nmarkers =\n    plain")

    def run(code: str, *arguments: str, verify: bool = True):
        pytester.makepyfile(test_it=code)
        given = ("--ftc-verify", *OPTIONS) if verify else ()
        return pytester.runpytest_subprocess(*given, *arguments)

    return run


COMMAND = """
def test_good(ftc):
    outcome = ftc.verify(build="echo good > out", outputs=["out"])
    assert outcome.reproducible

def test_bad(ftc):
    ftc.verify(build=["sh", "-c", "echo $HOME > out"], outputs=["out"])
"""


def test_a_command_is_verified_and_raises_with_the_findings(run):
    result = run(COMMAND)
    result.assert_outcomes(passed=1, failed=1)
    text = str(result.stdout)
    assert "✘ unreproducible  test_it.py::test_bad" in text
    assert "it contains the home folder" in text
    assert "again       pytest --ftc-verify test_it.py::test_bad" in text


def test_without_the_option_it_is_built_once(run, tmp_path):
    result = run(COMMAND, verify=False)
    result.assert_outcomes(passed=1, skipped=1)
    result = run('def test_broken(ftc):\n    ftc.verify(build="echo why; exit 3", outputs=["out"])', verify=False)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the build failed: exit status 3*", "why"])


def test_an_assertion_explains_itself(run):
    result = run(
        'def test_it(ftc):\n'
        '    outcome = ftc.verify(build="echo $HOME > out", outputs=["out"], check=False)\n'
        '    assert outcome.reproducible\n'
    )  # fmt: skip
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E * assert <test_it.py::test_it: unreproducible; out differs at line 1; cause: home*"]
    )


ELSEWHERE = """
import pytest
from functools import partial
from pathlib import Path
from helped import value

def write(where):
    import helped
    Path(where).write_text(helped.value())

def test_function(ftc):
    assert ftc.verify(build=partial(write, where=Path("out")), outputs=("out",)).verdict == "reproducible"

def test_other_source(ftc, tmp_path):
    (tmp_path / "in").write_text("in")
    assert ftc.verify(build=("cp", "in", "out"), outputs=["out"], source=tmp_path).reproducible

@pytest.mark.ftc(outputs=["*.txt"])
@pytest.mark.parametrize("name", ["a b", "x[y]::z", "é/$HOME", "-k"])
def test_marked(ftc_output, name, below, of_a_plugin, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("X", "1")
    print("hello", end="")
    assert capsys.readouterr().out == "hello"
    (tmp_path / "x").write_text(value() + below + of_a_plugin)
    (ftc_output / "r.txt").write_text((tmp_path / "x").read_text())

class TestInAClass:
    @pytest.mark.ftc(outputs=["*.txt"])
    def check_by_another_name(self, ftc_output):
        (ftc_output / "r.txt").write_text("x")
"""


def test_builds_import_and_collect_as_pytest_does_here(run, pytester, tmp_path):
    root = pytester.mkdir("project")
    for name in ("src", "tests", "tests/unit"):
        (root / name).mkdir()
    (root / "odd.ini").write_text("[pytest]\npythonpath = src\naddopts = -p plugged --import-mode=importlib\n")
    (root / "src/helped.py").write_text("def value(): return 'v'\n")
    fixture = "import pytest\n@pytest.fixture\ndef {}(): return 'f'\n"
    (root / "src/plugged.py").write_text(fixture.format("of_a_plugin"))
    (root / "tests/unit/conftest.py").write_text(fixture.format("below"))
    (root / "tests/unit/test_elsewhere.py").write_text(ELSEWHERE)
    result = run(
        "", "-c", "project/odd.ini", "-o", "python_functions=test_* check_*", "project/tests", "-p", "no:pastebin"
    )
    result.assert_outcomes(passed=7)


FUNCTIONS = """
from functools import partial
from pathlib import Path
import asyncio, os, pytest

def write(name="out", text="good"):
    Path(name).write_text(text)

def write_set():
    Path("out").write_text(str({"a", "b", "c", "d", "e", "f"}))

class TestInAClass:
    @pytest.mark.parametrize("text", ["one", "two"])
    def test_good(self, ftc, text):
        ftc.verify(build=partial(write, "x.txt", text=text), outputs=["x.txt"])

def test_twice(ftc):
    ftc.verify(build=write, outputs=["out"])
    ftc.verify(build=write, outputs=["out"], env={"A": "1"})

def test_bad(ftc):
    ftc.verify(build=write_set, outputs=["out"])
"""


def test_functions_run_in_a_fresh_interpreter(run, tmp_path):
    result = run(FUNCTIONS, f"--ftc-json={tmp_path / 'report.json'}")
    result.assert_outcomes(passed=3, failed=1)
    artifacts = json.loads((tmp_path / "report.json").read_text())["artifacts"]
    assert [one["name"].rpartition("::")[2] for one in artifacts] == [
        "test_good[one]", "test_good[two]", "test_twice", "test_twice (2)", "test_bad",
    ]  # fmt: skip
    (finding,) = artifacts[-1]["findings"]
    assert finding["cause"] in ("hash_seed", "fileordering")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("build=lambda: None, outputs=['x']", "is a lambda; expected a module-level function"),
        ("build=inner, outputs=['x']", "is defined inside a function"),
        ("build=partial(print, 1), outputs=['x']", "is not a function"),
        ("build=Some().method, outputs=['x']", "is a bound method"),
        ("build=Some(), outputs=['x']", "is not a function"),
        ("build=coroutine, outputs=['x']", "is a coroutine function, which does nothing when it is called"),
        ("build='true', outputs=['x'], source='nowhere'", "source: expected an existing folder, found 'nowhere'"),
        ("build=partial(outer, open('/dev/null')), outputs=['x']", "its arguments cannot be pickled"),
        ("build=json.dumps, outputs=['x']", "expected a module below the source"),
        ("build='true', outputs='x'", "outputs: expected a list such as"),
        ("build='true', outputs=['x'], timeuot=3", "unknown key 'timeuot'; did you mean 'timeout'?"),
    ],
)
def test_what_is_no_build_is_one_clear_error(run, call, told):
    code = f"from functools import partial\nimport json\nclass Some:\n    def method(self): pass\n    def __call__(self): pass\nasync def coroutine(): pass\ndef outer(x): pass\ndef test_it(ftc):\n    def inner(): pass\n    ftc.verify({call})\n"
    result = run(code)
    result.assert_outcomes(failed=1)
    assert told in "".join(str(result.stdout).split("\nE   "))


MARKED = """
import os, pytest

@pytest.fixture
def text():
    return "good"

@pytest.mark.ftc(outputs=["report.txt"])
def test_good(ftc_output, text):
    (ftc_output / "report.txt").write_text(text)

@pytest.mark.ftc(outputs=["report.txt"])
@pytest.mark.parametrize("name", ["HOME", "NOTHING"])
def test_named(ftc_output, name):
    (ftc_output / "report.txt").write_text(os.environ.get(name, ""))

@pytest.mark.ftc(outputs=["report.txt"])
def test_failing(ftc_output):
    assert False, "does not work"

def test_ordinary():
    pass
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_marked_test_is_rebuilt_by_its_node_id(run, workers):
    result = run(MARKED, *workers)
    result.assert_outcomes(passed=3, failed=2)
    text = str(result.stdout)
    assert "✘ unreproducible  test_it.py::test_named[HOME]" in text
    assert "ftc-output/report.txt" in text
    assert "does not work" in text


def test_a_marked_test_is_an_ordinary_one_without_the_option(run):
    run(MARKED, verify=False).assert_outcomes(passed=4, failed=1)


def test_the_options_of_a_project_do_not_reach_the_tests_that_are_rebuilt(run, pytester):
    pytester.makeini("[pytest]\naddopts = --ftc-verify -n2 --ftc-variations=home --ftc-diagnose=off")
    run(MARKED, "-k", "good", verify=False).assert_outcomes(passed=1)


@pytest.mark.parametrize("marker", ["ftc", "ftc(outputs='x')", "ftc('x')", "ftc(outputs=['x'], timeuot=1)"])
def test_a_wrong_marker_is_a_usage_error(run, marker):
    result = run(f"import pytest\n@pytest.mark.{marker}\ndef test_it(ftc_output): pass\n")
    assert result.ret == 4
    assert "test_it.py::test_it: " in str(result.stderr)


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("@pytest.mark.ftc(outputs=['x'])\ndef test_it(tmp_path): pass", "does not use the fixture ftc_output"),
        (
            "class TestIt(unittest.TestCase):\n    @pytest.mark.ftc(outputs=['x'])\n    def test_it(self): pass",
            "unittest",
        ),
        (
            "@pytest.mark.ftc(outputs=['x'])\n@pytest.mark.usefixtures('ftc_output')\nclass TestIt(unittest.TestCase):\n    def test_it(self): pass",
            "unittest",
        ),
    ],
    ids=["no folder", "unittest", "unittest with a folder"],
)
def test_what_cannot_be_rebuilt_does_not_pass_unverified(run, test, told):
    code = f"import pytest, unittest\n{test}\n"
    result = run(code)
    assert (result.ret, told in str(result.stderr)) == (4, True), str(result.stderr)
    run(code, verify=False).assert_outcomes(passed=1)


def test_nothing_to_verify_is_still_a_usage_error(run):
    result = run("def test_it(): pass")
    assert (result.ret, "no artifact is declared" in str(result.stderr)) == (4, True)
