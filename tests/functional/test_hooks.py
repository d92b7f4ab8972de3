"""Hooks of plugins work from end to end: the examples of the documentation, and the plugin in fixtures/."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "hooks.md").read_text()
EXAMPLES = dict(re.findall(r"^## (pytest_ftc_\w+)\n.*?^```python\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL))
SCRIPTS = {
    "server": "echo ${CI:-nobody} > server.out",
    "settings": 'printf "colour=blue\\nfolder=$HOME\\n" > settings.out',
    "weekly": 'echo "week $(($(date +%s) / 604800))" > weekly.out',
    "packed": '[ "$PACKER_DATE" = none ] || date=$(date); echo "packed $date" > packed.out',
}


def finding(artifact):
    (found,) = artifact["findings"]
    return found


def test_every_hook_has_an_example_and_a_manual():
    from pytest_ftc.plugin import hookspecs

    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("pytest_ftc_")}
    assert set(EXAMPLES) == set(hooks)
    assert all("Called" in hook.__doc__ for hook in hooks.values())


def test_the_examples_of_the_documentation_work(verify, project, monkeypatch, tmp_path_factory):
    modules, verdicts = tmp_path_factory.mktemp("modules"), project.parent / "verdicts.jsonl"
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.setenv("VERDICTS", str(verdicts))
    (project / "builds").mkdir()
    for name, code in EXAMPLES.items():
        (modules / f"example_{name}.py").write_text(code)
    for name, script in SCRIPTS.items():
        (project / "builds" / f"{name}.sh").write_text(f"{script}\n")
    options = ["--ftc-variations=time,home,ci", "--ftc-diagnose=full"]
    for name in EXAMPLES:
        options += [] if name == "pytest_ftc_make_executor" else ["-p", f"example_{name}"]

    run = verify("", *options)
    assert run.verdicts == dict.fromkeys(sorted(SCRIPTS), "unreproducible"), run.text
    assert all(artifact["id"] == f"ftc.toml::ftc::{artifact['name']}" for artifact in run.report["artifacts"])
    assert all("ci" in artifact["varied"] for artifact in run.report["artifacts"])
    assert (finding(run.artifact("server"))["cause"], finding(run.artifact("server"))["confirmed"]) == ("ci", True)
    settings = finding(run.artifact("settings"))
    assert (settings["location"], settings["cause"], settings["confirmed"]) == ("setting folder", "home", True)
    weekly = finding(run.artifact("weekly"))
    assert (weekly["cause"], weekly["confirmed"]) == ("time", True)
    assert "both are weeks since 1970" in run.flat
    remedy = finding(run.artifact("packed"))["remedy"]
    assert (remedy["settings"], remedy["proved"]) == ({"PACKER_DATE": "none"}, True)
    told = [json.loads(line) for line in verdicts.read_text().splitlines()]
    assert [(one["artifact"], one["verdict"]) for one in told] == list(run.verdicts.items())
    assert len(list((project.parent / "shared").glob("*.entry"))) == len(SCRIPTS)

    monkeypatch.setenv("FTC_STORE", str(tmp_path_factory.mktemp("another-store")))
    again = verify(None, *options)
    assert all(artifact["cached"] for artifact in again.report["artifacts"]), again.text

    run = verify(None, "-p", "example_pytest_ftc_artifacts", "-p", "example_pytest_ftc_make_executor", "-k", "weekly")
    assert run.verdicts == {"weekly": "unreproducible"}, run.text
    built = (project / "builds.txt").read_text().splitlines()
    assert {"weekly-control: ok", "weekly-experiment: ok", "self-test-control: ok"} <= set(built)


def test_the_example_plugin_works(verify, project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "fixtures" / "example-plugin"))
    shutil.copytree(ROOT / "fixtures" / "example-plugin" / "project", project, dirs_exist_ok=True)
    run = verify(
        None, "-p", "ftc_example", "--ftc-variations=+editor,quick", "--ftc-diagnose=full", "-n2", "--verdicts=told"
    )
    assert run.verdicts == {
        "edited.txt": "unreproducible",
        "fixed.txt": "reproducible",
        "numbered.txt": "unreproducible",
    }, run.text
    assert "pytest.ini::ftc::edited.txt" in {artifact["id"] for artifact in run.report["artifacts"]}
    assert all("editor" in artifact["varied"] for artifact in run.report["artifacts"])
    edited = finding(run.artifact("edited.txt"))
    assert (edited["cause"], edited["confirmed"]) == ("editor", True)
    assert edited["evidence"]["experiment"].startswith("/usr/bin/editor-")
    numbered = finding(run.artifact("numbered.txt"))
    assert (numbered["cause"], numbered["confirmed"]) == ("time", True)
    assert "both are build numbers, which are the minutes since 1970" in run.flat
    # Once for each, though two workers verified them.
    assert sorted((project / "told").read_text().splitlines()) == [
        "edited.txt: unreproducible editor", "fixed.txt: reproducible", "numbered.txt: unreproducible time",
    ]  # fmt: skip


BROKEN = """
from dataclasses import replace

class Fine:
    name, mechanism = "fine", "a variable"
    variables = ()
    def unavailable(self, machine): return None
    def vary(self, environment, token, machine): return environment.with_variables(FINE=token)
    def describe(self, environment): return environment.variables.get("FINE", "unset")

class Idle(Fine):
    name = "idle"
    def vary(self, environment, token, machine): return environment

class Failing(Fine):
    name = "failing"
    def vary(self, environment, token, machine): raise ValueError("no such thing")

class Nothing(Fine):
    name = "nothing"
    def vary(self, environment, token, machine): return None

class Unseen(Fine):
    name = "unseen"
    def vary(self, environment, token, machine): return replace(environment, cpus=9999)

class Elsewhere(Fine):
    name = "elsewhere"
    def unavailable(self, machine): return "no such machine here"

class Bad:
    def examine(self, difference, control, experiment): raise OSError("cannot compare")
    def suspect(self, leaf, control, experiment): raise OSError("cannot diagnose")

class Full:
    problems = ()
    def get_file(self, digest, to): raise OSError("cannot read")
    def put_files(self, files): raise OSError("cannot write")
    def get_entry(self, action): return b"forged"
    def put_entry(self, action, entry): raise OSError("cannot write")
    def close(self): raise OSError("cannot close")

def pytest_ftc_variations():
    return [Fine(), Idle(), Failing(), Nothing(), Unseen(), Elsewhere()]

def pytest_ftc_comparators(): return [Bad()]
def pytest_ftc_diagnosers(): return [Bad()]
def pytest_ftc_make_store(): return Full()
def pytest_ftc_verified(verification): raise ValueError("cannot report")

class Second:
    def pytest_ftc_verified(self, verification):
        with open("told", "a") as file: file.write(verification.name + " ")

def pytest_configure(config): config.pluginmanager.register(Second())
"""


def test_what_fails_in_a_plugin_is_told_and_changes_no_verdict(verify, project):
    (project / "conftest.py").write_text(BROKEN)
    (project / "src").mkdir()
    toml = """
    variations = "home,fine,idle,failing,nothing,unseen,elsewhere"
    [artifacts.good]
    build = "echo > out"
    outputs = ["out"]
    source = "src"
    [artifacts.own]
    build = "echo > out"
    outputs = ["out"]
    source = "src"
    env = {FINE = "mine"}
    [artifacts.bad]
    build = "echo $HOME > out"
    outputs = ["out"]
    source = "src"
    """
    run = verify(toml, "--ftc-diagnose=fast")
    assert run.verdicts == {"good": "reproducible", "own": "reproducible", "bad": "unreproducible"}, run.text
    assert {artifact["name"]: artifact["varied"] for artifact in run.report["artifacts"]} == {
        "good": ["home", "fine"], "own": ["home"], "bad": ["home", "fine"],
    }  # fmt: skip
    assert {gap["variation"]: gap["reason"] for gap in run.artifact("own")["not_varied"]} == {
        "fine": "it does not change the environment of this artifact",
        "idle": "Idle failed: ValueError: vary() changes nothing",
        "failing": "Failing failed: ValueError: no such thing",
        "nothing": "Nothing failed: TypeError: vary() of nothing returned None; expected an Environment",
        "unseen": next(gap["reason"] for gap in run.artifact("good")["not_varied"] if gap["variation"] == "unseen"),
        "elsewhere": "no such machine here",
    }
    assert "for cpus in both environments" in run.flat
    assert finding(run.artifact("bad"))["cause"] == "home"
    for told in (
        "the comparator Bad failed: OSError: cannot compare",
        "the diagnoser Bad failed: OSError: cannot diagnose",
        "the verification cache is incomplete: Full: OSError: cannot write",
        "3 cached verification(s) were not authentic and were rebuilt",
        "pytest_ftc_verified failed: ValueError: cannot report",
    ):
        assert told in run.flat, run.text
    assert run.status == 1
    assert sorted((project / "told").read_text().split()) == ["bad", "good", "own"]

    run = verify(None, "--ftc-diagnose=off", "-k", "good", "--ftc-variations=home")
    assert (run.status, run.verdicts) == (3, {"good": "reproducible"}), run.text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def pytest_ftc_variations(): return 3", "conftest.py:1: pytest_ftc_variations: expected a list of Variations, found 3"),
        ("def pytest_ftc_variations(): 1/0", "pytest_ftc_variations failed: ZeroDivisionError"),
        ("def pytest_ftc_variations():\n yield 1/0", "pytest_ftc_variations failed: ZeroDivisionError"),
        ("def pytest_ftc_variations(): return [object()]", "expected a Variation with describe, mechanism, name, unavailable, vary;"),
        ("def pytest_ftc_variations(): return [dict]", "found the class dict; call it"),
        (BROKEN.replace('"fine"', '"umask"'), "the name 'umask' is already used by a variation of pytest-ftc"),
        (BROKEN.replace('"fine"', '"all"'), "the name 'all' is already used by a keyword of pytest-ftc"),
        (BROKEN.replace('"fine"', '"not a name"'), "expected a name of letters, digits and '_', found 'not a name'"),
        (BROKEN.replace('"idle"', '"fine"'), "the name 'fine' is already used by a variation of conftest.py:"),
        ("def pytest_ftc_comparators(): return [3]", "3 has no examine"),
        ("def pytest_ftc_diagnosers(): return [3]", "3 has no suspect"),
        ("def pytest_ftc_remedies(): return [3]", "expected pytest_ftc.RemedyTemplate, found 3"),
        ("from pytest_ftc.model import RemedyTemplate\ndef pytest_ftc_remedies(): return [RemedyTemplate(causes={'tme'}, summary='', source='')]", "unknown cause 'tme'; did you mean 'time'?"),
        ("def pytest_ftc_artifacts(): return {}", "expected a list of artifact tables, found {}"),
        ("def pytest_ftc_artifacts(): return [{}]", 'expected a table with the keys of an artifact, and "name", found {}'),
        ("def pytest_ftc_artifacts(): return [{'name': 'x'}]", "artifact 'x': key 'build' is missing"),
        ("def pytest_ftc_artifacts(): return [{'name': 'x', 'build': 'y', 'output': []}]", "unknown key 'output'; did you mean 'outputs'?"),
        ("def pytest_ftc_artifacts(): return [{'name': 'a/b', 'build': 'y', 'outputs': ['z']}]", "'a/b' is no name for an artifact"),
        ("def pytest_ftc_artifacts(): return [{'name': 'app', 'build': 'y', 'outputs': ['z']}]", "artifact 'app' is declared in ftc.toml too"),
        ("def pytest_ftc_make_executor(): return 3", "expected a Executor with cancel, run; 3 has no cancel, run"),
        ("def pytest_ftc_make_store(): 1/0", "pytest_ftc_make_store failed: ZeroDivisionError"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_usage_error(pytester, code, told):
    pytester.makeini("[pytest]")
    pytester.path.joinpath("ftc.toml").write_text('[artifacts.app]\nbuild = "echo > out"\noutputs = ["out"]\n')
    pytester.makeconftest(code)
    result = pytester.runpytest_inprocess("--ftc-verify")
    text = str(result.stderr)
    assert (result.ret, told in text) == (4, True), text
    assert text.count("ERROR: ") == 1
    assert "Traceback" not in text


MISSPELT = "def pytest_ftc_verifed(verification): pass"


@pytest.mark.parametrize("folder", [".", "below"])
@pytest.mark.parametrize("options", [(), ("--ftc-verify",), ("-n1",)])
def test_a_misspelt_hook_is_a_usage_error_wherever_it_stands(pytester, folder, options):
    pytester.makeini("[pytest]")
    pytester.mkdir("below").joinpath("test_it.py").write_text("def test_it(): pass")
    pytester.path.joinpath(folder, "conftest.py").write_text(MISSPELT)
    run = pytester.runpytest_subprocess if "-n1" in options else pytester.runpytest_inprocess
    result = run(*options)
    place = os.path.normpath(f"{folder}/conftest.py")
    told = f"ERROR: {place}:1: unknown hook 'pytest_ftc_verifed'; did you mean 'pytest_ftc_verified'?"
    assert (result.ret, told in str(result.stderr)) == (4, True), str(result.stderr)
    assert "INTERNALERROR" not in str(result.stdout)


def test_an_optional_hook_may_be_unknown(pytester):
    pytester.makepyfile("def test_it(): pass")
    pytester.makeconftest("import pytest\n@pytest.hookimpl(optionalhook=True)\ndef pytest_ftc_of_tomorrow(): pass")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_what_comes_too_late_is_a_usage_error(pytester):
    pytester.makeini("[pytest]")
    pytester.mkdir("below").joinpath("conftest.py").write_text("def pytest_ftc_variations(): return []")
    pytester.path.joinpath("below", "test_it.py").write_text("def test_it(): pass")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    result = pytester.runpytest_inprocess("--ftc-verify")
    told = "below/conftest.py:1: pytest_ftc_variations is registered too late"
    assert (result.ret, told in str(result.stderr)) == (4, True)


def test_the_commands_know_the_variations_of_plugins(tmp_path):
    (tmp_path / "conftest.py").write_text(EXAMPLES["pytest_ftc_variations"])
    (tmp_path / "ftc.toml").write_text('[artifacts.app]\nbuild = "echo > out"\noutputs = ["out"]\nvariations = "+ci"\n')

    def ftc(*arguments):
        command = [sys.executable, "-m", "pytest_ftc", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True).stdout

    states = {state["name"]: state for state in json.loads(ftc("doctor", "--json"))["variations"]}
    assert states["ci"]["in_force"]
    assert states["ci"]["mechanism"] == "environment variable CI"
    assert "tools then write less" in ftc("explain", "ci")
    assert ftc("determinize", "app") == "# app is reproducible as it is\n"
