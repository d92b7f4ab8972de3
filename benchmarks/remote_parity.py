"""Compares verdicts, causes and remedies on a real farm with those on this machine.

    .venv/bin/python benchmarks/remote_parity.py [--farm casd|buildgrid] [--fixtures N] [--packages]

Verifies twenty fixtures, and with --packages five real packages from PyPI and npm, once with each executor, and prints
in what they differ.  On BuildGrid, control and experiment run on different workers, and ``machine`` must be varied.
The exit status is 1 if they differ in anything but what is said to be not varied.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from services.buildbox import python_folders
from services.buildgrid_server import BuildGrid
from services.parity import TWENTY, Session, as_toml, causes, explained, find_differences, verify, write_project
from services.reapi_servers import Casd

PACKAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "wheel": ("six==1.17.0", {"preset": "wheel"}),
    "sdist": ("docopt==0.6.2", {"preset": "sdist"}),
    "extension": ("markupsafe==3.0.2", {"preset": "wheel"}),
    "library": (
        "xxhash==3.5.0",
        {
            "build": "gcc -g -O2 -c deps/xxhash/xxhash.c -o xxhash.o && ar rcs libxxhash.a xxhash.o",
            "outputs": ["libxxhash.a"],
        },
    ),
    "npm": (
        "npm:left-pad@1.3.0",
        {"build": "npm pack --silent --cache=$TMPDIR/npm --offline", "outputs": ["*.tgz"]},
    ),
}
"""By name: what to fetch, and the keys that say how it is built."""
POOLS = {"control": {"pool": "a"}, "experiment": {"pool": "b"}}


def fetch(package: str, folder: Path) -> None:
    """Fetch the source of a package into `folder`."""
    with tempfile.TemporaryDirectory() as work:
        if package.startswith("npm:"):
            command = ["npm", "pack", "--silent", package.removeprefix("npm:"), "--pack-destination", work]
        else:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
            command = [*pip, "--no-binary", ":all:", "-d", work, package]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (archive,) = Path(work).iterdir()
        with tarfile.open(archive) as tar:
            tar.extractall(Path(work, "tree"), filter="data")
        (tree,) = Path(work, "tree").iterdir()
        shutil.move(tree, folder)


def add_packages(project: Path) -> None:
    """Add the real packages to a project."""
    with open(project / "ftc.toml", "a") as toml:
        for name, (package, keys) in PACKAGES.items():
            fetch(package, project / name)
            toml.write(f'[artifacts."package.{name}"]\nsource = "{name}"\n')
            toml.writelines(f"{key} = {as_toml(value)}\n" for key, value in keys.items())


@contextlib.contextmanager
def farm(kind: str, folder: Path) -> Iterator[str]:
    """Start a farm, and yield its endpoint."""
    with Casd(folder / "casd", python_folders()) if kind == "casd" else BuildGrid(python_folders()) as server:
        yield server.endpoint


def _has_machine(session: Session, name: str) -> bool:
    return "machine" in session.artifacts[name]["varied"]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--farm", choices=("casd", "buildgrid"), default="casd")
    arguments.add_argument("--fixtures", type=int, default=len(TWENTY))
    arguments.add_argument("--packages", action="store_true")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        replicas = POOLS if chosen.farm == "buildgrid" else None
        write_project(folder / "project", TWENTY[: chosen.fixtures], replicas=replicas)
        if chosen.packages:
            add_packages(folder / "project")
        with farm(chosen.farm, folder) as endpoint:
            sessions = []
            for executor in ("local", "reapi"):
                started = time.monotonic()
                sessions.append(verify(folder / "project", endpoint, executor))
                print(f"{executor}: {len(sessions[-1].artifacts)} artifacts in {time.monotonic() - started:.0f} s")
        here, there = sessions
        for artifact, found in sorted(there.artifacts.items()):
            less = sorted(explained(found) - explained(here.artifacts.get(artifact, found)))
            print(f"{artifact:40} {found['verdict']:15} {'; '.join(f'{c}: {s}' for c, s in causes(found).items())}")
            print(f"{'':40} not varied there only: {', '.join(less) or 'nothing'}")
        differences = find_differences(here, there)
        if replicas:
            compared = (name for name, found in there.artifacts.items() if found["varied"])
            differences += [f"{name}: machine is not varied" for name in compared if not _has_machine(there, name)]
        if len(there.artifacts) < chosen.fixtures + len(PACKAGES) * chosen.packages:
            differences.append(f"some artifacts have no verdict: {there.said}")
        print(*(differences or ["no difference"]), sep="\n")
        return int(bool(differences))


if __name__ == "__main__":
    sys.exit(main())
