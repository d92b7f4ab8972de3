"""A verdict is not answered from the cache when anything has changed that the build was seen to use."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

QUICK = "--ftc-variations=quick,-time"


class Case(NamedTuple):
    build: str
    before: dict[str, str]
    """Files, by path; OUT is a folder outside, SRC the source.  A path with a target (``->``) is a link."""
    after: dict[str, str | None]
    """Files that change then; None for one that goes away."""
    more: str = ""


def script(text: str) -> str:
    return f"#!/bin/sh\n{text}\n"


CASES = {
    "a link to a folder": Case("sh l/x > out", {"OUT/d/x": "echo 1", "SRC/l -> OUT/d": ""}, {"OUT/d/x": "echo 2"}),
    "a link with many dots": Case(
        "sh l > out", {"OUT/rel": "echo 1", "SRC/l -> ../../../../../../../../../../../../../../../../OUT/rel": ""}, {"OUT/rel": "echo 2"}
    ),
    "a path with a space": Case('sh "OUT/with space/x" > out', {"OUT/with space/x": "echo 1"}, {"OUT/with space/x": "echo 2"}),
    "a path with a tilde": Case("sh OUT/ü~x > out", {"OUT/ü~x": "echo 1"}, {"OUT/ü~x": "echo 2"}),
    "a folder in the command": Case("for f in OUT/many/*; do sh $f; done > out", {"OUT/many/a": "echo 1"}, {"OUT/many/a": "echo 2"}),
    "a new file in a folder": Case("for f in OUT/more/*; do sh $f; done > out", {"OUT/more/a": "echo 1"}, {"OUT/more/b": "echo 2"}),
    "a folder in a variable": Case("sh $MYDIR/x > out", {"OUT/my/x": "echo 1"}, {"OUT/my/x": "echo 2"}, 'env = {MYDIR = "OUT/my"}'),
    "a long script": Case("sh big.sh", {"SRC/big.sh": "#" + "x" * 140_000 + "\nsh OUT/cfg > out\n", "OUT/cfg": "echo 1"}, {"OUT/cfg": "echo 2"}),
    "a script in a sub-folder": Case(
        "sh build.sh",
        {"SRC/build.sh": "cd scripts && sh ./inner", "SRC/scripts/inner": "sh OUT/inner > ../out", "OUT/inner": "echo 1"},
        {"OUT/inner": "echo 2"},
    ),
    "a makefile that is included": Case(
        "make -s -C sub && cp sub/out out",
        {"SRC/sub/Makefile": "-include OUT/inc.mk\nout:\n\techo $(X) > out\n"},
        {"OUT/inc.mk": "X = 2"},
    ),
    "a path that a program makes up": Case(
        "python3 gen.py",
        {"SRC/gen.py": 'import os\nopen("out", "w").write(open(os.path.join("OUT", "c" + "fg2")).read())', "OUT/cfg2": "1"},
        {"OUT/cfg2": "2"},
    ),
    "a package without a list of its files": Case(
        "python3 -c 'import advised; advised.f()' > out",
        {"OUT/lib/advised/__init__.py": "def f(): print(1)"},
        {"OUT/lib/advised/__init__.py": "def f(): print(2)"},
        'env = {PYTHONPATH = "OUT/lib"}',
    ),
    "a program that is found first": Case(
        "PATH=OUT/first:OUT/second; fancy > out",
        {"OUT/first/none": "", "OUT/second/fancy": script("echo 1")},
        {"OUT/first/fancy": script("echo 2")},
    ),
    "what is tested and not there": Case("[ -f OUT/conf ] && echo 2 > out || echo 1 > out", {}, {"OUT/conf": ""}),
    "what is tested and goes away": Case("[ -f OUT/mark ] && echo 2 > out || echo 1 > out", {"OUT/mark": ""}, {"OUT/mark": None}),
    "the interpreter of a script": Case(
        "OUT/run > out", {"OUT/run": "#!OUT/interpreter\n", "OUT/interpreter -> /bin/cat": ""}, {"OUT/interpreter -> /usr/bin/wc": ""}
    ),
    "times that are compared": Case(
        "[ OUT/one -nt OUT/two ] && echo 2 > out || echo 1 > out", {"OUT/one": "1", "OUT/two": "1"}, {"OUT/one": "1"}
    ),
    "the size of a file": Case("stat -c %s OUT/size > out", {"OUT/size": "1"}, {"OUT/size": "12"}),
    "the text of a link": Case("readlink OUT/link > out", {"OUT/link -> present": "", "OUT/present": ""}, {"OUT/link -> ./present": ""}),
    "the text of a link that leads nowhere": Case("readlink OUT/none > out", {"OUT/none -> a": ""}, {"OUT/none -> b": ""}),
    "nothing": Case("sh OUT/same > out", {"OUT/same": "echo 1"}, {"OUT/unrelated": "x", "OUT/same": "echo 1"}),
}  # fmt: skip


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that builds see, since it is not below a private temporary one."""
    folder = Path(tempfile.mkdtemp(prefix="ftc-outside-", dir=pwd.getpwuid(os.getuid()).pw_dir))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def write(place: Path, source: Path, files: dict[str, str | None]) -> None:
    def filled(text: str) -> str:
        return text.replace("OUT", str(place)).replace("SRC", str(source))

    for name, text in files.items():
        path, _, target = filled(name).partition(" -> ")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if target:
            Path(path).unlink(missing_ok=True)
            Path(path).symlink_to(target.replace("//", "/"))
        elif text is None:
            Path(path).unlink()
        else:
            Path(path).write_text(filled(text))
            Path(path).chmod(0o755)


def cached(run) -> dict[str, bool]:
    return {artifact["name"]: artifact["cached"] for artifact in run.report["artifacts"]}


def test_whatever_a_build_uses_outside_its_source_is_asked_about(verify, project, outside):
    tables = []
    places = {name: (outside / str(number), project / f"src{number}") for number, name in enumerate(CASES)}
    for name, case in CASES.items():
        place, source = places[name]
        source.mkdir()
        (source / "present").write_text("")
        write(place, source, case.before)
        build, more = (text.replace("OUT", str(place)) for text in (case.build, case.more))
        table = f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build)}\noutputs = ['out']\nsource = '{source.name}'\n"
        tables.append(table + more + "\n")
    toml = "".join(tables)
    first = verify(toml, QUICK)
    assert set(first.verdicts.values()) == {"reproducible"}, first.text
    assert set(cached(verify(toml, QUICK)).values()) == {True}
    for name, case in CASES.items():
        write(*places[name], case.after)
    run = verify(toml, QUICK)
    again = cached(run)
    assert {name for name, answered in again.items() if answered} == {"nothing"}
    (note,) = run.artifact("a makefile that is included")["notes"]
    assert note == f"built again: {places['a makefile that is included'][0]}/inc.mk is new"
    assert "built again (a link to a folder): " in run.flat
    assert set(cached(verify(toml, QUICK)).values()) == {True}


def test_what_git_reads_is_asked_about_where_builds_see_the_repository(verify, project, git):
    commands = {
        "config": "git config adv.cmd || echo",
        "remotes": "git remote",
        "branches": "git rev-list --all --count",
        "notes": "git notes show HEAD 2> /dev/null || echo",
        "names": "git describe --all",
        "nothing": "echo 1",
    }
    changes = {
        "config": ("config", "adv.cmd", "new"),
        "remotes": ("remote", "add", "origin", "/x"),
        "notes": ("notes", "add", "-m", "hi", "HEAD"),
        "names": ("branch", "-m", "renamed"),
        "nothing": ("update-ref", "refs/heads/another", "HEAD"),
    }
    tables = []
    for name, command in commands.items():
        source = project / name
        source.mkdir()
        (source / "f").write_text("x")
        git(source, "init", "-q", "-b", "main")
        git(source, "add", "-A")
        git(source, "commit", "-qm", "first")
        tables.append(
            f"[artifacts.{name}]\nbuild = {json.dumps(f'{command} > out')}\noutputs = ['out']\nsource = '{name}'\n"
        )
    toml = "".join(tables)
    assert set(verify(toml, QUICK).verdicts.values()) == {"reproducible"}
    assert set(cached(verify(toml, QUICK)).values()) == {True}
    for name, arguments in changes.items():
        git(project / name, *arguments)
    git(project / "branches", "commit", "-q", "--allow-empty", "-m", "second")
    git(project / "branches", "update-ref", "refs/heads/other", "HEAD")
    git(project / "branches", "reset", "-q", "--hard", "HEAD~")
    again = cached(verify(toml, QUICK))
    assert {name for name, answered in again.items() if answered} == {"nothing"}


def test_the_order_in_which_sources_were_changed_is_asked_about(verify, project):
    source = project / "src"
    source.mkdir()
    for name, time in (("a", 1e9), ("b", 1.1e9)):
        (source / name).write_text(name)
        os.utime(source / name, (time, time))
    toml = """
        [artifacts.newer]
        build = "[ a -nt b ] && echo 2 > out || echo 1 > out"
        outputs = ["out"]
        source = "src"
        [artifacts.stamp]
        build = "stat -c %Y a > out"
        outputs = ["out"]
        source = "src"
        """
    assert verify(toml, QUICK).verdicts == {"newer": "reproducible", "stamp": "reproducible"}
    os.utime(source / "a", (1.05e9, 1.05e9))
    assert cached(verify(toml, QUICK)) == {"newer": True, "stamp": True}
    os.utime(source / "a", (1.2e9, 1.2e9))
    again = verify(toml, QUICK)
    assert cached(again) == {"newer": False, "stamp": False}
    assert again.verdicts == {"newer": "reproducible", "stamp": "reproducible"}


def test_where_a_build_cannot_be_watched_the_answer_says_so_and_all_of_git_counts(project, git):
    source = project / "src"
    source.mkdir()
    (source / "f").write_text("x")
    git(source, "init", "-q")
    git(source, "add", "-A")
    git(source, "commit", "-qm", "first")
    (project / "ftc.toml").write_text("[artifacts.app]\nbuild = 'echo > out'\noutputs = ['out']\nsource = 'src'\n")
    report = project.parent / "report.json"
    options = ("--ftc-verify", "--ftc-diagnose=off", QUICK, f"--ftc-json={report}")
    sandbox = (sys.executable, str(Path(__file__).with_name("without_call.py")), "ptrace")

    def run() -> dict[str, object]:
        command = [*sandbox, sys.executable, "-m", "pytest", *options]
        subprocess.run(command, cwd=project, capture_output=True, check=True)
        artifact: dict[str, object] = json.loads(report.read_text())["artifacts"][0]
        return artifact

    assert not run()["cached"]
    answer = run()
    assert answer["cached"]
    assert "files that were not observed" in str(answer["notes"])
    git(source, "branch", "other")
    assert not run()["cached"]


@pytest.mark.parametrize("with_git", [False, True])
def test_what_the_session_writes_beside_the_sources_is_no_source(project, git, monkeypatch, with_git):
    folder = project / "whole"
    folder.mkdir()
    (folder / "ftc.toml").write_text("[artifacts.app]\nbuild = 'ls > out'\noutputs = ['out']\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    if with_git:
        (folder / ".gitignore").write_text("runpytest-*\n")
        git(folder, "init", "-q")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "first")
    monkeypatch.setenv("FTC_STORE", str(folder / "store"))
    options = (QUICK, "--ftc-diagnose=off", "--ftc-json=ftc.json", "--ftc-report=ftc-report", "--junitxml=junit.xml")
    for expected in (False, True, True):
        command = [sys.executable, "-m", "pytest", "--ftc-verify", *options]
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
        (artifact,) = json.loads((folder / "ftc.json").read_text())["artifacts"]
        assert (artifact["verdict"], artifact["cached"]) == ("reproducible", expected)
