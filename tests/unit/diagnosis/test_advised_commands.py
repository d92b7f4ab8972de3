"""Commands in the texts of remedies and causes, taken over as they stand: they work with SOURCE_DATE_EPOCH and without."""

import os
import re
import shutil
import subprocess
import time
from datetime import datetime

import pytest

from pytest_ftc.diagnosis.remedies import catalogue
from pytest_ftc.reporting.causes import all_causes

EPOCH = 1600000000
JAVASCRIPT, DATE, TAR = r"new Date\(.*\)", r"date -u -d .*", r"tar --mtime=\S*(?: \+%s\)\})?(?: --clamp-mtime)?"


def texts():
    told = [one.summary for one in catalogue()]
    return [*told, *(text for one in all_causes() for text in (*one.remedies, one.tolerate))]


def run(command, *, epoch):
    """Return what the `command` prints, in an environment with the `epoch`, or without one."""
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    if epoch is not None:
        environment["SOURCE_DATE_EPOCH"] = str(epoch)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def commands(pattern):
    found = [match[0] for text in texts() if (match := re.search(pattern, text)) and "SOURCE_DATE_EPOCH" in match[0]]
    assert found
    return found


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_a_date_of_javascript_is_one_with_the_epoch_and_without():
    for snippet in commands(JAVASCRIPT):
        script = ["node", "-e", f"console.log(({snippet}).toISOString())"]
        assert run(script, epoch=EPOCH) == "2020-09-13T12:26:40.000Z"
        now = datetime.fromisoformat(run(script, epoch=None).replace("Z", "+00:00"))
        assert abs(now.timestamp() - time.time()) < 60


def test_date_prints_one_with_the_epoch_and_without():
    for snippet in commands(DATE):
        assert run(["sh", "-c", f"{snippet} +%s"], epoch=EPOCH) == str(EPOCH)
        assert abs(int(run(["sh", "-c", f"{snippet} +%s"], epoch=None)) - time.time()) < 60


@pytest.mark.parametrize("epoch", [EPOCH, None])
def test_tar_takes_the_time_with_the_epoch_and_without(tmp_path, epoch):
    file, archive = tmp_path / "a", tmp_path / "a.tar"
    file.write_text("a")
    for snippet in commands(TAR):
        run(["sh", "-c", f"{snippet} -C {tmp_path} -cf {archive} a"], epoch=epoch)
        (stored,) = run(["tar", "--full-time", "--utc", "-tvf", str(archive)], epoch=None).splitlines()
        assert ("2020-09-13 12:26:40" in stored) == (epoch is not None)


def test_no_other_command_needs_the_epoch():
    for text in texts():
        assert not re.search(r"\$SOURCE_DATE_EPOCH|\$\(SOURCE_DATE_EPOCH", text), text
        known = any(re.search(pattern, text) for pattern in (JAVASCRIPT, DATE, TAR))
        assert known or not re.search(r"\$\{SOURCE_DATE_EPOCH|process\.env|os\.environ|getenv|ENV\[", text), text
