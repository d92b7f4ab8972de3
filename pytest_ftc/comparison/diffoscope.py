"""Asks diffoscope what differs inside an output, in a process that may neither hang nor eat the machine."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
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

from pytest_ftc.comparison.diffoscope_report import Place, read_places
from pytest_ftc.comparison.hexdump import HexComparator
from pytest_ftc.model import Difference
from pytest_ftc.model.support.printable import printable, shorten

COMMAND = (sys.executable, "-m", "diffoscope.main")

# Sets limits in the process itself, since a hook between fork and exec is not safe beside threads.
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
"""Bytes of an output; diffoscope may write no larger file, and has no time for it."""
_MOST_PLACES = 20
_MOST_RESULT = 64 << 20
"""Bytes of JSON that are read: what is limited in diffoscope must not fill the memory here."""
_MOST_TEXT = 20_000_000
# Without these its Python may not start, or not find the packages that ours found.
_INHERITED = ("LD_LIBRARY_PATH", "PYTHONPATH")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,100}")
_PLAIN_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,8}){1,2}\Z")


class DiffoscopeError(Exception):
    """diffoscope gave no answer; the text says why."""


class DiffoscopeComparator:
    """Finds the places inside two outputs that differ; where diffoscope cannot, the first differing bytes.

    `diff_dir` gets the full diffs; temporary files go below `work`.  `timeout` is in seconds, `memory` in bytes of
    address space.
    """

    def __init__(
        self,
        diff_dir: Path,
        work: Path | None = None,
        *,
        timeout: float = 60,
        memory: int = 2 << 30,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._diff_dir = diff_dir
        self._work = work
        self._timeout = timeout
        self._memory = memory
        self._command = command
        self._fallback = HexComparator()
        self._cancelled = threading.Event()

    def keeping_in(self, folder: Path) -> DiffoscopeComparator:
        """Return the same with its diffs in `folder`; it is cancelled together with this."""
        other = copy.copy(self)
        other._diff_dir = folder
        return other

    def cancel(self) -> None:
        """Have running examinations end soon, by the fallback."""
        self._cancelled.set()

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        try:
            if max(control.stat().st_size, experiment.stat().st_size) > _LARGEST:
                raise DiffoscopeError(f"it is larger than {_LARGEST >> 30} GiB")
            with tempfile.TemporaryDirectory(prefix="diff-", dir=self._work, ignore_cleanup_errors=True) as folder:
                places, text = self._ask(Path(folder), difference.output, control, experiment)
        except (DiffoscopeError, OSError) as error:
            reason = f"not examined by diffoscope: {shorten(str(error))}"
            return [
                replace(found, note=_join(reason, found.note))
                for found in self._fallback.examine(difference, control, experiment)
            ]
        difference = replace(difference, diff=self._keep(difference, text))
        found = [self._fill(difference, place, control, experiment) for place in places[:_MOST_PLACES]]
        if len(places) > _MOST_PLACES:
            more = f"{len(places) - _MOST_PLACES} more places differ; see the diff"
            found[-1] = replace(found[-1], note=_join(found[-1].note, more))
        return found

    def _fill(self, difference: Difference, place: Place, control: Path, experiment: Path) -> Difference:
        """Return `difference` at `place`; with the first bytes of the output where diffoscope shows no values."""
        if place.evidence is None and not place.member:
            (difference,) = self._fallback.examine(difference, control, experiment)
        return replace(
            difference,
            member=place.member,
            location=place.location or difference.location,
            evidence=place.evidence or difference.evidence,
            note=place.note or difference.note,
        )

    def _ask(self, folder: Path, output: str, control: Path, experiment: Path) -> tuple[tuple[Place, ...], str]:
        name = _safe_name(output)
        for side, blob in (("control", control), ("experiment", experiment)):
            (folder / side).mkdir()
            _link_or_copy(blob, folder / side / name)
        (folder / "tmp").mkdir()
        limits = [sys.executable, "-I", "-S", "-c", _LIMITED, str(self._memory)]
        options = [
            "--no-progress", "--no-default-limits", "--max-diff-block-lines-saved=2000",
            f"--max-text-report-size={_MOST_TEXT}", "--max-diff-input-lines=1000000", "--max-container-depth=20",
            # Somewhat before the end, so that what it has found by then is not lost.
            "--exclude-directory-metadata=yes", f"--timeout={max(1, int(self._timeout * 0.8))}",
            "--json=result.json", "--text=result.txt", "--text-color=never",
        ]  # fmt: skip
        self._run([*limits, *self._command, *options, f"control/{name}", f"experiment/{name}"], folder)
        return self._read(folder)

    def _read(self, folder: Path) -> tuple[tuple[Place, ...], str]:
        try:
            if (folder / "result.json").stat().st_size > _MOST_RESULT:
                raise DiffoscopeError("its result is too large")
            result = json.loads((folder / "result.json").read_bytes())
            with open(folder / "result.txt", errors="replace") as file:
                text = file.read(_MOST_TEXT)
        except (OSError, ValueError, RecursionError):
            # A Python that dies of an exception ends with the status by which diffoscope means: they differ.
            raise DiffoscopeError(_last_words(folder / "errors") or "it wrote no readable result") from None
        try:
            return read_places(result), text
        except (ValueError, RecursionError) as error:
            raise DiffoscopeError(str(error)) from None

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
            # The group, so that the tools diffoscope has started end with it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if status not in (0, 1):
            raise DiffoscopeError(f"it ended with status {status}: {_last_words(folder / 'errors') or 'no message'}")
        if status == 0:
            raise DiffoscopeError("it found no difference, though the bytes differ")

    def _await(self, process: subprocess.Popen[bytes]) -> int:
        end = time.monotonic() + self._timeout
        while time.monotonic() < end:
            if self._cancelled.is_set():
                raise DiffoscopeError("the session ended")
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(0.2)
        raise DiffoscopeError(f"it ran out of time after {self._timeout:g} s")

    def _keep(self, difference: Difference, text: str) -> str:
        """Write the full diff and return its path; nothing when that cannot be done, since it is a convenience."""
        if not text.strip():
            return ""
        sides = [side.sha256 if side else "" for side in (difference.control, difference.experiment)]
        digest = hashlib.sha256(os.fsencode("\0".join([difference.output, *sides]))).hexdigest()[:8]
        path = self._diff_dir / f"{_safe_name(difference.output)}-{digest}.txt"
        try:
            self._diff_dir.mkdir(parents=True, exist_ok=True)
            # Line by line, since most lines need no escaping and are then cheap.
            safe = "\n".join(printable(line, keep="\t") for line in text.split("\n"))
            path.write_text(safe, errors="backslashreplace")
        except OSError:
            return ""
        return str(path)


def _environment(folder: Path) -> Mapping[str, str]:
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        # Otherwise found by way of HOME.
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _join(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _last_words(errors: Path) -> str:
    lines = errors.read_text(errors="replace").strip().splitlines()[-1:]
    return "it is not installed" if any("No module named" in line for line in lines) else "".join(lines)


def _safe_name(output: str) -> str:
    """Return a name that keeps what diffoscope needs to know the format, and nothing hostile."""
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
