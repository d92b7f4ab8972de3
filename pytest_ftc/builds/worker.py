"""What runs on the worker of a farm: surveys it, or runs one build there as `LocalExecutor` does.

It is sent as a zip with the modules that it imports, and needs Python 3.10 or later and its standard library.  In the
folder where it starts are the request and the source tree, and it leaves there what it has to say:

- ``request.json``: see `pytest_ftc.builds.worker_request.Request`;
- ``source`` and its list ``modes.json``: the modes and times, which farms do not keep, and all that is in it, since not
  all farms verify what they give; ``git``, folders that the build sees at other paths, and their lists;
- ``result.json``: the machine, or the result of the build, whose paths are relative;
- ``build.log``, and the folder ``blobs``: the contents of the outputs, each named by its sha256.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from pytest_ftc.builds.facilities import find_lacks, find_other_isolation
from pytest_ftc.builds.inputs.host import describe_host
from pytest_ftc.builds.interpreter import NEEDS, complete_environment, describe_interpreter
from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.machine import survey_machine
from pytest_ftc.builds.start import plan_start
from pytest_ftc.builds.worker_request import (
    ANSWER,
    BLOBS,
    FAKETIME,
    GIT,
    LOG,
    MODES,
    MOST_ANSWER,
    REQUEST,
    SOURCE,
    Request,
    describe_entry,
    listing_of,
)
from pytest_ftc.builds.worker_tools import list_tools, list_used
from pytest_ftc.builds.workspace import Workspace, is_in_memory
from pytest_ftc.model import Action, BuildResult, Machine, Tracing
from pytest_ftc.model.machine import Needs
from pytest_ftc.model.support.serialization import from_json, to_json

_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def main(asked: str) -> int:
    """Do what the request with the sha256 `asked` asks for; the exit status is 0 if there is an answer."""
    here = Path.cwd()
    request = from_json(Request, json.loads(_read(here / REQUEST, asked)))
    library = [_verified(here / FAKETIME, request.faketime)] if request.faketime else []
    disk = _find_disk(here)
    with Workspace(disk) as workspace:
        machine = _survey(workspace.path, library, overlay=disk is None)
        if request.action is None:
            answer = json.dumps(to_json(machine))
        else:
            lacks = _find_lacks(request, request.action, machine)
            build = _build(request, request.action, machine, workspace, here)
            not_applied = {**lacks, **build.not_applied}
            answer = _encode(replace(build, not_applied=not_applied, cpu_seconds=_used_cpu()))
        (here / ANSWER).write_text(answer)
    return 0


def _find_lacks(request: Request, action: Action, machine: Machine) -> dict[str, str]:
    """Return the variations that cannot be in force here, and why.  Ends if the build cannot run as it was planned."""
    if request.surveyed is None:
        return {}
    if other := find_other_isolation(machine, request.surveyed):
        sys.exit(other)
    return find_lacks(machine, request.surveyed, action.environment)


def _used_cpu() -> float:
    """Return the CPU seconds of this process and of all below it that somebody waited for, see getrusage(2)."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(each.ru_utime + each.ru_stime for each in used), 3)


def _find_disk(here: Path) -> Path | None:
    """Return the folder `here` if it is on a disk and temporary folders are in memory: control builds need a disk."""
    return here if is_in_memory(Workspace().path.parent) and not is_in_memory(here) else None


def _survey(work: Path, library: list[Path], *, overlay: bool) -> Machine:
    """Return what this worker can do, with the commands that it offers.

    In the input root there is no `overlay`: if this program is killed, overlayfs leaves a folder that nobody may enter,
    and servers that clear the input root away fail on it.
    """
    machine = survey_machine(work, library, overlay=overlay)
    path = tuple(folder for folder in _FOLDERS if os.path.isdir(folder))  # noqa: PTH112
    return replace(machine, path=path, python=sys.executable, interpreter=describe_interpreter())


def _build(request: Request, action: Action, machine: Machine, workspace: Workspace, here: Path) -> BuildResult:
    source = workspace.folder("sources")
    _copy_tree(here / SOURCE, source, here / MODES, request.modes)
    git = here / GIT if GIT in request.listings else None
    if git:
        _verify_tree(git, _read_listing(here / listing_of(GIT), request.listings[GIT]))
    root = Path(action.root) if action.root else None
    shown = {path: _take_shown(request, here, str(folder), workspace) for path, folder in action.shown.items()}
    action = replace(action, root=root, snapshot=source, git_dir=git, shown=shown)
    action, notes = _find_python(action, request.python)
    lists = action.trace is Tracing.TOOLS
    traced = replace(action, trace=Tracing.USES) if lists else action
    # A build must not be able to tell its role.
    concealed = [str(here / name) for name in (REQUEST, SOURCE, MODES, GIT, *map(listing_of, request.listings))]
    logs = workspace.folder("logs")
    executor = LocalExecutor(machine, workspace.folder("builds"), logs, jobs=1, concealed=concealed)
    result = _run(executor, traced, machine)
    (here / BLOBS).mkdir()
    if result.blobs and os.path.isdir(result.blobs):  # noqa: PTH112
        for name in {output.sha256 for output in result.outputs if output.sha256}:
            shutil.move(os.path.join(result.blobs, name), here / BLOBS / name)  # noqa: PTH118
    log = here / LOG
    if result.log and os.path.isfile(result.log):  # noqa: PTH113
        shutil.move(result.log, log)
    else:
        log.touch()
    tools = list_tools(action) if action.environment.replica else {}
    if lists and result.trace:
        tools |= list_used(action, result.trace)
    return replace(result, log="", blobs="", host=describe_host(), tools=tools, notes=(*result.notes, *notes))


def _find_python(action: Action, python: str) -> tuple[Action, tuple[str, ...]]:
    """Return `action` with a Python of this worker, if it starts the session's `python` and that is not here."""
    name, *arguments = action.command
    if name != python or os.access(python, os.X_OK):
        return action, ()
    note = f"the workers have no {python}; the build was started with their {sys.executable}"
    return replace(action, command=(sys.executable, *arguments)), (note,)


def _run(executor: LocalExecutor, action: Action, machine: Machine) -> BuildResult:
    """Run the build, at a moment at which its clock shows what is asked for."""
    if action.clock is None or not machine.faketime:
        return executor.run(action, lambda _: None)
    start = plan_start(action.clock, 0, time.time())
    shifted = replace(action, environment=replace(action.environment, clock_shift=start.shift))
    return replace(executor.run(shifted, lambda _: None, start.wait), clock_shift=start.shift)


def _take_shown(request: Request, here: Path, name: str, workspace: Workspace) -> Path:
    """Return a copy of the folder `name` that the build sees; one of packages becomes a virtual environment."""
    folder = workspace.folder(f"shown-{name}")
    _copy_tree(here / name, folder, here / listing_of(name), request.listings[name])
    if (folder / NEEDS).is_file():
        python = describe_interpreter()
        misfit = from_json(Needs, json.loads((folder / NEEDS).read_bytes())).find_misfit(python)
        if misfit:
            sys.exit(f"the build requirements do not fit {python.path} of this worker: {misfit}")
        complete_environment(folder, python)
    return folder


def _copy_tree(source: Path, target: Path, listing: Path, sha256: str) -> None:
    """Copy a tree, and give each file its mode and time, folders last.  Ends if it is not what was sent."""
    known = _read_listing(listing, sha256)
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    _verify_tree(target, known)
    for path, (mode, moment, _) in sorted(known.items(), reverse=True):
        name = os.path.join(target, path)  # noqa: PTH118
        if not os.path.islink(name):  # noqa: PTH114
            os.chmod(name, mode)  # noqa: PTH101
        os.utime(name, ns=(moment, moment), follow_symlinks=False)


def _read_listing(path: Path, sha256: str) -> dict[str, tuple[int, int, str]]:
    """Return mode, time and `describe_entry` of all that was sent in a folder, by path."""
    known: dict[str, tuple[int, int, str]] = json.loads(_read(path, sha256))
    return known


def _verify_tree(folder: Path, known: Mapping[str, tuple[int, int, str]]) -> None:
    """End if a tree that the farm gave is not the one that was sent: all of it, and nothing else."""
    found = {".": ""}
    for inside, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(inside, name)  # noqa: PTH118
            found[os.path.relpath(path, folder)] = _describe(path)
    for path in sorted(found.keys() | known.keys()):
        if path not in known:
            sys.exit(f"the farm gave the worker {path!r}, which it was not sent")
        if path not in found:
            sys.exit(f"the farm gave the worker no {path!r}")
        if found[path] != known[path][2]:
            _end_by_another(path)


def _describe(path: str) -> str:
    if os.path.islink(path):  # noqa: PTH114
        return describe_entry("", os.readlink(path))  # noqa: PTH115 (pathlib would normalize it)
    if os.path.isdir(path):  # noqa: PTH112
        return describe_entry("", None)
    return describe_entry(_digest(path), None)


def _read(path: Path, sha256: str) -> bytes:
    """Return the content of a file that the farm gave.  Ends if it is not what was sent."""
    return _verified(path, sha256).read_bytes()


def _verified(path: Path, sha256: str) -> Path:
    """Return `path`.  Ends if the file that the farm gave there is not what was sent."""
    if _digest(str(path)) != sha256:
        _end_by_another(path.name)
    return path


def _digest(path: str) -> str:
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                found.update(chunk)
    except OSError as error:
        sys.exit(f"the farm gave the worker no {os.path.basename(path)!r}: {error.strerror}")  # noqa: PTH119
    return found.hexdigest()


def _end_by_another(name: str) -> NoReturn:
    sys.exit(f"the farm gave the worker another {name!r} than it was sent")


def _encode(result: BuildResult) -> str:
    """Return the answer; a trace that is too large for one is left out, which the result says."""
    text = json.dumps(to_json(result))
    trace = result.trace
    if len(text) > MOST_ANSWER and trace and trace.contents:
        gap = "the beginnings of the files that were written are too large for the answer of a farm"
        result = replace(result, trace=replace(trace, contents=(), gaps=(*trace.gaps, gap)))
        text = json.dumps(to_json(result))
    if len(text) > MOST_ANSWER and trace:
        refusal = f"its trace is too large for the answer of a farm, which may have {MOST_ANSWER >> 20} MiB"
        text = json.dumps(to_json(replace(result, trace=None, not_followed=refusal)))
    return text
