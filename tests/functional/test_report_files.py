"""The files of ``--ftc-report``, what a CI service is told, and the properties in ``--junitxml``."""

import json
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest
import xmlschema

from pytest_ftc.reporting.json_report import schema
from pytest_ftc.reporting.seal import find_changed

SCHEMAS = Path(__file__).parents[1] / "schemas"
SARIF = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text())
CODE_QUALITY = json.loads((SCHEMAS / "gitlab-code-quality.json").read_text())
TWO = """
[artifacts.good]
build = "echo > out"
outputs = ["out"]

[artifacts.bad]
build = "echo $HOME > out"
outputs = ["out"]
"""
ALL_KINDS = r"""
[artifacts.good]
build = "echo > out"
outputs = ["out"]

[artifacts.names]
build = '''
printf '%s' "$HOME" > '"a" & <script>.html'
printf '%s' "$HOME" > "$(printf 'red \\033[31m.txt')"
printf '%s' "$HOME" > "$(printf 'bytes-\\351 \\342\\200\\256.c')"
'''
outputs = ["*.html", "*.txt", "*.c"]

[artifacts.fails]
build = "printf 'no \\001\\033[1m\\n'; exit 3"
outputs = ["out"]

[artifacts.breaks]
build = 'test "$(umask)" = 0022 && echo > out'
outputs = ["out"]
"""
QUICK = ("--ftc-variations=home,umask", "--ftc-diagnose=fast", "--ftc-builds=2")


@pytest.fixture
def folder(verify, tmp_path):
    verify(TWO, *QUICK, f"--ftc-report={tmp_path / 'report'}")
    return tmp_path / "report"


def test_all_reports_are_written_and_tell_the_same(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "report.json",
        "index.html",
        "findings.sarif",
        "gl-code-quality-report.json",
        "logs",
        "diffs",
        "outputs",
        "builds",
        "verifications",
        ".gitignore",
    }
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


def test_what_a_session_writes_is_valid_by_the_published_schemas(verify, tmp_path):
    report, junit = tmp_path / "report", tmp_path / "junit.xml"
    run = verify(ALL_KINDS, *QUICK, f"--ftc-report={report}", f"--junitxml={junit}")
    assert run.verdicts == {"good": "reproducible", "names": "unreproducible", "fails": "failed", "breaks": "fragile"}
    jsonschema.validate(json.loads((report / "report.json").read_text()), schema())
    log = json.loads((report / "findings.sarif").read_text())
    jsonschema.Draft4Validator(SARIF).validate(log)
    assert {result["ruleId"] for result in log["runs"][0]["results"]} == {"home", "failed", "fragile"}
    entries = json.loads((report / "gl-code-quality-report.json").read_text())
    jsonschema.validate(entries, CODE_QUALITY)
    assert len(entries) == 5
    check_junit(junit)
    for name in ("report.json", "findings.sarif", "gl-code-quality-report.json", "index.html"):
        text = (report / name).read_text()
        assert "\x1b" not in text
        assert "\u202e" not in text
    page = (report / "index.html").read_text()
    assert page.count("<script>") == 1
    assert "&lt;script&gt;.html" in page


def check_junit(path: Path) -> None:
    """Check the file by the schema that Jenkins publishes and pytest is tested with.

    It knows properties of suites only.  Those of test cases are pytest's extension: they are of the same form, and the
    rest is valid without them.
    """
    xsd = xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")
    root = ElementTree.parse(path).getroot()
    with pytest.raises(xmlschema.XMLSchemaValidationError, match="tag 'properties'"):
        xsd.validate(root)
    cases = list(root.iter("testcase"))
    for case in cases:
        properties = case.find("properties")
        assert len(properties) >= 2
        xsd.elements["properties"].validate(properties)
        case.remove(properties)
    xsd.validate(root)
    assert len(cases) == 4


def test_github_is_told_where_and_gets_a_summary(verify, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    run = verify(TWO, *QUICK)
    assert "::error file=ftc.toml,line=6,title=bad%3A home::out differs at line 1; cause: home" in run.text
    summary = (tmp_path / "summary.md").read_text()
    assert "| ❌ | bad | unreproducible | home | 2 | 2 of 2 |" in summary
    assert "| ✅ | good | reproducible |  | 2 | 2 of 2 |" in summary


def test_the_report_says_where_it_comes_from(verify, project, monkeypatch):
    for command in ("init -q", "commit -q --allow-empty -m x"):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *command.split()], cwd=project, check=True)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    monkeypatch.setenv("SOME_TOKEN", "confidential-1")
    verify(TWO, *QUICK, "--ftc-report=report", "-o", "cache_dir=confidential-1")
    document = json.loads((project / "report/report.json").read_text())
    jsonschema.Draft202012Validator(schema()).validate(document)
    session = document["session"]
    assert session["command"][-2:] == ["-o", "cache_dir=***"]
    assert len(session["source"]["commit"]) == 40
    assert session["source"]["dirty"]
    assert session["ci"] == {"service": "GitHub Actions", "run_id": "7"}
    assert {"pytest", "pytest-ftc"} <= session["plugins"].keys()
    assert session["host"]["cpus"] >= 1
    assert list(find_changed(document, project / "report")) == []
    assert "logs/good-control.log" in document["files"]


def test_a_report_is_written_also_if_nothing_was_selected(verify, project):
    run = verify(TWO, "--ftc-report=report", "--ftc-json=own.json", "-k", "neither")
    assert run.verdicts == {}
    document = json.loads((project / "report/report.json").read_text())
    assert (document["artifacts"], list(find_changed(document, project / "report"))) == ([], [])
    assert "nothing was verified" in (project / "report/index.html").read_text()
    assert json.loads((project / "own.json").read_text())["artifacts"] == []


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
