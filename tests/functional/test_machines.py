"""The same verdicts, truly told, for every kind of user and machine: root, an ordinary user, no namespaces, read-only."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kinds_of_machine import AS_ORDINARY_USER, MASKED_PROC, NEED_NAMESPACES, NO_NAMESPACES

import pytest_ftc

PROJECT = """
[artifacts.good]
build = "echo > good"
outputs = ["good"]
[artifacts.bad]
build = "pwd > bad"
outputs = ["bad"]
"""

SMALL_DISK = 'mount -t tmpfs -o size=16m none /mnt; TMPDIR=/mnt exec "$@"'
READ_ONLY = 'mount --bind "$PWD" "$PWD"; mount -o remount,ro,bind "$PWD"; cd "$PWD"; exec "$@"'


ONLY_C = """
set -e
kept=$(mktemp -d); cp -r /usr/lib/locale/C.utf8 "$kept"
mount -t tmpfs none /usr/lib/locale; cp -r "$kept/C.utf8" /usr/lib/locale; rm -r "$kept"
"""
NO_LOCALEDEF = 'mount --bind /dev/null "$(command -v localedef)"\n'


@pytest.fixture
def folder(open_folder: Path) -> Path:
    """A project that anybody may read and write."""
    folder = open_folder / "project"
    folder.mkdir()
    (folder / "ftc.toml").write_text(PROJECT)
    (folder / "pytest.ini").write_text("[pytest]\n")
    folder.chmod(0o777)
    return folder


def run_pytest(
    folder: Path,
    *prefix: str,
    expected: tuple[str, str] = ("reproducible", "unreproducible"),
    diagnose: str = "off",
) -> tuple[subprocess.CompletedProcess[str], dict]:
    report = folder.parent / "report.json"
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "pytest", "--ftc-verify", f"--ftc-diagnose={diagnose}", f"--ftc-json={report}"],
        cwd=folder,
        env={
            **os.environ,
            "HOME": str(folder.parent),
            "XDG_CACHE_HOME": str(folder.parent / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
    )
    assert report.exists(), done.stdout + done.stderr
    document = json.loads(report.read_text())
    verdicts = {artifact["name"]: artifact["verdict"] for artifact in document["artifacts"]}
    assert verdicts == dict(zip(("good", "bad"), expected, strict=True)), done.stdout
    return done, document


def not_varied(document: dict) -> set[str]:
    return {entry["variation"] for entry in document["artifacts"][0]["not_varied"]}


def test_as_whoever_runs_the_tests(folder):
    run_pytest(folder)


def test_as_an_ordinary_user(folder):
    if os.geteuid() != 0:
        return run_pytest(folder)  # the suite is run by one already
    done, document = run_pytest(folder, "unshare", "-m", "sh", "-c", AS_ORDINARY_USER, "sh")
    assert "fileordering" in document["artifacts"][0]["varied"], done.stdout
    assert not_varied(document) == set()
    return None


def test_with_a_search_path_whose_folder_cannot_be_entered(folder, tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    (locked / "tools" / "bin").mkdir(parents=True)
    locked.chmod(0o700 if os.geteuid() == 0 else 0)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{locked}/bin{os.pathsep}{locked}/tools/bin")
    user = ("unshare", "-m", "sh", "-c", AS_ORDINARY_USER, "sh") if os.geteuid() == 0 else ()
    done, _ = run_pytest(folder, *user)
    assert "internal error" not in done.stdout
    locked.chmod(0o700)


def test_where_user_namespaces_are_switched_off(folder):
    done, document = run_pytest(folder, "unshare", "-Urm", "sh", "-c", NO_NAMESPACES, "sh")
    assert not_varied(document) == NEED_NAMESPACES
    assert "max_user_namespaces" in done.stdout
    # Once for both artifacts.
    said = " ".join(done.stdout.split())
    assert said.count("sudo sysctl -w user.max_user_namespaces=15000") == 1
    assert re.search(r"to vary [a-z_, ]*domain_host[a-z_, ]*: (on the host: )?sudo sysctl -w user.max_user", said)
    assert said.count("namespaces are disabled here") == 1
    permitted = {entry["variation"] for entry in document["artifacts"][0]["not_varied"] if entry["allow"]}
    assert permitted == NEED_NAMESPACES


def test_where_unshare_is_refused_by_seccomp(folder, tmp_path):
    done, document = run_pytest(folder, sys.executable, str(Path(__file__).with_name("without_call.py")), "unshare")
    assert not_varied(document) == NEED_NAMESPACES
    assert "seccomp" in done.stdout


LOOKS_AROUND = """
import os
import re

def is_refused(act):
    try:
        act()
    except OSError:
        return True
    return False

assert int(os.readlink("/proc/self")) == os.getpid()
for name in ("hostname", "core_pattern"):
    assert is_refused(lambda: open(f"/proc/sys/kernel/{name}", "w")), name
others = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read()
    except OSError:
        continue
    if b"--ftc-verify" in line or b"builds.launcher" in line:
        others += 1
        for act in (
            lambda: open(f"/proc/{pid}/mem", "rb"),
            lambda: open(f"/proc/{pid}/environ", "rb").read(1),
            lambda: os.listdir(f"/proc/{pid}/root/"),
            lambda: os.readlink(f"/proc/{pid}/fd/0"),
            lambda: os.readlink(f"/proc/{pid}/cwd"),
        ):
            assert is_refused(act), line
assert others > 1
with open("good", "w") as file:
    file.write("good")
"""
"""A build that runs where the machine's /proc is shown, and sees the session's processes there."""


def test_where_proc_is_masked_only_process_ids_are_not_varied(folder):
    (folder / "look.py").write_text(LOOKS_AROUND)
    (folder / "ftc.toml").write_text(PROJECT.replace("echo > good", "python3 look.py"))
    done, document = run_pytest(folder, "unshare", "-Urm", "sh", "-c", MASKED_PROC, "sh", diagnose="full")
    assert not_varied(document) == {"pid"}
    assert "a container's masks" in document["artifacts"][0]["not_varied"][0]["reason"]
    assert {finding["cause"] for finding in document["artifacts"][1]["findings"]} == {"build_path"}, done.stdout


LEAKS = {
    "month": "date -d 2020-03-01 +%B > bad",
    "order": "printf 'zoo\\ntee\\nAb\\naa\\n' | sort > bad",
    "date": "date -d 2020-03-01 +%x > bad",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_where_only_c_is_installed_languages_are_varied_all_the_same(folder, leak):
    (folder / "ftc.toml").write_text(PROJECT.replace("pwd > bad", leak.replace("\\", "\\\\")))
    _, document = run_pytest(folder, "unshare", "-Urm", "sh", "-c", f'{ONLY_C}exec "$@"', "sh", diagnose="full")
    assert {finding["cause"] for finding in document["artifacts"][1]["findings"]} == {"locales"}
    assert "locales" in document["artifacts"][0]["varied"]


def test_where_only_c_is_installed_and_there_are_no_namespaces(folder):
    (folder / "ftc.toml").write_text(PROJECT.replace("pwd > bad", LEAKS["month"]))
    run_pytest(folder, "unshare", "-Urm", "sh", "-c", f"{ONLY_C}{NO_NAMESPACES}", "sh")


def test_where_no_language_can_be_had_none_is_claimed(folder):
    (folder / "ftc.toml").write_text(PROJECT.replace("pwd > bad", LEAKS["month"]))
    script = f'{ONLY_C}{NO_LOCALEDEF}exec "$@"'
    expected = ("reproducible", "reproducible")
    _, document = run_pytest(folder, "unshare", "-Urm", "sh", "-c", script, "sh", expected=expected)
    assert not_varied(document) == {"locales"}
    assert "not in language and sorting" in document["artifacts"][1]["not_varied"][0]["reason"]


def test_in_a_project_that_is_read_only(folder):
    done, _ = run_pytest(folder, "unshare", "-Urm", "sh", "-c", READ_ONLY, "sh")
    assert sorted(path.name for path in folder.iterdir()) == ["ftc.toml", "pytest.ini"]
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("fills", ["its tree", "its temporary folder"])
def test_a_disk_that_fills_up_is_an_error_and_no_verdict(folder, fills):
    target = {"its tree": "filler", "its temporary folder": '"$TMPDIR/filler"'}[fills]
    script = f"head -c 50000000 /dev/urandom > {target} || {{ rm -f {target}; exit 1; }}; echo > bad"
    (folder / "ftc.toml").write_text(PROJECT.replace('"pwd > bad"', f"'{script}'"))
    with (folder / "ftc.toml").open("a") as file:
        file.write('variations = "umask"\n')  # the others put the experiment on a file system of its own
    done, _ = run_pytest(folder, "unshare", "-Urm", "sh", "-c", SMALL_DISK, "sh", expected=("reproducible", "error"))
    assert "No space left on device" in done.stdout


def test_without_namespaces_builds_of_one_artifact_do_not_meet(folder):
    (folder / "ftc.toml").write_text(PROJECT.replace("pwd > bad", "umask > bad; sleep 3") + 'variations = "umask"\n')
    _, document = run_pytest(folder, "unshare", "-Urm", "sh", "-c", NO_NAMESPACES, "sh")
    assert document["artifacts"][1]["varied"] == ["umask"]


def test_without_namespaces_verdicts_of_builds_that_resolve_their_own_path_are_cached(folder):
    script = "echo > x.c; gcc -c -o bad x.c"
    (folder / "ftc.toml").write_text(PROJECT.replace("pwd > bad", script))
    for is_cached in (False, True):
        _, document = run_pytest(
            folder,
            *("unshare", "-Urm", "sh", "-c", NO_NAMESPACES, "sh"),
            expected=("reproducible", "reproducible"),
        )
        assert document["artifacts"][1]["cached"] is is_cached


def test_without_namespaces_what_breaks_a_build_is_found_too(folder):
    script = "test $(umask) = 0022 || exit 3; echo > bad"
    (folder / "ftc.toml").write_text(PROJECT.replace("pwd > bad", script))
    _, document = run_pytest(
        folder, "unshare", "-Urm", "sh", "-c", NO_NAMESPACES, "sh", expected=("reproducible", "fragile")
    )
    assert "breaks under: umask=0007" in document["artifacts"][1]["reason"]


def test_the_package_may_itself_live_below_a_folder_that_builds_have_of_their_own(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(Path(pytest_ftc.__file__).parent, site / "pytest_ftc")
    code = "import pytest_ftc.cli.main as cli; print(cli.__file__); cli.main(['doctor'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(str(site)), done.stderr
    assert "✔ active      umask" in done.stdout, done.stdout
