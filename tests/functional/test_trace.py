"""``--ftc-trace`` and ``strict``: what a build uses beyond its declared inputs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BUILDS = {
    "compiles": "mkdir sub && echo 'int main(void) { return 0; }' > sub/m.c && gcc -o out sub/m.c",
    "reads": "cat {outside}/a.h {outside}/b.h > out",
    "reads by a link": "ln -s {outside}/a.h link && cat link > out",
    "reads in a thread": (
        "python3 -c 'import threading as t; x = t.Thread(target=lambda: open(\"{outside}/a.h\")); x.start(); x.join()'"
        " && echo > out"
    ),
    "looks for what is not there": "cat {outside}/missing.h 2> /dev/null; echo > out",
    "makes its own folders": 'mkdir -p "$PWD/sub/deeper" && echo > out',
    "random": "head -c 1 /dev/urandom > /dev/null; echo > out",
    "network": (
        "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 80), 0.2)' 2> /dev/null; echo > out"
    ),
    "lists": "ls {outside} > /dev/null; echo > out",
    "looks": "test -e {outside}/a.h; stat {outside}/b.h > /dev/null; echo > out",
    "asks for random bytes": "python3 -c 'import os; os.getrandom(4)'; echo > out",
    "sends datagrams": (
        'python3 -c \'import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9))\' 2> /dev/null;'
        " echo > out"
    ),
    "makes": "printf 'p: m.c\\n\\tgcc -o p m.c\\n' > Makefile; echo 'int main(void) { return 0; }' > m.c; make && echo > out",
    "imports": "python3 -c 'import hashlib, json, random, subprocess, tempfile; tempfile.mkdtemp()'; echo > out",
    "installs": "mkdir -p d/e; cp -a reads.c d/e; mv d/e/reads.c x; install -m 644 x y; find . > /dev/null; realpath y > /dev/null; echo > out",
    "archives": "tar cf x.tar reads.c; gzip -n x.tar; sort reads.c | awk '{print}' > /dev/null; echo > out",
    "static program": "gcc -static -o reads reads.c && ./reads {outside}/a.h && echo > out",
}
EXPECTED = {
    "compiles": [],
    "reads": ["cat read 2 files in {outside}: a.h, b.h"],
    "reads by a link": ["cat read {outside}/a.h"],
    "reads in a thread": ["python3 read {outside}/a.h"],
    "looks for what is not there": [],
    "makes its own folders": [],
    "random": ["head read /dev/urandom"],
    "network": ["python3 tried to reach 192.0.2.1:80"],
    "lists": ["the build listed {outside}"],
    "looks": ["the build looked at 2 files in {outside}: a.h, b.h"],
    "asks for random bytes": ["python3 requested random bytes with getrandom(2)"],
    "sends datagrams": ["python3 tried to reach 192.0.2.1:9"],
    "makes": [],
    "imports": [],
    "installs": [],
    "archives": [],
    "static program": ["reads read {outside}/a.h"],
}
READS = '#include <stdio.h>\nint main(int n, char **names) { return !fopen(names[1], "r"); }\n'


def verify(
    folder: Path, settings: str, *options: str, prefix: tuple[str, ...] = ()
) -> tuple[int, dict[str, dict], str]:
    report = folder.parent / "report.json"
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "ftc.toml").write_text(settings)
    command = [
        *prefix,
        sys.executable,
        "-m",
        "pytest",
        "--ftc-verify",
        "--ftc-diagnose=off",
        f"--ftc-json={report}",
        *options,
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert report.exists(), done.stdout + done.stderr
    artifacts = {artifact["name"]: artifact for artifact in json.loads(report.read_text())["artifacts"]}
    return done.returncode, artifacts, done.stdout


@pytest.fixture(scope="module")
def outside():
    """A folder that builds see, since it is not below a private temporary one."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="ftc-outside-", dir=Path.home()))
    for name in ("a.h", "b.h"):
        (folder / name).write_text(name)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def traced(tmp_path_factory, outside):
    folder = tmp_path_factory.mktemp("traced") / "project"
    folder.mkdir()
    (folder / "reads.c").write_text(READS)
    tables = [
        f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build.replace('{outside}', str(outside)))}\noutputs = ['out']"
        for name, build in BUILDS.items()
    ]
    return verify(folder, "\n".join(tables), "--ftc-trace")


@pytest.mark.parametrize("name", BUILDS)
def test_what_is_used_beyond_the_inputs_is_told(traced, outside, name):
    _, artifacts, _ = traced
    assert artifacts[name]["hermeticity"] == [text.replace("{outside}", str(outside)) for text in EXPECTED[name]]


def test_it_does_not_fail_the_verdict(traced, outside):
    status, artifacts, out = traced
    assert status == 0, out
    assert {artifact["verdict"] for artifact in artifacts.values()} == {"reproducible"}
    assert f"cat read 2 files in {outside}: a.h, b.h" in out


@pytest.mark.parametrize("where", ["session", "artifact"])
def test_strict_artifacts_fail_for_it_without_being_asked_to_trace(tmp_path, outside, where):
    folder = tmp_path / "project"
    folder.mkdir()
    strict = "strict = true\n"
    settings = (
        f"{strict * (where == 'session')}[artifacts.bad]\nbuild = 'cat {outside}/a.h > out'\noutputs = ['out']\n"
        f"{strict * (where == 'artifact')}[artifacts.good]\nbuild = 'echo > out'\noutputs = ['out']\n"
    )
    status, artifacts, out = verify(folder, settings)
    assert status == 1
    assert artifacts["bad"]["verdict"] == "reproducible"
    assert "✘ reproducible, not hermetic  bad" in out
    assert f"cat read {outside}/a.h" in out
    assert "1 failed, 1 passed" in out


def test_an_artifact_may_be_less_strict_than_the_session(tmp_path, outside):
    folder = tmp_path / "project"
    folder.mkdir()
    artifact = f"[artifacts.bad]\nbuild = 'cat {outside}/a.h > out'\noutputs = ['out']\nstrict = false\n"
    status, artifacts, out = verify(folder, f"strict = true\n{artifact}")
    assert status == 0, out
    assert artifacts["bad"]["hermeticity"] == []


def test_strict_is_not_passed_by_what_could_not_be_traced(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    sandbox = (sys.executable, str(Path(__file__).with_name("without_call.py")), "ptrace")
    settings = "strict = true\n[artifacts.good]\nbuild = 'echo > out'\noutputs = ['out']\n"
    status, artifacts, _ = verify(folder, settings, prefix=sandbox)
    assert status == 1
    assert "could not be traced" in artifacts["good"]["hermeticity"][0]


def test_the_keys_want_true_or_false(tmp_path):
    (tmp_path / "ftc.toml").write_text("trace = 'yes'\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "ftc.toml:1: trace: expected true or false, found 'yes'" in done.stderr
