"""The files of ``--ftc-report``, what a CI service is told, and the properties in ``--junitxml``."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest

SARIF = json.loads((Path(__file__).parents[1] / "schemas" / "sarif-2.1.0-rtm.5.json").read_text())
TWO = """
[artifacts.good]
build = "echo > out"
outputs = ["out"]

[artifacts.bad]
build = "echo $HOME > out"
outputs = ["out"]
"""
QUICK = ("--ftc-variations=home,umask", "--ftc-diagnose=fast")


@pytest.fixture
def folder(verify, tmp_path):
    verify(TWO, *QUICK, f"--ftc-report={tmp_path / 'report'}")
    return tmp_path / "report"


def test_all_reports_are_written_and_tell_the_same(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {"report.json", "index.html", "findings.sarif", "gl-code-quality-report.json", "logs", "diffs"}
    log = json.loads((folder / "findings.sarif").read_text())
    jsonschema.Draft4Validator(SARIF).validate(log)
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("home", "error")
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("ftc.toml", 6)
    (entry,) = json.loads((folder / "gl-code-quality-report.json").read_text())
    assert (entry["check_name"], entry["location"]["lines"]["begin"]) == ("ftc/home", 6)
    page = (folder / "index.html").read_text()
    assert 'href="#cause-home"' in page
    assert 'id="cause-home"' in page


def test_github_is_told_where_and_gets_a_summary(verify, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    run = verify(TWO, *QUICK)
    assert "::error file=ftc.toml,line=6,title=bad%3A home::out differs at line 1; cause home" in run.text
    summary = (tmp_path / "summary.md").read_text()
    assert "| ❌ | bad | unreproducible | home | 2 | 2 of 2 |" in summary
    assert "| ✅ | good | reproducible |  | 2 | 2 of 2 |" in summary


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_test_report_holds_what_was_found(verify, tmp_path, workers):
    verify(TWO, *QUICK, f"--junitxml={tmp_path / 'junit.xml'}", *workers)
    cases = {
        case.get("name"): {one.get("name"): one.get("value") for one in case.iter("property")}
        for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    }
    assert cases["good"]["ftc_verdict"] == "reproducible"
    assert cases["bad"]["ftc_verdict"] == "unreproducible"
    assert cases["bad"]["ftc_causes"] == "home"
    assert cases["bad"]["ftc_varied"] == "home,umask"
