"""The launcher's main program: enters the environment, runs the build, collects its outputs, writes the result."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import sys
import time

from pytest_ftc.builds.launcher import kernel, processes, root
from pytest_ftc.builds.launcher.collecting.blobs import Blobs, TooLargeError
from pytest_ftc.builds.launcher.collecting.output_links import file_clock
from pytest_ftc.builds.launcher.collecting.outputs import OutputsError, collect_outputs, trace_files
from pytest_ftc.builds.launcher.collecting.source_outputs import SourceOutputs, describe_doubtful, describe_unwritten
from pytest_ftc.builds.launcher.git_index import refresh_index
from pytest_ftc.builds.launcher.kernel_files import UPTIME
from pytest_ftc.builds.launcher.namespaces import enter_namespaces, move_uptime
from pytest_ftc.builds.launcher.shared_folders import SharedFolders, list_shared_memory, remove_stale
from pytest_ftc.builds.launcher.sockets import list_listening
from pytest_ftc.builds.launcher.supervisors import run_under_two
from pytest_ftc.builds.launcher.tracing.outcome import prepare, supervise
from pytest_ftc.builds.launcher.trees import copy_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Spec = dict[str, Any]
    Result = dict[str, Any]

_SPACE_FLOOR = 64 * 1024
_TAIL = 64 * 1024


def main(spec_descriptor: str) -> int:
    """Run the build that the JSON of `spec_descriptor` describes; its result is JSON in the spec's file ``result``."""
    # Closed here, so that the build does not inherit it.
    with open(int(spec_descriptor)) as file:
        spec = json.load(file)
    os.umask(0o022)
    if spec["clock_stop"]:
        # What only counts from the start, as the uptime, is moved there, and runs.
        spec["clock_shift"] = spec["clock_stop"] - int(time.time())
    spec["as_root"] = os.geteuid() == 0 and spec["isolation"] != "none"
    # Opened now: the build's root will not show these folders.
    log = os.open(spec["log"], os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    result = os.open(spec["result"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    keep = os.open(spec["keep"], os.O_RDONLY | os.O_DIRECTORY) if spec["keep"] else None
    # Only in one build: what it did not write, no other one writes.
    spec["sources"] = SourceOutputs(spec["snapshot"], spec["mtime_shift"]) if spec["trace"] == "uses" else None
    os.chdir(spec["blobs"])
    prepare(spec)
    if spec["isolation"] == "none":
        _write_result(result, _run_plain(spec, log, keep))
        return 0
    spec["listening"] = list_listening()
    try:
        user = spec["isolation"] == "user"
        pids = spec["fresh_proc"]
        enter_namespaces(user=user, pids=pids, network=spec["network"], uid=spec["uid"], gid=spec["gid"])
    except OSError as error:
        _write_result(result, _lost(str(error.strerror)))
        return 0
    spec["moved_uptime"] = bool(spec["clock_shift"]) and move_uptime(UPTIME)
    if spec["fresh_proc"]:
        return _run_as_init(spec, log, result, keep)
    return run_under_two(spec, lambda: _write_result(result, _run_in_namespaces(spec, log, keep)))


def _run_as_init(spec: Spec, log: int, result: int, keep: int | None) -> int:
    """Fork PID 1 of the PID namespace: when it ends, the kernel kills all other processes, see pid_namespaces(7)."""
    alive_read, alive_write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(alive_read)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    os.close(alive_write)
    code = 1
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if select.select([alive_read], [], [], 0)[0]:
            os._exit(1)  # the parent died before PR_SET_PDEATHSIG was set
        processes.limit_cpus(spec["cpus"])  # this process, too, is seen in the build's /proc
        _write_result(result, _run_in_namespaces(spec, log, keep))
        code = 0
    finally:
        os._exit(code)


def _run_in_namespaces(spec: Spec, log: int, keep: int | None) -> Result:
    blobs = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        not_applied = root.assemble_root(spec)
    except OSError as error:
        return _lost(f"setting up the build's root: {error}")
    # No path in the new root leads to this folder, but the descriptor still does.
    os.fchdir(blobs)
    spec["layers"] = _open_layers(spec)
    result = _run_build(spec, log, keep)
    return {**result, "not_applied": {**not_applied, **result.get("not_applied", {})}}


def _open_layers(spec: Spec) -> dict[str, int]:
    """Return descriptors of where contents of outputs need not be copied from, see `Blobs`.

    Without a PID namespace a process of the build could live on and change them.
    """
    control = spec.get("control")
    folders = {"known": f"../../{control}/blobs"} if control else {}
    if spec["overlay"] and spec["filesystem"] == "disk" and spec["fresh_proc"] and not spec["keep"]:
        folders["upper"] = "../scratch/upper"
    found = {}
    for name, folder in folders.items():
        with contextlib.suppress(OSError):
            found[name] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    return found


def _run_plain(spec: Spec, log: int, keep: int | None) -> Result:
    try:
        if sys.platform == "linux":
            kernel.adopt_orphans()
        for folder in (spec["home"], spec["temp_dir"], spec["build_path"]):
            os.makedirs(folder, exist_ok=True)
        root.fill_tree(spec, spec["build_path"])
        own = {os.path.join(spec["build_path"], ".git"): spec["git_dir"]} if spec["git_dir"] else {}
        for target, folder in {**own, **spec["shown"]}.items():
            os.mkdir(target)
            copy_tree(folder, target)
    except OSError as error:
        return _lost(f"copying the source tree: {error}")
    shared, folders = list_shared_memory(), SharedFolders(spec)
    try:
        return _describe_shared(spec, folders, _run_build(spec, log, keep))
    finally:
        remove_stale(shared)


def _describe_shared(spec: Spec, folders: SharedFolders, result: Result) -> Result:
    """Add the shared files that the build used to `result`, and remove those that it left."""
    trace = result.get("trace")
    if trace is None:
        return {**result, "shared": folders.find_new()}
    written = [*(path for _, path in trace["written"]), *(path for _, _, path in trace["moved"])]
    used, removed = folders.find_used([path for _, path in trace["read"]], written)
    notes = [f"{path}, which the build left behind, was removed" for path in removed]
    described = {**result, "shared": [*used, *result["objects"]], "notes": [*result.get("notes", ()), *notes]}
    if spec["trace"] == "no":
        del described["trace"]
    return described


def _run_build(spec: Spec, log: int, keep: int | None) -> Result:
    tree, patterns = spec["build_path"], spec["outputs"]
    if spec["git_dir"]:
        refresh_index(spec)
    before = trace_files(tree, patterns)
    moment: dict[str, Any] = {}
    supervision = supervise(spec, log)
    os.write(1, b"ready\n")
    if not processes.await_turn():
        return {"started": time.time(), "seconds": 0.0, **_lost("the session ended")}

    def announce() -> None:
        moment["started"] = time.time()
        moment["clock"] = time.monotonic()
        moment["files"] = file_clock()
        os.write(1, b"started %r\n" % moment["started"])

    try:
        pid = processes.start_build(spec, log, announce, supervision.following)
    except OSError as error:
        return {**_timing(moment), "status": "failed", "reason": processes.explain_start(error)}
    ended = processes.wait_for(pid, spec["timeout"], supervision.following)
    timing = _timing(moment)
    survivors = processes.kill_rest(namespace=processes.in_pid_namespace(spec))
    used = {"survivors": survivors, "cpu_seconds": processes.count_cpu_seconds()}
    result = {**timing, **supervision.report(), **used, "exit_code": ended.exit_code}
    if ended.abandoned:
        return {**result, **_lost("the session ended")}
    if keep is not None:
        from pytest_ftc.builds.launcher.keep import keep_folders

        result["left_out"] = keep_folders(spec, keep)
    if spec["shell"]:
        # The exit status of a shell is not that of the build.
        return {**result, "exit_code": None, **_collect(spec, before, moment["files"], supervision.rewrites)}
    if ended.timed_out:
        return {**result, "status": "timeout", "reason": f"still running after {spec['timeout']:g} s"}
    if ended.exit_code != 0:
        return {**result, **_explain_failure(ended.exit_code or 0, spec, log)}
    return {**result, **_collect(spec, before, moment["files"], supervision.rewrites)}


def _timing(moment: dict[str, Any]) -> Result:
    return {"started": moment["started"], "seconds": time.monotonic() - moment["clock"]}


def _collect(spec: Spec, before: Any, since: int, rewrites: Any) -> Result:
    notes: list[str] = []
    # Reading may take as long as a build: a build may end in its last second, and its outputs may be large.
    blobs = Blobs(".", spec["timeout"], **spec.get("layers", {}))
    try:
        outputs = collect_outputs(spec["build_path"], spec["outputs"], blobs, before, since, notes)
        notes += _refuse_sources(spec, outputs, rewrites, before)
        blobs.settle()
        return {"status": "ok", "outputs": outputs, "notes": notes}
    except TooLargeError as error:
        return {"status": "timeout", "reason": str(error)}
    except OutputsError as error:
        return {"status": "failed", "reason": str(error)}
    except OSError as error:
        return _lost(f"taking the outputs: {error}")


def _refuse_sources(spec: Spec, outputs: list[dict[str, Any]], rewrites: Any, before: Any) -> list[str]:
    """Return a note for outputs that may not have been built.  Raises OutputsError for those that were not."""
    sources: SourceOutputs | None = spec["sources"]
    if sources is None:
        return []
    sources.compare(spec["build_path"], outputs, rewrites, before)
    if sources.unwritten:
        raise OutputsError(describe_unwritten(sources.unwritten))
    return [describe_doubtful(sources.doubtful)] if sources.doubtful else []


def _explain_failure(exit_code: int, spec: Spec, log: int) -> Result:
    """Distinguish a build that failed from one that ran out of space, which is an infrastructure error."""
    if _out_of_space(spec) or _mentions_no_space(log):
        return _lost(os.strerror(errno.ENOSPC))
    if exit_code < 0:
        return {"status": "failed", "reason": f"killed by {signal.Signals(-exit_code).name}"}
    return {"status": "failed", "reason": f"exit status {exit_code}"}


def _out_of_space(spec: Spec) -> bool:
    for folder in (spec["build_path"], spec["temp_dir"], spec["home"]):
        space = os.statvfs(folder)
        if space.f_bavail * space.f_frsize < _SPACE_FLOOR or (space.f_files and space.f_favail == 0):
            return True
    return False


def _mentions_no_space(log: int) -> bool:
    size = os.fstat(log).st_size
    return os.strerror(errno.ENOSPC).encode() in os.pread(log, _TAIL, max(0, size - _TAIL))


def _lost(reason: str) -> Result:
    return {"status": "lost", "reason": reason}


def _write_result(descriptor: int, result: Result) -> None:
    data = json.dumps(result).encode()
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)
