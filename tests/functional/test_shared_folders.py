"""Without namespaces builds share folders: what one leaves there decides nothing, or the verdict says so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = Path(__file__).with_name("without_call.py")


@pytest.fixture
def verify_plain(project, tmp_path):
    """Verify the build `app` where `calls` are refused, and so namespaces; return its record in the report."""

    def run(build: str, *calls: str, expected: str) -> dict:
        (project / "ftc.toml").write_text(f"[artifacts.app]\nbuild = '''{build}'''\noutputs = ['out']\n")
        report = project.parent / "report.json"
        options = [call for call in calls if call.startswith("--")] or ["--ftc-diagnose=off"]
        refused = ("unshare", *(call for call in calls if not call.startswith("--")))
        prefix = [word for call in refused for word in (sys.executable, str(WITHOUT), call)]
        command = [
            *prefix,
            sys.executable,
            "-m",
            "pytest",
            "--ftc-verify",
            *options,
            f"--ftc-json={report}",
        ]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        (app,) = json.loads(report.read_text())["artifacts"]
        assert app["verdict"] == expected, done.stdout + done.stderr
        return app

    return run


@pytest.fixture(params=["/tmp", "/var/tmp", "/dev/shm"])
def left(request):
    path = Path(request.param, f"shared-leftover-{os.getpid()}")
    yield path
    path.unlink(missing_ok=True)


REMEMBERS = "[ -f {path} ] || date +%N > {path}; cp {path} out"


def test_what_the_first_build_leaves_is_removed_before_the_second(verify_plain, left):
    app = verify_plain(REMEMBERS.format(path=left), expected="unreproducible")
    assert f"{left}, which the build left behind, was removed" in app["notes"]
    assert not left.exists()


def test_what_was_there_before_is_not_removed_and_takes_the_claims(verify_plain, left):
    left.write_text("old")
    app = verify_plain(REMEMBERS.format(path=left), expected="reproducible")
    assert left.read_text() == "old"
    assert set(app["varied"]) <= {"source_mtime", "source_mode"}
    reasons = {one["variation"]: one["reason"] for one in app["not_varied"]}
    assert reasons["temp_dir"] == f"it used {left}, which all builds share without namespaces"
    assert not app["cached"]


def test_where_builds_cannot_be_traced_nothing_is_removed_and_the_claims_are_taken(verify_plain, left):
    app = verify_plain(REMEMBERS.format(path=left), "ptrace", expected="reproducible")
    assert left.exists()
    assert "temp_dir" not in app["varied"]
    assert any(str(left) in one["reason"] for one in app["not_varied"])


def test_a_build_that_writes_into_the_project_is_told(verify_plain, project):
    app = verify_plain(f"echo x > {project}/written; echo > out", expected="reproducible")
    assert "home" not in app["varied"]
    assert any(f"{project}/written" in one["reason"] for one in app["not_varied"])


def test_a_build_that_keeps_to_its_own_folders_keeps_its_claims(verify_plain):
    build = 'echo x > "$HOME/a"; echo x > "$TMPDIR/b"; python3 -c "import tempfile; tempfile.mkstemp()"; echo > out'
    app = verify_plain(build, expected="reproducible")
    assert {"temp_dir", "home", "build_path", "time", "umask"} <= set(app["varied"])


def test_the_clock_is_moved_there_as_far_as_libfaketime_does_it(verify_plain):
    app = verify_plain("date +%Y > out", "ptrace", expected="unreproducible")
    assert "time" not in app["varied"]
    assert any("only libfaketime moves the clock" in one["reason"] for one in app["not_varied"])


def test_a_date_is_not_called_random_there(verify_plain):
    app = verify_plain("date > out", "ptrace", "--ftc-diagnose=full", expected="unreproducible")
    causes = {finding["cause"] for finding in app["findings"]}
    assert "time" in causes
    assert "random" not in causes


LIBRARY = "import ctypes, os; libc = ctypes.CDLL(None); "
OBJECTS = {
    "System V shared memory": f"{LIBRARY}libc.shmctl(libc.shmget({os.getpid()}, 64, 0o1600), 0, None)",
    "System V semaphores": f"{LIBRARY}libc.semctl(libc.semget({os.getpid()}, 1, 0o1600), 0, 0)",
    "a System V message queue": f"{LIBRARY}libc.msgctl(libc.msgget({os.getpid()}, 0o1600), 0, None)",
    "the POSIX message queue /ftc-shared": (
        'import ctypes; rt = ctypes.CDLL("librt.so.1"); '
        'rt.mq_open(b"/ftc-shared", 0o102, 0o600, None); rt.mq_unlink(b"/ftc-shared")'
    ),
    "the user keyring": (
        f'{LIBRARY}number = {{"x86_64": 250, "aarch64": 219}}[os.uname().machine]; '
        'libc.syscall(number, 10, ctypes.c_long(-4), b"user", b"ftc-shared", 0)'
    ),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_the_kernel_that_builds_share_take_the_claims(verify_plain, name):
    app = verify_plain(f"python3 -c '{OBJECTS[name]}'; echo > out", expected="reproducible")
    assert any(f"it used {name}, which all builds share" in one["reason"] for one in app["not_varied"]), app
    assert "temp_dir" not in app["varied"]
    assert not app["cached"]


def test_a_link_that_leads_nowhere_is_removed_too(verify_plain, left):
    app = verify_plain(f"ln -s nowhere {left}; echo > out", expected="reproducible")
    assert f"{left}, which the build left behind, was removed" in app["notes"]
    assert not left.is_symlink()
