"""What is gathered, from whatever the files of a session say."""

import json
import os
from dataclasses import replace

import pytest
from samples import verification

from pytest_ftc.config.load import load_config
from pytest_ftc.model import BuildRecord, Verdict
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.model.timing.phase import Phase, PhaseKind
from pytest_ftc.reporting.json_report import report
from pytest_ftc.reporting.verification_files import write_verifications
from pytest_ftc.store.layout import Layout
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.incident.gather import Incident, gather, make_mask
from pytest_ftc.verification.incident.results import Results
from pytest_ftc.verification.incident.timeline import make_timeline


@pytest.fixture
def incident(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    layout = Layout(tmp_path / "store")
    layout.make()
    config = load_config(root, {}, Vocabulary(()))
    return Incident(config=config, artifact="app", results=tmp_path / "report", layout=layout)


def write_report(folder, one):
    write_verifications(folder, [one], "0.1.0")
    session = {"started": 1_699_999_999.0, "seconds": 5.0, "platform": "Linux"}
    (folder / "report.json").write_text(json.dumps(report([one], {}, session)))


def files(folder):
    return sorted(str(path.relative_to(folder.root)) for path in folder.root.rglob("*") if path.is_file())


def test_without_results_what_is_missing_is_said(incident, tmp_path):
    folder = gather(incident, tmp_path / "incident")
    assert files(folder) == [".gitignore", "MANIFEST", "README.txt", "environment.json", "replay.txt", "store.json", "timeline.txt"]  # fmt: skip
    assert {one.partition(":")[0] for one in folder.missing} == {"report", "history", "trace", "logs", "builds", "attestations", "drift"}  # fmt: skip


def test_a_store_that_cannot_be_used_is_said_too(incident, tmp_path):
    (tmp_path / "file").touch()
    folder = gather(replace(incident, layout=Layout(tmp_path / "file")), tmp_path / "incident")
    assert any(one.startswith("store: ") for one in folder.missing)
    assert "environment.json" in files(folder)


def test_only_what_belongs_to_the_artifact_is_copied(incident, tmp_path):
    results = incident.results
    write_report(results, verification(Verdict.UNREPRODUCIBLE))
    names = ["logs/app-control.log", "logs/app-control-attempt-2.log", "logs/app-controller.log", "logs/apple-control.log", "builds/app-experiment.json", "builds/app-remedy-3.json", "diffs/app.whl-0.txt", "diffs/other.txt", "attestations/app.parity.dsse.json", "attestations/apple.parity.dsse.json"]  # fmt: skip
    for name in names:
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).touch()
    found = files(gather(incident, tmp_path / "incident"))
    assert [name for name in found if "/" in name] == [
        "attestations/app.parity.dsse.json",
        "builds/app-experiment.json",
        "builds/app-remedy-3.json",
        "diffs/app.whl-0.txt",
        "logs/app-control-attempt-2.log",
        "logs/app-control.log",
    ]
    assert json.loads((tmp_path / "incident/report.json").read_text())["artifacts"][0]["verdict"] == "unreproducible"
    assert "pytest --ftc-replay=app-control\n" in (tmp_path / "incident/replay.txt").read_text()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"artifacts": 3}', '{"artifacts": [3]}', '{"artifacts": [{"id": 1, "name": 2}]}', "[" * 100_000],
)
def test_a_report_of_any_form_is_survived(incident, tmp_path, text):
    incident.results.mkdir()
    (incident.results / "report.json").write_text(text)
    folder = gather(incident, tmp_path / "incident")
    assert any(one.startswith("report: ") for one in folder.missing)


def test_a_report_made_by_others_leads_nowhere(incident, tmp_path):
    hostile = {"id": "app", "name": "../../app\x1b[31m", "verdict": ["\x1b"], "phases": 3, "differences": [{"diff": "/etc/passwd"}, 3], "builds": [{"id": "../x", "started": 1e300, "seconds": "1"}, {"id": "x; rm", "started": 5, "seconds": 1, "failed_before": ["a\nb"]}, 3]}  # fmt: skip
    incident.results.mkdir()
    document = {"artifacts": [hostile], "session": {"started": "x", "seconds": 1, "platform": "\x1b"}}
    (incident.results / "report.json").write_text(json.dumps(document))
    before = set(os.listdir(tmp_path))
    folder = gather(incident, tmp_path / "incident")
    assert set(os.listdir(tmp_path)) - before == {"incident"}
    texts = [(folder.root / name).read_text() for name in ("timeline.txt", "replay.txt", "README.txt")]
    assert "\x1b" not in "".join(texts)
    assert texts[0].count("\n") == 3
    assert "ftc-replay" not in texts[1]


def test_values_of_secrets_are_nowhere(incident, tmp_path, monkeypatch):
    monkeypatch.setenv("DEPLOY_TOKEN", "hunter2-hunter2")
    monkeypatch.setenv("FTC_STORE_KEY", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("HARMLESS", "but not to be shown")
    write_report(incident.results, replace(verification(Verdict.FAILED), reason="hunter2-hunter2"))
    (incident.results / "logs").mkdir()
    encoded = "aHVudGVyMi1odW50ZXIy"
    (incident.results / "logs/app-control.log").write_text(f"{encoded} 0123456789abcdef0123456789abcdef hunter2-hunter2\n")  # fmt: skip
    folder = gather(incident, tmp_path / "incident")
    assert "logs/app-control.log" in files(folder)
    text = "".join((folder.root / name).read_text() for name in files(folder))
    for value in ("hunter2", encoded, "0123456789abcdef0123456789abcdef", "but not to be shown"):
        assert value not in text
    assert json.loads((folder.root / "environment.json").read_text())["variables"]["HARMLESS"] == "(not shown)"


def test_short_values_are_not_searched_for():
    assert make_mask(None, {"MY_TOKEN": "ab"})(b"abc") == b"abc"


def test_the_timeline_is_in_the_order_of_time():
    one = verification(Verdict.REPRODUCIBLE)
    phase = Phase(id="a" * 16, parent="b" * 16, kind=PhaseKind.COMPARE, name="", started=1_700_000_002.5, seconds=0.25, problem="worse")  # fmt: skip
    record = BuildRecord(action="a", artifact="x", project="/p", role="control", machine="host", user="me", session="s1", started=1_699_000_000.0, seconds=1.0, digest="", verdict="failed")  # fmt: skip
    same = replace(record, started=1_700_000_000.0)
    (entry,) = report([one], {}, {})["artifacts"]
    entry["builds"][0]["lost_before"] = ["killed by SIGKILL"]
    session = {"started": 1_699_999_999.0, "seconds": 5.0, "platform": "Linux"}
    results = Results(name="app", entry=entry, session=session, verification=replace(one, phases=(phase,)))
    assert make_timeline(results, [same, record]).splitlines() == [
        "2023-11-03 08:26:40.000Z  control build began on host by me, session s1: 1.0 s, failed, verdict failed",
        "2023-11-14 22:13:19.000Z  session began on Linux",
        "2023-11-14 22:13:20.000Z  build app-control began",
        "2023-11-14 22:13:20.000Z  build app-control began again: killed by SIGKILL",
        "2023-11-14 22:13:20.000Z  build app-experiment began",
        "2023-11-14 22:13:21.250Z  build app-control ended: ok",
        "2023-11-14 22:13:21.250Z  build app-experiment ended: ok",
        "2023-11-14 22:13:22.500Z  phase compare began, 0.250 s; worse",
        "2023-11-14 22:13:24.000Z  session ended; verdict on app: reproducible",
    ]
    assert to_json(phase)["problem"] == "worse"
