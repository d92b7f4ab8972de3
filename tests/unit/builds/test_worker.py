"""The program that runs on workers, run here as a worker does: the zip, in a folder with a request."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pytest_ftc.builds import worker
from pytest_ftc.builds.facilities import find_other_isolation
from pytest_ftc.builds.interpreter import NEEDS, describe_interpreter
from pytest_ftc.builds.worker_request import (
    ANSWER,
    BLOBS,
    FAKETIME,
    GIT,
    LOG,
    MODES,
    PROGRAM,
    REQUEST,
    SOURCE,
    Request,
    listing_of,
)
from pytest_ftc.integrations.reapi.builds.program import START, pack_program
from pytest_ftc.model import (
    Action,
    BuildResult,
    BuildStatus,
    Environment,
    Isolation,
    Machine,
    Replica,
    Role,
    Trace,
    Tracing,
)
from pytest_ftc.model.machine import Needs
from pytest_ftc.model.support.serialization import from_json, to_json


def build(command, *, outputs=("out",)):
    environment = Environment(
        build_path="/ftc-build/tree",
        home="/ftc-home",
        temp_dir="/tmp",
        variables={"PATH": os.defpath},
        network=False,
    )
    return Action(
        id="one-control",
        role=Role.CONTROL,
        command=("/bin/sh", "-c", command),
        snapshot=Path(SOURCE),
        environment=environment,
        described={"umask": "0022"},
        outputs=outputs,
        timeout=60,
    )


@pytest.fixture
def work(tmp_path):
    """A function that runs the program for a request, and returns the process and its answer."""
    data = b"data\n"
    for folder in (SOURCE, GIT):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub" / "data.txt").write_bytes(data)
        (tmp_path / folder / "link").symlink_to("sub/data.txt")
    listed = {".": "", "sub": "", "link": "-> sub/data.txt", "sub/data.txt": sha256(data)}
    times = {path: [0o640 if what else 0o755, 1_500_000_000_000_000_000, what] for path, what in listed.items()}
    (tmp_path / MODES).write_text(json.dumps(times))
    (tmp_path / listing_of(GIT)).write_text(json.dumps(times))
    (tmp_path / FAKETIME).write_bytes(b"not a library")
    (tmp_path / PROGRAM).write_bytes(pack_program())
    modes, git, library = (sha256((tmp_path / name).read_bytes()) for name in (MODES, listing_of(GIT), FAKETIME))

    def run(action, kind, *, listings=None, python="", surveyed=None, change=None, problem=""):
        # Each execution has a folder of its own on a farm.
        (tmp_path / ANSWER).unlink(missing_ok=True)
        shutil.rmtree(tmp_path / BLOBS, ignore_errors=True)
        listings = {GIT: git, **(listings or {})}
        asked = Request(
            action=action, modes=modes, listings=listings, faketime=library, python=python, surveyed=surveyed
        )
        request = json.dumps(to_json(asked))
        (tmp_path / REQUEST).write_text(request)
        if change:
            change(tmp_path)
        # As few variables as a farm gives, and no standard input.
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", START, sha256(pack_program()), sha256(request.encode())],
            cwd=tmp_path,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if problem:
            assert (done.returncode, done.stderr) == (1, f"{problem}\n")
            assert not (tmp_path / ANSWER).exists()
            return None
        assert done.returncode == 0, done.stderr
        return from_json(kind, json.loads((tmp_path / ANSWER).read_text()))

    return run


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def altered(path):
    def change(folder):
        data = (folder / path).read_bytes()
        (folder / path).write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])

    return change


def added(path):
    return lambda folder: (folder / path).write_text("more")


def removed(path):
    return lambda folder: (folder / path).unlink()


def linked(path, target):
    def change(folder):
        (folder / path).unlink()
        (folder / path).symlink_to(target)

    return change


def turned_into_a_folder(path):
    def change(folder):
        (folder / path).unlink()
        (folder / path).mkdir()

    return change


def test_a_survey_says_what_the_worker_can_do(work):
    machine = work(None, Machine)
    assert machine.cpus >= 1
    assert machine.python == sys.executable
    assert "/usr/bin" in machine.path


def test_a_build_leaves_its_result_its_log_and_its_contents(work, tmp_path):
    result = work(build("cat sub/data.txt > out; stat -c '%a %Y' sub/data.txt; echo done"), BuildResult)
    assert result.status is BuildStatus.OK, result.reason
    assert (result.id, result.role, dict(result.environment)) == (
        "one-control",
        Role.CONTROL,
        {"umask": "0022"},
    )
    (output,) = result.outputs
    assert (tmp_path / BLOBS / output.sha256).read_text() == "data\n"
    assert (tmp_path / LOG).read_text() == "640 1500000000\ndone\n"
    assert (result.log, result.blobs, result.tools) == ("", "", {})


@pytest.mark.parametrize("tree", [SOURCE, GIT])
@pytest.mark.parametrize(
    ("change", "path", "problem"),
    [
        (altered, "sub/data.txt", "another 'sub/data.txt' than it was sent"),
        (added, "sub/more.txt", "'sub/more.txt', which it was not sent"),
        (removed, "sub/data.txt", "no 'sub/data.txt'"),
        (removed, "link", "no 'link'"),
        (partial(linked, target="/etc/passwd"), "link", "another 'link' than it was sent"),
        (partial(linked, target="/etc/passwd"), "sub/data.txt", "another 'sub/data.txt' than it was sent"),
        (turned_into_a_folder, "link", "another 'link' than it was sent"),
    ],
)
def test_a_tree_that_the_farm_altered_is_not_built(work, tree, change, path, problem):
    problem = f"the farm gave the worker {problem}"
    work(build("cat sub/data.txt > out"), BuildResult, change=change(f"{tree}/{path}"), problem=problem)


@pytest.mark.parametrize("name", [MODES, listing_of(GIT), REQUEST, FAKETIME, PROGRAM])
def test_a_file_that_the_farm_altered_is_not_used(work, name):
    problem = f"the farm gave the worker another {name!r} than it was sent"
    work(build("cat sub/data.txt > out"), BuildResult, change=altered(name), problem=problem)


@pytest.mark.parametrize("name", [MODES, listing_of(GIT), REQUEST, FAKETIME])
def test_a_file_that_the_farm_lacks_is_named(work, name):
    problem = f"the farm gave the worker no {name!r}: No such file or directory"
    work(build("cat sub/data.txt > out"), BuildResult, change=removed(name), problem=problem)


def test_a_trace_that_is_too_large_is_left_out_and_the_result_says_so(monkeypatch):
    trace = Trace(programs=(), read=(), written=(), contents=((-1, "/f", "x" * 5000),), moved=(), connected=(), gaps=())
    found = BuildResult(id="a", role=Role.CONTROL, environment={}, status=BuildStatus.OK, trace=trace)
    whole = len(worker._encode(found))
    monkeypatch.setattr(worker, "MOST_ANSWER", whole - 1)
    without = from_json(BuildResult, json.loads(worker._encode(found)))
    assert (without.trace.contents, without.not_followed) == ((), "")
    assert "too large for the answer of a farm" in without.trace.gaps[0]
    monkeypatch.setattr(worker, "MOST_ANSWER", 100)
    bare = from_json(BuildResult, json.loads(worker._encode(found)))
    assert bare.trace is None
    assert "too large for the answer of a farm" in bare.not_followed
    monkeypatch.setattr(worker, "MOST_ANSWER", whole)
    assert from_json(BuildResult, json.loads(worker._encode(found))) == found


@pytest.fixture
def packages(tmp_path):
    """A function that sends packages to the worker, for a Python of a series, and returns the digest of their list."""

    def send(series):
        needs = to_json(Needs(implementation=platform.python_implementation(), series=series))
        files = {NEEDS: json.dumps(needs), f"lib/python{series}/site-packages/one.py": "value = 1\n"}
        time = 1_500_000_000_000_000_000
        folders = (".", "lib", f"lib/python{series}", f"lib/python{series}/site-packages")
        listing = {path: [0o755, time, ""] for path in folders}
        for path, text in files.items():
            (tmp_path / "packages" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "packages" / path).write_text(text)
            listing[path] = [0o644, time, sha256(text.encode())]
        (tmp_path / listing_of("packages")).write_text(json.dumps(listing))
        return hashlib.sha256((tmp_path / listing_of("packages")).read_bytes()).hexdigest()

    return send


SERIES = f"{sys.version_info[0]}.{sys.version_info[1]}"
IMPORT = "/ftc-packages/bin/python -c 'import one, sys; print(one.value, sys.prefix)' > out"


def test_packages_become_an_environment_where_the_build_sees_them(work, packages, tmp_path):
    action = replace(build(IMPORT), shown={"/ftc-packages": Path("packages")})
    result = work(action, BuildResult, listings={"packages": packages(SERIES)})
    assert result.status is BuildStatus.OK, result.log_tail
    (output,) = result.outputs
    assert (tmp_path / BLOBS / output.sha256).read_text() == "1 /ftc-packages\n"


def test_packages_and_the_python_that_uses_them_are_tools_of_a_traced_build(work, packages):
    action = replace(build(IMPORT), shown={"/ftc-packages": Path("packages")}, trace=Tracing.TOOLS)
    result = work(action, BuildResult, listings={"packages": packages(SERIES)})
    assert result.trace is not None, result.not_followed
    python = os.path.realpath(describe_interpreter().path)
    assert result.tools[python] == sha256(Path(python).read_bytes())
    assert result.tools[f"/ftc-packages/lib/python{SERIES}/site-packages/one.py"] == sha256(b"value = 1\n")


def test_packages_that_do_not_fit_the_worker_are_named_with_its_python(work, packages):
    action = replace(build(IMPORT), shown={"/ftc-packages": Path("packages")})
    python = describe_interpreter()
    problem = (
        f"the build requirements do not fit {python.path} of this worker: "
        f"they are installed for {python.implementation} 3.7, and not for {python.name}"
    )
    work(action, BuildResult, listings={"packages": packages("3.7")}, problem=problem)


@pytest.mark.parametrize("path", [f"packages/{NEEDS}", listing_of("packages")])
def test_packages_that_the_farm_altered_are_not_used(work, packages, path):
    action = replace(build(IMPORT), shown={"/ftc-packages": Path("packages")})
    problem = f"the farm gave the worker another {Path(path).name!r} than it was sent"
    work(action, BuildResult, listings={"packages": packages(SERIES)}, change=altered(path), problem=problem)


@pytest.mark.parametrize("python", ["/no/python", sys.executable])
def test_the_python_of_the_session_is_used_where_the_worker_has_it(work, tmp_path, python):
    code = "import sys; open('out', 'w').write(sys.executable)"
    action = replace(build(""), command=(python, "-c", code))
    result = work(action, BuildResult, python=python)
    (output,) = result.outputs
    assert (tmp_path / BLOBS / output.sha256).read_text() == sys.executable
    note = f"the workers have no {python}; the build was started with their {sys.executable}"
    assert [one for one in result.notes if "workers" in one] == [note] * (python != sys.executable)


def test_a_clock_starts_when_it_is_asked_to(work, tmp_path):
    moment = 1_700_000_000.25
    movable = bool(work(None, Machine).faketime)
    result = work(replace(build("date +%s.%N > out"), clock=moment), BuildResult)
    (output,) = result.outputs
    seen = float((tmp_path / BLOBS / output.sha256).read_text())
    assert (result.clock_shift is not None) is movable
    started = result.started + (result.clock_shift or 0)
    assert (0 <= started - moment < 2, 0 <= seen - moment < 2) == (movable, movable)


def test_what_this_worker_cannot_do_is_not_applied(work):
    machine = work(None, Machine)
    better = replace(machine, cpus=machine.cpus + 1)
    result = work(build("true > out"), BuildResult, surveyed=better)
    assert (result.status, list(result.not_applied)) == (BuildStatus.OK, ["num_cpus"])
    assert work(build("true > out"), BuildResult, surveyed=machine).not_applied == {}


def test_a_build_that_was_planned_for_another_isolation_does_not_run(work):
    machine = work(None, Machine)
    other = next(isolation for isolation in Isolation if isolation is not machine.isolation)
    problem = find_other_isolation(machine, replace(machine, isolation=other))
    assert "choose workers that are alike" in problem
    work(build("true > out"), BuildResult, surveyed=replace(machine, isolation=other), problem=problem)


def test_a_failed_build_is_an_answer_too(work, tmp_path):
    result = work(build("echo no; exit 3"), BuildResult)
    assert (result.status, result.exit_code, result.log_tail) == (BuildStatus.FAILED, 3, "no")
    assert (tmp_path / LOG).read_text() == "no\n"
    assert os.listdir(tmp_path / BLOBS) == []


def test_the_program_is_always_the_same_and_holds_no_more_than_it_needs(tmp_path):
    pack_program.cache_clear()
    first = pack_program()
    pack_program.cache_clear()
    assert pack_program() == first
    (tmp_path / "program.zip").write_bytes(first)
    names = zipfile.ZipFile(tmp_path / "program.zip").namelist()
    assert all(name.startswith("pytest_ftc/") for name in names)
    assert len(first) < 400_000


def test_an_old_python_is_named():
    code = f"import sys; sys.version_info = (3, 9, 2)\nexec({START!r})"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == "pytest-ftc needs Python 3.10 or later on the worker, found 3.9"


def test_replicas_list_the_tools_that_the_command_names(work):
    plain = build("cat sub/data.txt > out")
    environment = replace(plain.environment, replica=Replica.CONTROL)
    result = work(replace(plain, environment=environment), BuildResult)
    path = os.path.realpath(shutil.which("cat"))
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert result.host.kernel.startswith("Linux ")
    assert digest in {result.tools.get(name) for name in (path, shutil.which("cat"), "/bin/cat")}


def test_a_build_can_list_every_file_of_the_machine_that_it_reads(work):
    traced = replace(build("cat sub/data.txt /etc/passwd > out"), trace=Tracing.TOOLS)
    result = work(traced, BuildResult)
    if result.trace is None:
        assert result.not_followed
        return
    libc = [name for name in result.tools if "libc" in name]
    assert libc, sorted(result.tools)
    assert all(len(digest) == 64 for digest in result.tools.values())
    assert not any("data.txt" in name for name in result.tools)
