"""Whatever a build does, it gets a true verdict, a clear text, and leaves nothing behind."""

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ftc.builds.machine import survey_machine
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.model import Isolation

BUILDS = [
    # name, script, verdict, text that has to be on the screen
    ("command not found", "no-such-command-xyz > out", "failed", "no-such-command-xyz"),
    ("exits non-zero", "echo the reason is here; exit 3", "failed", "the reason is here"),
    ("exits non-zero under a variation", 'test "$(umask)" = 0022 || { echo umask matters; exit 3; }; echo > out', "fragile", "umask matters"),
    ("leaves a background process", "(setsid sleep 1000 < /dev/null > /dev/null 2>&1 &); echo > out", "reproducible", ""),
    ("ignores SIGTERM", "(trap '' TERM HUP INT; exec setsid sleep 1000) & echo > out", "reproducible", ""),
    ("reads standard input", "cat > out", "reproducible", ""),
    ("prints 100 MB", "head -c 100000000 /dev/zero; echo > out", "reproducible", ""),
    ("prints 100 MB and fails", "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 1", "failed", "the end"),
    ("prints escapes and bytes that are not UTF-8", "printf '\\033[31m\\033]0;owned\\007\\377 here\\n'; exit 1", "failed", "here"),
    ("leaves nothing", "true", "failed", "nothing that matches 'out'"),
    ("leaves an empty folder", "mkdir out", "reproducible", ""),
    ("leaves a FIFO", "mkfifo out", "failed", "FIFO"),
    ("leaves a device file", "mknod out c 1 3 || cp -a /dev/null out; test -e out", "failed", "log"),
    ("leaves a socket", "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"out\")'", "failed", "socket"),
    ("leaves names with newlines", "mkdir out; touch \"out/$(printf 'a\\nb')\"; date +%s%N > \"out/$(printf 'a\\nb')\"", "unreproducible", "a\\nb"),
    ("leaves names that are not UTF-8", "mkdir out; date +%s%N > \"out/$(printf 'caf\\351')\"", "unreproducible", "caf\\xe9"),
    ("leaves names of 255 bytes", "mkdir out; date +%s%N > out/$(printf '%0255d' 0)", "unreproducible", "000000"),
    ("leaves a dangling symlink", "mkdir out; ln -s nowhere out/link", "reproducible", ""),
    ("leaves an absolute symlink", "mkdir out; ln -s /etc/passwd out/link", "reproducible", ""),
    ("leaves a symlink to its own path", "mkdir out; ln -s \"$PWD/x\" out/link", "unreproducible", "out/link"),
    ("leaves an output that is a link out of the tree", "ln -s /etc out", "reproducible", ""),
    ("leaves links to the root folder", "mkdir out; ln -s / out/root; ln -s /. out/dot", "reproducible", "out/root -> /"),
    ("leaves links that lead to each other", "mkdir out; ln -s b out/a; ln -s a out/b; ln -s c/x out/c; ln -s . out/d", "reproducible", "out/d -> ."),
    ("leaves unreadable files", "mkdir out; echo x > out/locked; chmod 000 out/locked; mkdir -m 000 out/closed", "reproducible", ""),
    ("leaves an executable in one build only", "touch out; case $(umask) in 0022) chmod +x out;; esac", "unreproducible", "0755"),
    ("leaves a file in one build only", "mkdir out; touch out/a; case $(umask) in 0022) touch out/b;; esac", "unreproducible", "out/b"),
    ("leaves a file or a folder", "case $(umask) in 0022) touch out;; *) mkdir out;; esac", "unreproducible", "out"),
    ("writes terminal escapes into an output", "printf '\\033]0;owned\\007%s\\n' \"$PWD\" > out", "unreproducible", "out"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "verdict", "shown"), [pytest.param(*case[1:], id=case[0].replace(" ", "-")) for case in BUILDS]
)
def test_a_build_that(verify_build, project, script, verdict, shown):
    run = verify_build(script)
    assert run.verdicts == {"app": verdict}, run.text
    assert run.status == (0 if verdict == "reproducible" else 1)
    assert shown in run.flat
    assert "Traceback" not in run.text
    assert "INTERNALERROR" not in run.text
    assert "\x1b" not in run.text
    of_pytester = {"stdout", "stderr", "runpytest-0", "runpytest-current"}
    assert {path.name for path in project.iterdir()} - of_pytester == {".pytest_cache", "ftc.toml", "tox.ini"}


def test_a_build_that_writes_outside_its_tree_is_stopped_or_told(verify_build, project, tmp_path):
    victim = Path(pwd.getpwuid(os.geteuid()).pw_dir) / f"ftc-outside-{os.getpid()}"
    try:
        run = verify_build(f"touch {victim} {project}/written || exit 9; echo > out")
        with Workspace() as workspace:
            isolated = survey_machine(workspace.path).isolation is not Isolation.NONE
        if isolated:
            assert run.verdicts == {"app": "failed"}
            assert "Read-only file system" in run.flat
            assert not victim.exists()
            assert not (project / "written").exists()
        else:
            assert "namespaces" in run.text
    finally:
        victim.unlink(missing_ok=True)


def test_a_build_that_runs_too_long_is_killed(verify_build):
    run = verify_build("(setsid sleep 1000 &) ; sleep 1000", more="timeout = 0.5")
    assert run.verdicts == {"app": "failed"}
    assert "still running after 0.5 s" in run.text


def test_a_large_output_is_compared(verify_build):
    run = verify_build("head -c 268435456 /dev/zero > out; umask >> out")
    assert run.verdicts == {"app": "unreproducible"}
    assert run.artifact()["builds"][0]["outputs"][0]["size"] == 268435456 + 5


def test_twelve_thousand_outputs_are_compared(verify_build):
    run = verify_build("mkdir out; cd out; seq 6000 | xargs touch; seq 6000 | split -l 1 -a 5 - part-")
    assert run.verdicts == {"app": "reproducible"}
    assert len(run.artifact()["builds"][0]["outputs"]) == 12_001


def test_five_thousand_differing_outputs_are_reported_soon(verify_build):
    run = verify_build("mkdir out; cd out; seq 5000 | while read n; do echo $PWD > $n; done")
    assert run.verdicts == {"app": "unreproducible"}
    assert len(run.text.splitlines()) < 120


def test_a_source_tree_of_hostile_files_builds(verify_build, project):
    for name in (b"new\nline", b"latin-\xe9", b"n" * 255, b"-rf"):
        Path(os.fsdecode(os.fsencode(project) + b"/" + name)).write_bytes(name)
    (project / "dangling").symlink_to("nowhere")
    (project / "absolute").symlink_to("/etc/passwd")
    os.mkfifo(project / "fifo")
    for number in range(5000):
        (project / f"file-{number}").write_text("x")
    run = verify_build("test -p fifo && test -L dangling && cat ./-rf ./file-* > out")
    assert run.verdicts == {"app": "reproducible"}, run.text


def test_two_artifacts_of_one_name_are_a_usage_error(verify):
    artifact = "[artifacts.app]\nbuild = 'true'\noutputs = ['out']\n"
    run = verify(artifact + artifact)
    assert run.status == 4
    assert "ftc.toml:4" in run.text
    assert "app" in run.text


def test_two_artifacts_may_write_the_same_path(verify):
    run = verify(
        """
        [artifacts.one]
        build = "echo one > out"
        outputs = ["out"]
        [artifacts.two]
        build = "pwd > out"
        outputs = ["out"]
        """
    )
    assert run.verdicts == {"one": "reproducible", "two": "unreproducible"}


def test_stale_outputs_in_the_source_are_no_outputs_of_a_build(verify_build, project):
    (project / "out").write_text("stale")
    run = verify_build("true")
    assert run.verdicts == {"app": "failed"}
    assert "did not touch" in run.text


def test_a_stale_output_beside_one_that_was_built_is_named(verify, project):
    (project / "b").write_text("stale")
    run = verify('[artifacts.app]\nbuild = "echo x > a"\noutputs = ["a", "b"]\n')
    assert run.verdicts == {"app": "failed"}
    assert "the build did not touch it: 'b'" in run.text


NOT_WRITTEN = {
    "renamed": "mv stale t; mv t stale",
    "chmod": "chmod 600 stale",
    "appended": "printf '' >> stale",
    "opened": "exec 3<> stale",
    "touched": "touch stale",
    "touched_twice": "touch stale; touch stale; cat stale",
    "dated": "touch -d 2001-01-01 stale",
    "renamed_and_touched": "mv stale t; touch t; mv t stale",
    "copied": "cp -p stale t; rm stale; mv t stale",
    "linked": "ln stale t; mv -f t stale; ln stale u; rm stale; mv u stale",
    "empty": "touch nothing",
    "link": "mv link t; mv t link",
}
WRITTEN = {
    "same_bytes": "echo stale > stale",
    "same_in_place": "printf s 1<> stale",
    "touched_before": "touch stale; echo stale > stale",
    "touched_before_in_place": "touch stale; printf s 1<> stale",
    "touched_after": "echo stale > stale; touch -r /etc/passwd stale",
    "renamed": "touch stale; echo stale > t; touch t; mv t stale",
    "copied": "cp -p twin stale",
    "installed": "rm stale; cp -p twin stale",
    "sed": "sed -i s/x/y/ stale",
    "emptied": ": > nothing",
    "link": "ln -sfn target link",
}


def _outputs(builds):
    names = {"empty": "nothing", "emptied": "nothing", "link": "link"}
    return "".join(
        f'[artifacts.{name}]\nbuild = "{build}"\noutputs = ["{names.get(name, "stale")}"]\n'
        for name, build in builds.items()
    )


def test_an_output_counts_as_built_only_if_its_content_was_written(verify, project):
    (project / "stale").write_text("stale\n")
    (project / "nothing").write_text("")
    (project / "link").symlink_to("target")
    run = verify(_outputs(NOT_WRITTEN))
    assert run.verdicts == dict.fromkeys(NOT_WRITTEN, "failed")
    text = "an output is a source file whose content the build did not write: 'stale'"
    assert text in " ".join(run.text.split())


def test_where_nobody_may_trace_only_a_new_time_leaves_a_doubt(project):
    (project / "stale").write_text("stale\n")
    builds = {name: NOT_WRITTEN[name] for name in ("renamed", "chmod", "appended", "touched")}
    (project / "ftc.toml").write_text('variations = "umask"\n' + _outputs(builds))
    sandbox = [sys.executable, str(Path(__file__).with_name("without_call.py")), "ptrace"]
    report = project / "report.json"
    command = [*sandbox, sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", f"--ftc-json={report}"]
    subprocess.run(command, cwd=project, check=False, capture_output=True)
    artifacts = {one["name"]: one for one in json.loads(report.read_text())["artifacts"]}
    assert {name for name, one in artifacts.items() if one["verdict"] == "failed"} == {"renamed", "chmod", "appended"}
    text = "whether the build wrote these outputs or only set their times is unknown"
    assert any(note.startswith(text) for note in artifacts["touched"]["notes"])


def test_content_that_a_build_writes_anew_may_be_that_of_the_source(verify, project):
    for name in ("stale", "twin"):
        (project / name).write_text("stale\n")
        # As in a project that was unpacked from an archive with one time for all files.
        os.utime(project / name, (1_000_000_000, 1_000_000_000))
    (project / "nothing").write_text("")
    (project / "link").symlink_to("target")
    run = verify(_outputs(WRITTEN), "--ftc-variations=-time")
    assert run.verdicts == dict.fromkeys(WRITTEN, "reproducible")


def test_what_a_link_leads_to_is_compared_and_must_be_built(verify, project):
    (project / "stale").write_text("stale")
    run = verify("""
        [artifacts.random]
        build = "date +%N > data; ln -s data out"
        outputs = ["out"]
        [artifacts.library]
        build = "mkdir -p d; date +%N > d/lib.so.1; ln -s lib.so.1 d/lib.so"
        outputs = ["d/*.so"]
        [artifacts.stale]
        build = "ln -s stale out"
        outputs = ["out"]
        [artifacts.chmod]
        build = "chmod 600 stale; ln -s stale out"
        outputs = ["out"]
        [artifacts.away]
        build = "ln -s /etc/hosts out"
        outputs = ["out"]
        """)
    assert run.verdicts == {
        "random": "unreproducible",
        "library": "unreproducible",
        "stale": "failed",
        "chmod": "failed",
        "away": "reproducible",
    }
    assert "the build did not touch it: 'stale'" in run.text
    assert any("out -> /etc/hosts" in note for note in run.artifact("away")["notes"])


def test_a_project_without_git_on_the_machine_is_verified(verify_build, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "cat", "date", "locale"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    monkeypatch.setenv("PATH", str(tools))
    run = verify_build("echo > out")
    assert run.verdicts == {"app": "reproducible"}, run.text
