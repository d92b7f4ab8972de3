"""What verifying costs beyond the builds themselves, as ratios against doing the same by hand in one run.

    python benchmarks/overhead.py

- environment: setting one up and taking it down around a build that does next to nothing,
  against `cp -a` of the same source tree of 10,000 files (and, since an environment is
  taken down too, against copying and removing the copy); of an experiment's environment
  also the part that is waited for, since it is set up while the gap between the builds
  passes;
- outputs: taking a 256 MiB output (read, hash, write), against `cp` and `sha256sum`;
- first difference: finding it in two files of 256 MiB, against `cmp`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.machine import survey_machine
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.span import first_unequal, whole_file
from pytest_ftc.model import Action, Environment, FileOrder, FileSystem, Machine, Role

FILES = 10_000
SIZE = 256 << 20
RUNS = 5


VARIED = {
    "filesystem": FileSystem.TMPFS,
    "file_order": FileOrder.REVERSED,
    "source_mtime_shift": -86400,
    "source_umask": 0o027,
}


def seconds(call: Callable[[], object]) -> float:
    """Return the time of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def median_seconds(call: Callable[[], object]) -> float:
    """Return the median time of some calls."""
    return statistics.median(seconds(call) for _ in range(RUNS))


def make_tree(folder: Path) -> None:
    """Fill `folder` with small files, a hundred a folder."""
    for number in range(FILES):
        path = folder / f"folder-{number // 100}" / f"file-{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"content of {number}\n" * 10)


def build(machine: Machine, workspace: Workspace, source: Path, command: str, **changes: object) -> float:
    """Run one build; return the seconds it took from when its environment stood."""
    environment = Environment(
        build_path="/ftc-build/tree", home="/ftc-home", temp_dir="/tmp", variables={"PATH": os.defpath}
    )
    action = Action(
        id="build",
        role=Role.CONTROL,
        command=("/bin/sh", "-c", command),
        snapshot=source,
        environment=replace(environment, **changes),  # type: ignore[arg-type]
        described={},
        outputs=("out",),
        timeout=600,
    )
    stood = 0.0

    def may_start(_: float) -> bool:
        nonlocal stood
        stood = time.perf_counter()
        return True

    with tempfile.TemporaryDirectory(dir=workspace.path) as folder:
        result = LocalExecutor(machine, Path(folder), Path(folder), jobs=1).run(action, lambda _: None, may_start)
        ended = time.perf_counter()
    assert result.status.value == "ok", result.reason
    return ended - stood


def first_difference(one: Path, other: Path) -> int | None:
    with open(one, "rb", 0) as left, open(other, "rb", 0) as right:
        return first_unequal(whole_file(left), whole_file(right), Budget(Limits()))


def main() -> None:
    """Measure and print."""
    with Workspace() as workspace:
        machine = survey_machine(workspace.path)
        source, empty = workspace.folder("source"), workspace.folder("empty")
        make_tree(source)

        target = workspace.path / "copy"

        def copy() -> None:
            subprocess.run(["cp", "-a", str(source), str(target)], check=True)

        def remove() -> None:
            subprocess.run(["rm", "-rf", str(target)], check=True)

        copies, removals, controls, experiments, waits = [], [], [], [], []
        for _ in range(RUNS):
            copies.append(seconds(copy))
            removals.append(seconds(remove))
            controls.append(seconds(lambda: build(machine, workspace, source, "echo > out")))
            experiments.append(seconds(lambda: waits.append(build(machine, workspace, source, "echo > out", **VARIED))))
        copied, removed = statistics.median(copies), statistics.median(removals)
        print(f"cp -a of {FILES} files: {copied * 1000:.0f} ms, rm -rf of the copy: {removed * 1000:.0f} ms")
        for name, times in (
            ("control's environment", controls),
            ("experiment's environment", experiments),
            ("of which is waited for", waits),
        ):
            took = statistics.median(times)
            print(
                f"{name}: {took * 1000:.0f} ms, {took / copied:.2f} of cp -a, "
                f"{took / (copied + removed):.2f} of cp -a and rm -rf"
            )

        big, other = workspace.path / "big", workspace.path / "other"
        block = os.urandom(1 << 20)
        for path, last in ((big, b"a"), (other, b"b")):
            path.write_bytes(block * (SIZE >> 20) + last)
        none = median_seconds(lambda: build(machine, workspace, empty, "touch out"))
        script = f"head -c {SIZE} /dev/zero | tr '\\0' x > out"
        bare = median_seconds(lambda: subprocess.run(["sh", "-c", script], cwd=empty, check=True))
        (empty / "out").unlink()
        taken = median_seconds(lambda: build(machine, workspace, empty, script)) - none - bare

        def by_hand() -> None:
            subprocess.run(["cp", str(big), str(workspace.path / "copied")], check=True)
            subprocess.run(["sha256sum", str(big)], check=True, stdout=subprocess.DEVNULL)

        print(f"outputs ({SIZE >> 20} MiB): {taken:.2f} s, {taken / median_seconds(by_hand):.2f} of cp and sha256sum")
        ours = median_seconds(lambda: first_difference(big, other))
        cmp = median_seconds(lambda: subprocess.run(["cmp", "-s", str(big), str(other)]))
        print(f"first difference ({SIZE >> 20} MiB): {ours:.2f} s, {ours / cmp:.2f} of cmp")


if __name__ == "__main__":
    main()
