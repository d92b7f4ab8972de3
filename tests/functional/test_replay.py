"""``--ftc-replay``: one build again, in the environment it had, with ``--ftc-shell`` and ``--ftc-keep``."""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from datetime import datetime
from pathlib import Path

import pytest
from kinds_of_machine import NO_NAMESPACES
from leftovers import find_leftovers, wait_until_gone

PROJECT = """
builds = 2
[artifacts.steady]
build = "(date +%s | cut -c-8; pwd; id; hostname; umask; echo $LC_ALL $FTC_CANARY $TRACEPARENT $BAGGAGE $HOME $TMPDIR; env | grep PATH=; ls -U) > out; echo told $(date +%s)"
outputs = ["out"]
[artifacts.random]
build = "head -c 8 /dev/urandom > out"
outputs = ["out"]
[artifacts.broken]
build = "echo why; exit 3"
outputs = ["out"]
[artifacts.given]
build = "test ${#TOKEN} = 14 && echo $PASSED > out"
outputs = ["out"]
secrets = ["env:TOKEN"]
pass_env = ["PASSED"]
"""

ROOT_ONLY = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'
MACHINES = {
    "as it is": [],
    "no namespaces": ["unshare", "-Urm", "sh", "-c", NO_NAMESPACES, "sh"],
    "no user namespaces": ["unshare", "-Urm", "sh", "-c", ROOT_ONLY, "sh"],
}
RECORDED = ["as it is", "no namespaces"]


def run(folder: Path, *arguments: str, prefix: list[str] | None = None, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        [*(prefix or []), sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env={**os.environ, "TOKEN": "s3cret-of-many", "PASSED": "passed-value", "COLUMNS": "120", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def starts_early_in_its_period(folder: Path, *builds: str) -> bool:
    """Whether the builds read the clock within the 100 seconds in which they started, in a slower replay too."""
    records = folder / ".pytest_cache/d/ftc/builds"
    started = [json.loads((records / f"{build}.json").read_text())["build"]["started"] for build in builds]
    return all(moment % 100 < 70 for moment in started)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A function that returns a project whose artifacts were verified on a machine, and what was said."""
    done = {}

    def once(machine: str) -> tuple[Path, str]:
        if machine not in done:
            folder = tmp_path_factory.mktemp("recorded") / "project"
            folder.mkdir()
            (folder / "ftc.toml").write_text(PROJECT)
            (folder / "pytest.ini").write_text("[pytest]\n")
            (folder / "test_no.py").write_text("def test_no(): assert 0, 'an ordinary test has run'\n")
            options = ["--ftc-verify", "--ftc-diagnose=off", f"--ftc-report={folder.parent / 'report'}", "ftc.toml"]
            for _ in range(20):
                status, text = run(folder, *options, prefix=MACHINES[machine], FTC_STORE=str(folder.parent / "store"))
                assert status == 1, text
                if starts_early_in_its_period(folder, "steady-control", "steady-experiment"):
                    break
                shutil.rmtree(folder.parent / "store")
            done[machine] = (folder, text)
        return done[machine]

    return once


@pytest.fixture
def clone(record, tmp_path):
    """A function that puts such a project somewhere else, with what pytest has in its cache."""

    def copy(machine: str = "as it is") -> Path:
        shutil.copytree(record(machine)[0], tmp_path / "clone")
        return tmp_path / "clone"

    return copy


def kept_in(text: str) -> Path:
    match = re.search(r"^  kept\s+(\S+)$", text, re.MULTILINE)
    assert match, text
    return Path(match[1])


def test_every_red_panel_and_the_page_name_the_command(record):
    folder, text = record("as it is")
    rows = [line.split()[1:] for line in text.splitlines() if line.startswith("  replay ")]
    assert ["pytest", "--ftc-replay=random-experiment"] in rows
    assert ["pytest", "--ftc-replay=broken-control"] in rows
    assert "pytest --ftc-replay=steady-control" in (folder.parent / "report/index.html").read_text()
    document = json.loads((folder.parent / "report/report.json").read_text())
    ids = sorted(build["id"] for artifact in document["artifacts"] for build in artifact["builds"])
    assert ids == sorted(path.stem for path in (folder.parent / "report/builds").iterdir())
    assert ids == sorted(path.stem for path in (folder / ".pytest_cache/d/ftc/builds").iterdir())


@pytest.mark.parametrize(
    "machine, build", [(machine, "steady-experiment") for machine in RECORDED] + [("as it is", "steady-control")]
)
def test_a_build_that_is_steady_does_again_what_it_did(clone, machine, build):
    folder = clone(machine)
    status, text = run(folder, f"--ftc-replay={build}", prefix=MACHINES[machine])
    assert status == 0, text
    assert f"✔ same as before  {build}" in text
    assert "out: same as before" in text
    assert "sources     as before" in text
    assert "UTC, as before" in text
    assert "\n  changed" not in text
    told, began = re.search(r"│ told (\d+)", text), re.search(r"started at (\S+ \S+) UTC, as before", text)
    assert told and began, text
    assert 0 <= int(told[1]) - datetime.fromisoformat(f"{began[1]}+00:00").timestamp() < 10
    assert "collected 1 item" in text
    assert "an ordinary test has run" not in text
    then = json.loads((folder / f".pytest_cache/d/ftc/builds/{build}.json").read_text())["build"]
    assert then["outputs"][0]["sha256"] in text


def test_a_build_that_is_not_fails_and_shows_both_digests(clone):
    folder = clone()
    status, text = run(folder, "--ftc-replay=random-control", "--ftc-verify")
    assert status == 1
    assert "✘ differs from before  random-control" in text
    assert "before: 8 bytes" in text
    assert "now: 8 bytes" in text
    assert "process order or random values" in text.replace("\n", " ")
    cached = folder / ".pytest_cache/v/cache/lastfailed"
    assert not cached.exists() or "ftc-replay" not in cached.read_text()


@pytest.mark.parametrize("machine", RECORDED)
def test_a_build_that_failed_fails_again_as_recorded_and_what_it_left_is_kept(clone, machine):
    folder = clone(machine)
    status, text = run(folder, "--ftc-replay=broken-control", "--ftc-keep", prefix=MACHINES[machine])
    assert status == 0, text
    assert "same as before" in text
    assert text.count("exit status 3") == 2
    assert "│ why" in text
    kept = kept_in(text)
    assert sorted(path.name for path in kept.iterdir()) == ["home", "temp", "tree"]
    assert (kept / "tree/ftc.toml").read_text() == PROJECT
    assert kept.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(kept)


def test_what_is_secret_is_in_no_record_and_taken_anew(clone, record):
    original, folder = record("as it is")[0], clone()
    records = [*original.parent.glob("report/builds/*.json"), *folder.glob(".pytest_cache/d/ftc/builds/*.json")]
    assert len(records) == 14
    for one in records:
        assert "s3cret-of-many" not in one.read_text()
        assert "passed-value" not in one.read_text()
    status, text = run(folder, "--ftc-replay=given-control")
    assert status == 0, text
    assert "\n  changed" not in text
    status, text = run(folder, "--ftc-replay=given-control", PASSED="another-value")
    assert status == 1
    assert "PASSED (pass_env) has a different value than when recorded" in text
    assert "another-value" not in text


def test_a_clone_elsewhere_needs_only_the_report(record, tmp_path):
    original = record("as it is")[0]
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("ftc.toml", "pytest.ini", "test_no.py"):
        shutil.copy(original / name, folder)
    (folder / "new").write_text("new\n")
    key = {"FTC_STORE_KEY": "that of another machine, and long"}
    status, text = run(folder, "--ftc-replay=given-experiment", f"--ftc-report={original.parent / 'report'}", **key)
    assert status == 0, text
    assert "sources     changed: digest " in text
    assert "the recorded one is unknown" in text.replace("\n              ", " ")
    assert "--ftc-report=" in text.split("again")[1]


def test_builds_that_are_remembered_can_be_replayed_where_they_were_not_run(record, tmp_path):
    original = record("as it is")[0]
    folder = tmp_path / "fresh"
    shutil.copytree(original, folder, ignore=shutil.ignore_patterns(".pytest_cache"))
    _, text = run(
        folder, "--ftc-verify", "--ftc-diagnose=off", "ftc.toml::ftc::random", FTC_STORE=str(original.parent / "store")
    )
    assert "cached" in text
    assert "--ftc-replay=random-experiment" in text
    status, text = run(folder, "--ftc-replay=random-experiment-attempt-2")
    assert status == 1
    assert "differs from before  random-experiment" in text


def test_a_mistake_is_one_usage_error(clone):
    folder = clone()
    records = folder / ".pytest_cache/d/ftc/builds"
    escaping = json.loads((records / "steady-control.json").read_text())
    escaping["build"]["recipe"]["environment"]["home"] = "/ftc-x/../root"
    (records / "steady-control.json").write_text(json.dumps(escaping))
    (records / "random-control.json").write_text("{")
    for arguments, told in (
        (["--ftc-replay=stedy-experiment"], ["did you mean 'steady-experiment'?", str(records)]),
        (["--ftc-replay=../../x"], ["no build '../../x' is recorded"]),
        (["--ftc-shell"], ["--ftc-shell needs --ftc-replay"]),
        (["--ftc-keep"], ["--ftc-keep needs --ftc-replay"]),
        (["--ftc-replay=steady-experiment", "-n2"], ["add -n0"]),
        (["--ftc-replay=steady-experiment", "--ftc-shell"], ["needs a terminal"]),
        (["--ftc-replay=steady-control"], ["is not a valid record of a build", "expected an absolute path"]),
        (["--ftc-replay=random-control"], ["is not a valid record of a build"]),
    ):
        status, text = run(folder, *arguments)
        assert status == 4, text
        assert all(words in text for words in told), text
        assert "Traceback" not in text
        assert text.count("ERROR") == 1


def test_what_is_missing_for_a_replay_is_one_clear_failure(clone):
    folder = clone()
    status, text = run(folder, "--ftc-replay=given-control", TOKEN="short")
    assert status == 1
    assert "given-control could not be replayed: secret env:TOKEN" in text
    assert "Traceback" not in text


def at_a_terminal(folder: Path, arguments: list[str], steps: list[tuple[bytes, bytes]], prefix: list[str]) -> str:
    """Run pytest on a terminal of its own, type each text when what comes before it is seen, and return all that is."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(folder)
        os.execvp(prefix[0] if prefix else sys.executable, [*prefix, sys.executable, "-m", "pytest", *arguments])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    seen, read, deadline = b"", 0, time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:  # all is over
                break
        if steps and steps[0][0] in seen[read:]:
            read = len(seen)
            os.write(terminal, steps.pop(0)[1])
    else:
        os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(terminal)
    text = seen.decode(errors="replace")
    assert (status, steps) == (0, []), text
    return text


@pytest.mark.parametrize("machine", MACHINES)
def test_a_person_enters_the_environment(clone, machine, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cret-of-many")
    folder = clone(machine if machine in RECORDED else "as it is")
    prompt = b"steady-experiment$ "
    steps = [
        (prompt, b"stty size; echo $FTC_CANARY; cat out\r"),
        (prompt, b"python3 -c 'import time; print(b\"ready\".hex(), flush=True); time.sleep(100)'; echo s''lept\r"),
        (b"ready".hex().encode(), b"\x03"),
        (prompt, b"ftc-build; echo status $?; date +at-%s\r"),
        (prompt, b"exit 5\r"),
    ]
    text = at_a_terminal(
        folder, ["--ftc-replay=steady-experiment", "--ftc-shell", "--ftc-keep"], steps, MACHINES[machine]
    )
    assert "33 111" in text
    assert "ftc-variable-" in text
    assert "cat: out: " in text
    assert "slept" not in text
    assert "status 0" in text
    (inside,) = re.findall(r"^at-(\d+)", text, re.MULTILINE)
    assert abs(int(inside) - time.time() - 398 * 86400) < 86400
    assert "✔ entered" in text
    assert "1 passed" in text
    kept = kept_in(re.sub(r"\x1b\[[0-9;]*m|\r", "", text))
    assert "/ftc-build-" in (kept / "tree/out").read_text()
    shutil.rmtree(kept)


SLOW = """
[artifacts.slow]
build = "echo > out; (setsid sleep 1000 &); trap '' TERM INT HUP; test -e fast || sleep 1000"
outputs = ["out"]
"""


@pytest.mark.parametrize("end", ["ctrl-c", "the launcher is killed"])
def test_nothing_is_left_of_a_replay_that_is_interrupted(tmp_path, end):
    folder = tmp_path
    (folder / "ftc.toml").write_text(SLOW)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "fast").touch()
    run(folder, "--ftc-verify", "--ftc-variations=umask")
    (folder / "fast").unlink()
    before = find_leftovers()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--ftc-replay=slow-control", "--ftc-keep"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    launchers = wait_for_launchers(process.pid)
    if end == "ctrl-c":
        os.killpg(process.pid, signal.SIGINT)
    else:
        os.kill(launchers[0], signal.SIGKILL)
    text = process.communicate(timeout=30)[0].decode()
    assert process.returncode == (2 if end == "ctrl-c" else 1), text
    assert "INTERNALERROR" not in text
    if end != "ctrl-c":
        assert "nothing to compare" in text
        shutil.rmtree(kept_in(text))
    assert wait_until_gone(before) == set()
    assert not list(Path(tempfile.gettempdir()).glob("ftc-kept-slow*"))


def wait_for_launchers(session: int) -> list[int]:
    """Return the processes that launch builds of `session`, which holds the other ends of their pipes."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        sleeping = [path for path in Path("/proc").glob("[0-9]*/cmdline") if reads(path).startswith(b"sleep\x001000")]
        pipes = {links_to(path) for path in Path(f"/proc/{session}/fd").iterdir()}
        found = [path.parent for path in Path("/proc").glob("[0-9]*/cmdline") if b"builds/slow" in reads(path)]
        launchers = sorted(int(process.name) for process in found if links_to(process / "fd/0") in pipes)
        if launchers and len(sleeping) >= 2:
            return launchers
        time.sleep(0.05)
    raise AssertionError("no build runs")


def links_to(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return str(path)


def reads(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
