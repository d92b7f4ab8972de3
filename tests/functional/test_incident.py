"""``ftc incident``: what is known of an artifact, in one folder."""

import json
import os
import subprocess
import sys

SECRET = "correct-horse-battery"


def test_all_that_a_failed_build_left(verify, project, monkeypatch):
    monkeypatch.setenv("DEPLOY_SECRET", SECRET)
    toml = "[artifacts.app]\nbuild = 'echo the log says $DEPLOY_SECRET; exit 3'\noutputs = ['out']\npass_env = ['DEPLOY_SECRET']\n"  # fmt: skip
    verify(toml, "--ftc-builds=2", "--ftc-report=report")

    def incident(*arguments):
        command = [sys.executable, "-m", "pytest_ftc", "incident", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=project)

    done = incident("app", "--report=report", "-o", "kept")
    assert (done.returncode, done.stderr) == (0, "")
    assert "missing: attestations: none of the artifact" in done.stdout
    kept = project / "kept"
    assert subprocess.run(["sha256sum", "--check", "--quiet", "MANIFEST"], cwd=kept).returncode == 0
    names = {str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()}
    assert names == {".gitignore", "MANIFEST", "README.txt", "builds/app-control.json", "drift.json", "environment.json", "history.json", "logs/app-control.log", "logs/app-experiment.log", "replay.txt", "report.json", "store.json", "timeline.txt", "trace.json", "verification.json"}  # fmt: skip
    assert "the log says " in (kept / "logs/app-control.log").read_text()
    assert not any(SECRET in path.read_text() for path in kept.rglob("*") if path.is_file())
    timeline = (kept / "timeline.txt").read_text()
    assert "build app-control ended: failed exit status 3" in timeline
    assert timeline.splitlines() == sorted(timeline.splitlines(), key=lambda line: line[:24])
    assert json.loads((kept / "history.json").read_text())[0]["verdict"] == "failed"
    assert (kept / "replay.txt").read_text().endswith("pytest --ftc-replay=app-control\n")

    # Without a report, from pytest's cache and the history, in a folder of its own; and never over another.
    assert incident("app").returncode == 0
    (made,) = [name for name in os.listdir(project) if name.startswith("ftc-incident-app-")]
    assert (project / made / "builds/app-control.json").is_file()
    assert incident("app", "-o", "kept").stderr == "ftc: kept: expected a new or an empty folder, found files in it\n"
    assert "../../app'" in incident("../../app").stderr
    done = incident("appp")
    assert (done.returncode, done.stderr) == (2, "ftc: nothing is known of 'appp'; did you mean 'app'?  Known: app\n")  # fmt: skip
