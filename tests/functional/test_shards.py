"""``--shard``: the jobs of a matrix verify each artifact once, wherever they run, and whatever their stores have."""

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import chain

import jsonschema
import pytest

from pytest_ftc.cli.main import main
from pytest_ftc.reporting.json_report import schema

NAMES = [f"a{number}" for number in range(5)]
PROJECT = "".join(
    f"[artifacts.{name}]\nbuild = 'cat in > out'\noutputs = ['out']\nsource = '{name}'\n" for name in NAMES
)
QUICK = ("--ftc-variations=umask", "--ftc-builds=2")
TESTS = """
import pytest

@pytest.mark.ftc(outputs=["r.txt"])
def test_marked(ftc_output):
    (ftc_output / "r.txt").write_text("hi")

@pytest.mark.parametrize("letter", "ab")
def test_declares(ftc, letter):
    ftc.verify(build=f"echo {letter} > o", outputs=["o"], variations="umask")

def test_plain():
    pass
"""


@pytest.fixture
def sources(project):
    for name in NAMES:
        (project / name).mkdir()
        (project / name / "in").write_text(name)
    return project


def gate(project, *arguments, **variables):
    ours = {name: value for name, value in os.environ.items() if not re.match("GITHUB_|CI_|PRE_COMMIT", name)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ftc", "gate", "--ftc-diagnose=off", *QUICK, *arguments],
        cwd=project, env={**ours, **variables}, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_jobs_of_a_matrix_verify_each_artifact_once_on_machines_with_different_stores(sources, tmp_path, capsys):
    (sources / "ftc.toml").write_text(PROJECT)
    reports = []
    for number in range(1, 8):
        # The first job has the store of an earlier run, and so knows how long builds take; the others have none.
        store = tmp_path / f"store-{min(number, 2)}"
        if number == 1:
            assert gate(sources, FTC_STORE=str(store))[0] == 0
        status, text = gate(sources, f"--shard={number}/7", FTC_STORE=str(store), XDG_DATA_HOME=str(store))
        assert status == 0, text
        what = "1 of 5 artifacts; divided by number" if number < 6 else "none of 5 artifacts; nothing to verify"
        assert f"ftc: shard {number} of 7: {what}" in text
        reports.append(tmp_path / f"report-{number}")
        shutil.copytree(sources / "ftc-report", reports[-1])
    documents = [json.loads((report / "report.json").read_text()) for report in reports]
    for number, document in enumerate(documents, 1):
        jsonschema.validate(document, schema())
        assert document["session"]["shard"]["number"] == number
        assert f"shard {number} of 7" in (reports[number - 1] / "index.html").read_text()
    assert sorted(one["name"] for document in documents for one in document["artifacts"]) == NAMES
    assert len({document["session"]["shard"]["split"] for document in documents}) == 1

    assert main(["report", "shards", *map(str, reports)]) == 0
    assert "✔ 7 shards have all 5 artifacts\n  verdicts    5 reproducible" in capsys.readouterr().out
    assert main(["report", "shards", *map(str, reports[1:])]) == 1
    assert "✘ shard 1 of 7 has no report" in capsys.readouterr().out
    assert main(["report", "shards", "--json", str(reports[0]), str(reports[1])]) == 1
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 5


def names(run):
    return sorted(artifact["name"] for artifact in run.report["artifacts"])


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_durations_divide_and_tests_are_divided_too(verify, sources, workers):
    (sources / "test_x.py").write_text(TESTS)
    times = {"ftc.toml::ftc::a3": 100.0, "test_x.py::test_declares[a]": 60.4, "test_x.py::test_marked": 20}
    (sources / "ftc-durations.json").write_text(json.dumps({"version": 1, "seconds": times}))
    first, second = (verify(PROJECT, *QUICK, f"--ftc-shard={number}/2", *workers) for number in (1, 2))
    assert (first.status, second.status) == (0, 0), first.text + second.text
    [other] = [run for run in (first, second) if "a3" not in names(run)]
    # The other six count as the median each, 60.4 s.
    assert len(names(first)) + len(names(second)) == 8
    assert set(names(first)).isdisjoint(names(second))
    [line] = re.findall(r"(?m)^  shard       (.*)$", other.text)
    assert re.fullmatch(r"[12] of 2: [45] of 8 artifacts, about \d+ s of builds", line)
    seconds = [run.report["session"]["shard"]["seconds"] for run in (first, second)]
    assert sum(seconds) == pytest.approx(100 + 20 + 6 * 60.4)
    assert abs(seconds[0] - seconds[1]) <= 100
    passed = [int(re.search(r"(\d+) passed", run.text)[1]) for run in (first, second)]
    assert passed == [len(names(first)) + 1, len(names(second))]  # the plain test is in the first


def test_tests_alone_are_divided_too(verify, project):
    (project / "test_x.py").write_text(TESTS)
    runs = [verify(None, *QUICK, f"--ftc-shard={number}/4") for number in range(1, 5)]
    assert [run.status for run in runs] == [0] * 4
    assert [len(names(run)) for run in runs] == [1, 1, 1, 0]
    assert "ftc: shard 4 of 4: none of 3 artifacts; nothing to verify" in runs[3].text


def test_what_has_changed_comes_first_in_each_part_and_what_is_selected_is_divided(verify, sources, git):
    (sources / "ftc.toml").write_text(PROJECT)
    git(sources, "init", "-q")
    git(sources, "add", ".")
    git(sources, "commit", "-q", "-m", "first")
    (sources / "a4" / "in").write_text("changed")
    runs = [verify(None, *QUICK, "-v", "--ftc-changed-first=HEAD", f"--ftc-shard={number}/2") for number in (1, 2)]
    orders = [re.findall(r"ftc.toml::ftc::(\w+) PASSED", run.text) for run in runs]
    assert sorted(chain(*orders)) == NAMES
    assert "a4" in [order[0] for order in orders]
    selected = [verify(None, *QUICK, "-k", "a1 or a2", f"--ftc-shard={number}/2") for number in (1, 2)]
    assert [names(run) for run in selected] == [["a1"], ["a2"]]
    nothing = verify(None, *QUICK, "-k", "nothing", "--ftc-shard=1/2")
    assert nothing.status == 5


def test_the_history_says_how_long_builds_take_and_the_file_is_no_source(verify, sources, monkeypatch, capsys):
    monkeypatch.chdir(sources)
    assert verify(PROJECT, *QUICK).status == 0
    capsys.readouterr()
    assert main(["history", "--durations"]) == 0
    file = sources / "a0" / "durations.json"
    file.write_text(capsys.readouterr().out)
    assert sorted(json.loads(file.read_text())["seconds"]) == [f"ftc.toml::ftc::{name}" for name in NAMES]
    run = verify(f'durations = "a0/durations.json"\n{PROJECT}', *QUICK, "--ftc-shard=1/1")
    assert all(artifact["cached"] for artifact in run.report["artifacts"])
    assert "shard       1 of 1: 5 of 5 artifacts, about " in run.text
    assert main(["history", "--durations", "a0"]) == 2


def test_what_is_no_shard_and_what_has_no_durations_is_one_clear_error(verify, sources):
    (sources / "ftc.toml").write_text(PROJECT)
    for wrong in ("0/8", "9/8", "x"):
        expected = f"--shard: expected K/N, such as 3/8, with K from 1 to N, found '{wrong}'"
        status, text = gate(sources, "--shard", wrong)
        assert (status, text) == (2, f"ftc: {expected}\n")
        run = verify(None, f"--ftc-shard={wrong}")
        assert (run.status, run.report) == (4, {})
        assert f"ERROR: --ftc-{expected[2:]}" in run.text
    run = verify(None, "--ftc-shard=1/2", "--ftc-durations=nowhere.json")
    assert run.status == 4
    assert "nowhere.json: No such file or directory" in run.text
    (sources / "ftc.toml").unlink()
    run = verify(None, "--ftc-shard=1/2")
    assert (run.status, "no artifact is declared" in run.text) == (4, True)
    assert "without --ftc-verify, --ftc-shard has no effect" in gate_without_verify(sources)


def gate_without_verify(project):
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "--ftc-shard=1/2"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True).stdout
