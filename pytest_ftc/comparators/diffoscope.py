"""Asks diffoscope what differs inside an output, in a process that may neither hang nor eat the machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_ftc.comparators.hexdump import HexComparator
from pytest_ftc.model import Difference, Evidence
from pytest_ftc.printable import printable, shorten

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
_MOST_LEAVES = 20
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,100}")
_PLAIN_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,8}){1,2}\Z")


class DiffoscopeError(Exception):
    """diffoscope gave no answer; the text says why."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    member: str
    location: str
    evidence: Evidence


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

    def cancel(self) -> None:
        """Have running examinations end soon, by the fallback."""
        self._cancelled.set()

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        try:
            with tempfile.TemporaryDirectory(prefix="diff-", dir=self._work, ignore_cleanup_errors=True) as folder:
                tree, text = self._ask(Path(folder), difference.output, control, experiment)
                leaves = list(_walk(tree, "")) or [_Leaf("", "", Evidence(control="", experiment=""))]
        except (DiffoscopeError, OSError, AttributeError, TypeError) as error:
            known = isinstance(error, (DiffoscopeError, OSError))
            reason = f"not examined by diffoscope: {shorten(str(error)) if known else 'its result has an unknown form'}"
            return [replace(found, note=reason) for found in self._fallback.examine(difference, control, experiment)]
        diff = self._keep(difference, text)
        found = [
            replace(difference, member=leaf.member, location=leaf.location, evidence=leaf.evidence, diff=diff)
            for leaf in leaves[:_MOST_LEAVES]
        ]
        if len(leaves) > _MOST_LEAVES:
            found[-1] = replace(found[-1], note=f"{len(leaves) - _MOST_LEAVES} more places differ; see the diff")
        return [self._fill(entry, control, experiment) for entry in found]

    def _fill(self, entry: Difference, control: Path, experiment: Path) -> Difference:
        """Show bytes where diffoscope named no place with two values."""
        if entry.evidence and (entry.evidence.control or entry.evidence.experiment):
            return entry
        (plain,) = self._fallback.examine(replace(entry, evidence=None), control, experiment)
        return replace(plain, location=entry.location or plain.location)

    def _ask(self, folder: Path, output: str, control: Path, experiment: Path) -> tuple[Mapping[str, Any], str]:
        name = _safe_name(output)
        for side, blob in (("control", control), ("experiment", experiment)):
            (folder / side).mkdir()
            _link_or_copy(blob, folder / side / name)
        (folder / "tmp").mkdir()
        limits = [sys.executable, "-I", "-S", "-c", _LIMITED, str(self._memory)]
        options = [
            "--no-progress", "--no-default-limits", "--max-diff-block-lines=2000", "--max-text-report-size=20000000",
            "--max-diff-input-lines=1000000", "--max-container-depth=20", "--exclude-directory-metadata=yes",
            f"--timeout={int(self._timeout)}", "--json=result.json", "--text=result.txt", "--text-color=never",
        ]  # fmt: skip
        self._run([*limits, *self._command, *options, f"control/{name}", f"experiment/{name}"], folder)
        try:
            tree = json.loads((folder / "result.json").read_bytes())
            text = (folder / "result.txt").read_text(errors="replace")
        except (OSError, ValueError):
            # A Python that dies of an exception ends with the status by which diffoscope means: they differ.
            raise DiffoscopeError(_last_words(folder / "errors") or "it wrote no readable result") from None
        return tree, text

    def _run(self, command: Sequence[str], folder: Path) -> None:
        environment = {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder / "tmp"),
            "TMPDIR": str(folder / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with open(folder / "errors", "wb") as errors:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
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
        waited = 0.0
        while waited < self._timeout:
            if self._cancelled.is_set():
                raise DiffoscopeError("the session ended")
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(0.2)
            waited += 0.2
        raise DiffoscopeError(f"it ran out of time after {self._timeout:g} s")

    def _keep(self, difference: Difference, text: str) -> str:
        """Write the full diff and return its path; nothing when that cannot be done, since it is a convenience."""
        sides = [side.sha256 if side else "" for side in (difference.control, difference.experiment)]
        digest = hashlib.sha256(os.fsencode("\0".join([difference.output, *sides]))).hexdigest()[:8]
        path = self._diff_dir / f"{_safe_name(difference.output)}-{digest}.txt"
        try:
            self._diff_dir.mkdir(parents=True, exist_ok=True)
            path.write_text(printable(text, keep="\n\t"), errors="backslashreplace")
        except OSError:
            return ""
        return str(path)


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


def _walk(node: Mapping[str, Any], member: str) -> Iterator[_Leaf]:
    """Yield the differing leaves of diffoscope's tree, each below the member that holds it."""
    children = node.get("details") or ()
    diff = node.get("unified_diff")
    if diff:
        evidence, line = _first_pair(diff)
        yield _Leaf(member, line or _describe(node, member), evidence)
    for child in children:
        source = shorten(str(child.get("source1", "")))
        inner = member if _is_command(source) else f"{member}/{source}".lstrip("/")
        if child.get("unified_diff") and _is_command(source):
            evidence, _ = _first_pair(child["unified_diff"])
            yield _Leaf(member, _name_command(source), evidence)
            yield from _walk({**child, "unified_diff": None}, member)
        else:
            yield from _walk(child, inner)


_COMMANDS = {
    "zipinfo": "zip entries",
    "zipdetails": "zip headers",
    "zipnote": "zip comments",
    "file list": "archive entries (names, order, times, owners, modes)",
    "filetype from file(1)": "file header (such as a gzip time stamp)",
    "symlink": "link target",
    "stat": "metadata",
    "readelf": "ELF",
    "objdump": "machine code",
    "strings": "strings",
    "metadata": "metadata",
}


def _is_command(source: str) -> bool:
    return "{}" in source or source in _COMMANDS or source.startswith(("readelf ", "objdump ", "strings "))


def _name_command(source: str) -> str:
    word = source.split()[0] if source not in _COMMANDS else source
    plain = _COMMANDS.get(word)
    if plain is None or word in ("readelf", "objdump"):
        return source.replace(" {}", "")
    return plain if source in _COMMANDS else f"{plain} ({source.replace(' {}', '')})"


def _describe(node: Mapping[str, Any], member: str) -> str:
    return "content" if member else shorten(str(node.get("source1", "")))


def _first_pair(diff: str) -> tuple[Evidence, str]:
    """Return the first removed and the first added line of a unified diff, and the line number when it is known."""
    removed = added = line = ""
    for text in diff.splitlines():
        if text.startswith("@@"):
            if removed or added:
                break
            match = re.match(r"@@ -(\d+)", text)
            line = f"line {match[1]}" if match else ""
            number = int(match[1]) if match else 0
        elif text.startswith("-"):
            removed = removed or text[1:]
            line = line if removed != text[1:] else f"line {number}"
            number += 1
        elif text.startswith("+"):
            added = added or text[1:]
        else:
            if removed or added:
                break
            number += 1
    return Evidence(control=shorten(removed.strip()), experiment=shorten(added.strip())), line
