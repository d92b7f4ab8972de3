"""Runs diffoscope for the full diff of an output that differs, in a process with limited time and memory."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import re
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.model import Difference
from pytest_ftc.model.support.printable import printable, shorten

COMMAND = (sys.executable, "-m", "diffoscope.main")

# The process sets its own limits, because preexec_fn is not safe in the presence of threads (subprocess).
_LIMITED = """
import os, resource, sys
limits = {resource.RLIMIT_AS: int(sys.argv[1]), resource.RLIMIT_FSIZE: 4 << 30, resource.RLIMIT_CORE: 0}
for kind, limit in limits.items():
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (limit, limit))
os.nice(10)
os.execvp(sys.argv[2], sys.argv[2:])
"""
_LARGEST = 4 << 30
"""Size of the largest output to examine; diffoscope may not write larger files, and would run out of time."""
_TRACEBACK = b"Traceback (most recent call last)"
_MOST_TEXT = 20_000_000
"""Characters of a diff."""
# Without these variables its Python may not start, or not find the packages that ours found.
_INHERITED = ("LD_LIBRARY_PATH", "PYTHONPATH")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,100}")
_PLAIN_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,8}){1,2}\Z")


class DiffoscopeError(Exception):
    """diffoscope produced no diff; the message says why."""


class Diffoscope:
    """Writes full diffs to `diff_dir`, and temporary files below `work`.

    `timeout` is in seconds, `memory` in bytes of address space.
    """

    def __init__(
        self,
        diff_dir: Path,
        work: Path | None = None,
        *,
        timeout: float = 30,
        memory: int = 2 << 30,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._diff_dir = diff_dir
        self._work = work
        self._timeout = timeout
        self._memory = memory
        self._command = command
        self._cancelled = threading.Event()

    def keeping_in(self, folder: Path) -> Diffoscope:
        """Return a copy that writes diffs to `folder`; `cancel` affects both."""
        other = copy.copy(self)
        other._diff_dir = folder
        return other

    def cancel(self) -> None:
        """Make running processes end soon, without a diff."""
        self._cancelled.set()

    def write(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        """Return `difference` with the path of its full diff, or with a note why there is none."""
        try:
            if max(control.stat().st_size, experiment.stat().st_size) > _LARGEST:
                raise DiffoscopeError(f"the output is larger than {_LARGEST >> 30} GiB")
            with tempfile.TemporaryDirectory(prefix="diff-", dir=self._work, ignore_cleanup_errors=True) as folder:
                text = self._ask(Path(folder), difference.output, control, experiment)
            return replace(difference, diff=self._keep(difference, text))
        except (DiffoscopeError, OSError) as error:
            return replace(difference, note=f"no full diff: {shorten(str(error))}")

    def _ask(self, folder: Path, output: str, control: Path, experiment: Path) -> str:
        name = _safe_name(output)
        for side, blob in (("control", control), ("experiment", experiment)):
            (folder / side).mkdir()
            _link_or_copy(blob, folder / side / name)
        (folder / "tmp").mkdir()
        limits = [sys.executable, "-I", "-S", "-c", _LIMITED, str(self._memory)]
        options = [
            "--no-progress", "--no-default-limits", "--max-diff-block-lines-saved=2000",
            f"--max-text-report-size={_MOST_TEXT}", "--max-diff-input-lines=1000000", "--max-container-depth=20",
            # Shorter than our own timeout, so that diffoscope can still write what it has found.
            "--exclude-directory-metadata=yes", f"--timeout={max(1, int(self._timeout * 0.8))}",
            "--text=result.txt", "--text-color=never",
        ]  # fmt: skip
        self._run([*limits, *self._command, *options, f"control/{name}", f"experiment/{name}"], folder)
        try:
            with open(folder / "result.txt", errors="replace") as file:
                text = file.read(_MOST_TEXT)
        except OSError:
            text = ""
        # Status 1 means both: the files differ, or Python ended with an exception.
        if not text.strip() or _TRACEBACK in (folder / "errors").read_bytes():
            raise DiffoscopeError(_last_words(folder / "errors") or "diffoscope wrote no diff")
        return text

    def _run(self, command: Sequence[str], folder: Path) -> None:
        with open(folder / "errors", "wb") as errors:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        try:
            status = self._await(process)
        finally:
            # The whole process group, because diffoscope starts other tools.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if status not in (0, 1):
            last = _last_words(folder / "errors") or "no message"
            raise DiffoscopeError(f"diffoscope ended with status {status}: {last}")
        if status == 0:
            raise DiffoscopeError("diffoscope found no difference, though the bytes differ")

    def _await(self, process: subprocess.Popen[bytes]) -> int:
        end = time.monotonic() + self._timeout
        while time.monotonic() < end:
            if self._cancelled.is_set():
                raise DiffoscopeError("the session ended")
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(0.2)
        raise DiffoscopeError(f"diffoscope took longer than {self._timeout:g} s")

    def _keep(self, difference: Difference, text: str) -> str:
        """Write the full diff and return its path."""
        sides = [side.sha256 if side else "" for side in (difference.control, difference.experiment)]
        digest = hashlib.sha256(os.fsencode("\0".join([difference.output, *sides]))).hexdigest()[:8]
        path = self._diff_dir / f"{_safe_name(difference.output)}-{digest}.txt"
        self._diff_dir.mkdir(parents=True, exist_ok=True)
        # Line by line, because lines that need no escaping are cheap, and most do not.
        safe = "\n".join(printable(line, keep="\t") for line in text.split("\n"))
        path.write_text(safe, errors="backslashreplace")
        return str(path)


def _environment(folder: Path) -> Mapping[str, str]:
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        # Otherwise Python finds it through HOME.
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _last_words(errors: Path) -> str:
    lines = errors.read_text(errors="replace").strip().splitlines()[-1:]
    return "diffoscope is not installed" if any("No module named" in line for line in lines) else "".join(lines)


def _safe_name(output: str) -> str:
    """Return a harmless name with the suffix that diffoscope needs to detect the format."""
    name = output.rpartition("/")[2]
    if _PLAIN_NAME.fullmatch(name):
        return name
    suffix = _PLAIN_SUFFIX.search(name)
    return f"output{suffix[0] if suffix else ''}"


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
