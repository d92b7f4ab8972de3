"""``ftc build``: builds artifacts as they were verified, so that what is published is what is green."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftc.cli.output import print_json, say
from pytest_ftc.cli.project import choose_artifacts, opened_project

if TYPE_CHECKING:
    from pytest_ftc.cli.project import Project
    from pytest_ftc.config.load import Config
    from pytest_ftc.model import Output
    from pytest_ftc.verification.release.build import ReleaseBuild

_DESCRIPTION = """\
Build artifacts of the project in the current folder as pytest --ftc-verify builds them: with their env, before, after,
source_date_epoch and requirements, in the environment of the control build.  Their outputs are written to a folder,
each file atomically.  Where the same sources were verified as reproducible and the outputs are not the same, or a
build fails, nothing is written.  Exit status: 0 if all is written, 1 if a build failed or differs, 2 on an error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc build``."""
    parser.description = _DESCRIPTION
    parser.add_argument("artifact", nargs="*", metavar="ARTIFACT", help="default: all artifacts of the project")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("dist"), metavar="DIR", help="the folder to write to; default: dist"
    )
    parser.add_argument(
        "--store", "--ftc-store", dest="store", type=Path, metavar="DIR", help="the store that has the verdicts"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc build``."""
    from pytest_ftc.verification.release.build import build_release
    from pytest_ftc.verification.release.place import check_folder
    from pytest_ftc.verification.session import Verifier

    check_folder(options.output, {})
    with opened_project(Path.cwd()) as project, ExitStack() as stack:
        artifacts = choose_artifacts(project.config.artifacts, options.artifact)
        results = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ftc-build-")))
        verifier = Verifier(_configure(project, options), results, project.added)
        stack.callback(verifier.close)
        builds = []
        for artifact in artifacts:
            _tell(f"building {artifact.name}")
            builds.append(build_release(verifier, artifact))
        return _finish(builds, options)


def _configure(project: Project, options: argparse.Namespace) -> Config:
    store = options.store.absolute() if options.store else project.config.store
    return replace(project.config, store=store)


def _finish(builds: Sequence[ReleaseBuild], options: argparse.Namespace) -> int:
    """Write what was built if all of it may be, and return the exit status."""
    from pytest_ftc.verification.release.place import place_outputs

    bad = [one for one in builds if one.problem]
    plans: Sequence[Mapping[str, Output]] = [] if bad else _plan(builds, options.output)
    for one, places in zip(builds, plans, strict=False):
        place_outputs(one.build, options.output, places)
    if options.json:
        print_json([_as_json(one, options.output, places) for one, places in _pair(builds, plans)])
        return int(bool(bad))
    for one, places in _pair(builds, plans):
        _show(one, options.output, places)
    if bad:
        _tell(f"nothing was written to {options.output}")
    return int(bool(bad))


def _pair(
    builds: Sequence[ReleaseBuild], plans: Sequence[Mapping[str, Output]]
) -> list[tuple[ReleaseBuild, Mapping[str, Output]]]:
    return [(one, plans[number] if plans else {}) for number, one in enumerate(builds)]


def _plan(builds: Sequence[ReleaseBuild], folder: Path) -> Sequence[Mapping[str, Output]]:
    """Return where the outputs of each build go.  Raises FtcError before anything is written."""
    from pytest_ftc.model import OutputType
    from pytest_ftc.verification.release.place import PlacementError, check_folder, plan_places

    plans = [plan_places(one.build.outputs, one.artifact.outputs) for one in builds]
    owners: dict[str, str] = {}
    for one, places in zip(builds, plans, strict=True):
        for place, output in places.items():
            owner = owners.setdefault(place, one.artifact.name)
            if owner != one.artifact.name and output.type is not OutputType.DIR:
                raise PlacementError(
                    f"{owner} and {one.artifact.name} both make {place}; build them one by one, each to its own -o DIR"
                )
    check_folder(folder, {place: output for places in plans for place, output in places.items()})
    return plans


def _show(one: ReleaseBuild, folder: Path, places: Mapping[str, Output]) -> None:
    if one.problem:
        say(f"✘ {one.artifact.name}: {one.problem}")
        for line in one.build.log_tail.splitlines():
            say(f"  │ {line}")
        return
    mark = "✔" if _is_verified(one) else "·"
    say(f"{mark} {one.artifact.name}: {_describe(one)}")
    for place, output in sorted(places.items()):
        path = os.path.join(folder, place)  # noqa: PTH118
        if output.sha256:
            say(f"  {path}  {output.size} bytes")
            say(f"    sha256 {output.sha256}")
        elif output.target:
            say(f"  {path} -> {output.target}")


def _is_verified(one: ReleaseBuild) -> bool:
    from pytest_ftc.model import Verdict

    return one.verdict is Verdict.REPRODUCIBLE


def _describe(one: ReleaseBuild) -> str:
    if _is_verified(one):
        return "these outputs were verified as reproducible"
    if one.verdict is None:
        return f"not verified as it is now; to do so: ftc verify {one.artifact.name}"
    return f"its verdict is {one.verdict.value}; other builds have other outputs"


def _as_json(one: ReleaseBuild, folder: Path, places: Mapping[str, Output]) -> object:
    return {
        "name": one.artifact.name,
        "problem": one.problem or None,
        "verdict": one.verdict.value if one.verdict else None,
        "outputs": [
            {
                "path": os.path.join(folder, place),  # noqa: PTH118
                "type": output.type.value,
                "size": output.size,
                "sha256": output.sha256 or None,
                "target": output.target or None,
            }
            for place, output in sorted(places.items())
        ],
    }


def _tell(text: str) -> None:
    from pytest_ftc.model.support.printable import shorten
    from pytest_ftc.model.support.service_commands import defuse

    print(defuse(f"ftc: {shorten(text)}"), file=sys.stderr, flush=True)
