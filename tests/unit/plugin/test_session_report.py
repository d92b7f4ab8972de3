"""What a session reports, and which verdicts fail it."""

import datetime
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest._io import TerminalWriter
from samples import verification

from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.model import Verdict
from pytest_ftc.model.verification import EXPECTED
from pytest_ftc.plugin.collection import Collected
from pytest_ftc.plugin.session_report import Invocation, SessionReport
from pytest_ftc.reporting.baseline.baseline import Baseline
from pytest_ftc.reporting.seal import find_changed
from pytest_ftc.verification.session import Verifier

GOOD, BAD = verification(Verdict.REPRODUCIBLE), verification(Verdict.UNREPRODUCIBLE)
PROJECT = '[artifacts.app]\nbuild = "make"\noutputs = ["app"]\n'


class Terminal:
    """As much of pytest's terminal reporter as a report writes to, on a page of 80 columns."""

    def __init__(self, verbosity: int = 0) -> None:
        self.file = io.StringIO()
        self._tw = TerminalWriter(self.file)
        self._tw.fullwidth = 80
        self._tw.hasmarkup = False
        self.verbosity = verbosity

    def section(self, title: str) -> None:
        self._tw.sep("=", title)

    def write(self, text: str) -> None:
        self._tw.write(text)

    def write_line(self, line: str, **markup: bool) -> None:
        self._tw.line(line, **markup)

    @property
    def text(self) -> str:
        return self.file.getvalue()


@pytest.fixture(autouse=True)
def no_service(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    (tmp_path / "ftc.toml").write_text(PROJECT)
    return load_project(tmp_path, {})


def report_of(settings: Config, *verifications: object) -> SessionReport:
    verifier = Verifier(settings, settings.root / "results")
    report = SessionReport(
        settings, verifier, Collected(settings.root, ["ftc.toml::ftc::app"]), Invocation(0.0, (), {})
    )
    for one in verifications:
        report.add("", one)  # type: ignore[arg-type]
    return report


def printed(report: SessionReport, *problems: str, verbosity: int = 0, annotates: bool = False) -> str:
    terminal = Terminal(verbosity)
    report.print_summary(terminal, problems, annotates=annotates)  # type: ignore[arg-type]
    return terminal.text


def test_each_worker_tells_a_verification_once(settings):
    report = report_of(settings)
    assert report.add("gw0", GOOD) is True
    assert report.add("gw0", GOOD) is False
    assert report.add("gw0", replace(GOOD, seconds=9.0)) is True
    assert report.add("gw1", GOOD) is True
    assert [one.seconds for one in report.verifications] == [9.0, GOOD.seconds]


@pytest.mark.parametrize("verdict", Verdict)
def test_without_a_baseline_only_what_passed_is_accepted(settings, verdict):
    assert report_of(settings).accepts(verification(verdict)) is (verdict in EXPECTED)


def test_known_findings_are_accepted_until_they_expire(settings, tmp_path):
    file = tmp_path / "known.toml"
    known = Baseline().updated([BAD], datetime.date.today()).render()
    for expiry, accepted in (("", True), ("expires = 2099-01-01\n", True), ("expires = 2001-01-01\n", False)):
        file.write_text(known + expiry)
        assert report_of(replace(settings, baseline=file)).accepts(BAD) is accepted
    other = replace(BAD, differences=(replace(BAD.differences[0], location="another place"),))
    file.write_text(known)
    assert not report_of(replace(settings, baseline=file)).accepts(other)


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.ERROR])
def test_an_update_of_the_baseline_accepts_findings_and_no_other_failure(settings, tmp_path, verdict):
    report = report_of(replace(settings, baseline=tmp_path / "known.toml", update_baseline=True))
    assert report.accepts(BAD)
    assert not report.accepts(verification(verdict))


def test_all_reports_that_were_asked_for_are_written(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    asked = replace(
        settings,
        report=tmp_path / "report",
        json=tmp_path / "out.json",
        baseline=tmp_path / "known.toml",
        update_baseline=True,
    )
    assert report_of(asked, BAD).write()
    document, same = (json.loads((tmp_path / path).read_text()) for path in ("out.json", "report/report.json"))
    assert [list(find_changed(one, tmp_path / "report")) for one in (document, same)] == [[], []]
    assert "index.html" in same.pop("files")
    assert document.pop("digest") != same.pop("digest")
    assert document == same
    assert [one["verdict"] for one in document["artifacts"]] == ["unreproducible"]
    assert document["session"]["root"] == str(tmp_path)
    assert "[[known]]" in (tmp_path / "known.toml").read_text()
    assert "app" in (tmp_path / "summary.md").read_text()


def test_a_session_without_verifications_reports_just_that(settings, tmp_path):
    asked = replace(settings, json=tmp_path / "out.json", baseline=tmp_path / "known.toml", update_baseline=True)
    report = report_of(asked)
    assert report.write()
    assert json.loads((tmp_path / "out.json").read_text())["artifacts"] == []
    assert not (tmp_path / "known.toml").exists()
    assert printed(report) == ""


def test_a_session_that_never_began_writes_no_report_unless_it_verified_something(settings, tmp_path):
    asked = replace(settings, json=tmp_path / "out.json")
    assert report_of(asked).write(began=False)
    assert not (tmp_path / "out.json").exists()
    assert report_of(asked, GOOD).write(began=False)
    assert len(json.loads((tmp_path / "out.json").read_text())["artifacts"]) == 1


def test_a_report_that_cannot_be_written_is_said_at_the_end(settings, tmp_path):
    (tmp_path / "file").touch()
    report = report_of(replace(settings, json=tmp_path / "file" / "out.json"), GOOD)
    assert report.write() is False
    text = printed(report)
    assert "reproducible" in text
    assert text.rstrip().split("ERROR: ")[1].startswith("cannot write the report to ")


def test_the_summary_names_artifacts_what_is_left_out_and_problems_once(settings):
    report = report_of(settings, GOOD)
    report.left_out["ftc.toml::ftc::other"] = "not in the sample of 50 %"
    text = printed(report, "a hook failed", "a hook failed")
    assert "left out    1 artifact: not in the sample of 50 %" in text
    assert text.count("ERROR: a hook failed") == 1
    assert printed(report, verbosity=-2) == ""


def test_the_summary_tells_how_findings_stand_to_the_baseline(settings, tmp_path):
    file = tmp_path / "known.toml"
    file.write_text(Baseline().updated([BAD], datetime.date.today()).render())
    text = printed(report_of(replace(settings, baseline=file), BAD))
    assert "  baseline    " in text and "known.toml" in text


def test_annotations_are_for_github_actions_alone(settings, monkeypatch):
    report = report_of(settings, BAD)
    assert "::error" not in printed(report, annotates=True)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error" in printed(report, annotates=True)
    assert "::error" not in printed(report, annotates=False)


def test_no_line_of_a_problem_is_a_command_of_the_service(settings, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    text = printed(report_of(settings, GOOD), "::error::from a build\n::add-mask::x")
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
