"""What verifying costs beyond the builds themselves, as ratios against doing the same by hand in one run.

    python benchmarks/overhead.py

- environment: setting one up and taking it down, against `cp -a` of the same source
  tree of 10,000 files and removing the copy;
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

from pytest_ftc.comparators.hexdump import first_difference
from pytest_ftc.executors import LocalExecutor, Workspace, survey_machine
from pytest_ftc.model import Action, Environment, FileOrder, FileSystem, Machine, Role

FILES = 10_000
SIZE = 256 << 20
RUNS = 5


def median_seconds(call: Callable[[], object]) -> float:
    """Return the median time of some calls."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def make_tree(folder: Path) -> None:
    """Fill `folder` with small files, a hundred a folder."""
    for number in range(FILES):
        path = folder / f"folder-{number // 100}" / f"file-{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"content of {number}\n" * 10)


def build(machine: Machine, workspace: Workspace, source: Path, command: str, **changes: object) -> None:
    """Run one build."""
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
    with tempfile.TemporaryDirectory(dir=workspace.path) as folder:
        result = LocalExecutor(machine, Path(folder), Path(folder), jobs=1).run(action, lambda _: None)
    assert result.status.value == "ok", result.reason


def main() -> None:
    """Measure and print."""
    with Workspace() as workspace:
        machine = survey_machine(workspace.path)
        source, empty = workspace.folder("source"), workspace.folder("empty")
        make_tree(source)

        def copy() -> None:
            target = workspace.path / "copy"
            subprocess.run(["cp", "-a", str(source), str(target)], check=True)
            subprocess.run(["rm", "-rf", str(target)], check=True)

        copied = median_seconds(copy)
        plain = median_seconds(lambda: build(machine, workspace, source, "echo > out"))
        shuffled = median_seconds(
            lambda: build(
                machine,
                workspace,
                source,
                "echo > out",
                filesystem=FileSystem.TMPFS,
                file_order=FileOrder.REVERSED,
                source_mtime_shift=-86400,
            )
        )
        for name, seconds in (("control", plain), ("experiment", shuffled)):
            print(f"environment of the {name}, {FILES} files: {seconds * 1000:.0f} ms, {seconds / copied:.2f} of cp -a")

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
