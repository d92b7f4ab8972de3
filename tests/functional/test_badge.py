"""``ftc report badge``."""

import json
import subprocess
import sys


def ftc(*arguments):
    return subprocess.run([sys.executable, "-m", "pytest_ftc", *arguments], capture_output=True, text=True)


def test_a_badge_of_a_report(verify, project):
    verify(
        '[artifacts.a]\nbuild = "echo > a"\noutputs = ["a"]\n[artifacts.b]\nbuild = "umask > b"\noutputs = ["b"]\n',
        "--ftc-report=r",
    )
    done = ftc("report", "badge", "r", "-o", "public")
    assert (done.returncode, done.stdout) == (0, "1 of 2 (red): public/badge.svg, public/badge.json\n")
    assert json.loads((project / "public/badge.json").read_text())["message"] == "1 of 2"
    assert "1 of 2" in (project / "public/badge.svg").read_text()
    assert ftc("report", "verify", "r").returncode == 0
    (project / "other.json").write_text('{"session": {}, "digest": "", "artifacts": [{"verdict": "green"}]}')
    wrong = ftc("report", "badge", "other.json")
    assert (wrong.returncode, "other.json: this report cannot be read" in wrong.stderr) == (2, True)
    assert ftc("report", "badge", "nothing").returncode == 2
