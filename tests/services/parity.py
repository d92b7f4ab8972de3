"""Whether artifacts have the same verdicts, causes and remedies on a farm as on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.reapi_servers import STANDARD

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).parents[2] / "fixtures"
FEW = (
    "embeds-build-path",
    "embeds-timestamp",
    "embeds-umask",
    "exits-with-error",
    "plain-copy",
    "tar-with-fixed-metadata",
)  # fmt: skip
"""Fixtures for the tests, which take a minute."""
TWENTY = (
    *FEW, "breaks-under-other-umask", "compiled-debug-paths", "compiled-mapped-paths", "embeds-home", "embeds-locale",
    "embeds-random-bytes", "exceeds-its-timeout", "group-bit-by-umask", "gzip-keeps-mtime", "json-of-set",
    "site-with-one-dated-page", "symlink-to-absolute-path", "tar-keeps-source-modes", "zip-in-local-time",
)  # fmt: skip
"""Fixtures for the whole comparison."""
_WAIT = 1800


@dataclass(frozen=True)
class Session:
    """One run of pytest --ftc-verify."""

    artifacts: Mapping[str, Mapping[str, Any]]
    """What the report says of each artifact, by its name."""
    said: str
    status: int


def write_project(
    folder: Path,
    fixtures: Iterable[str],
    properties: Mapping[str, str] = STANDARD,
    replicas: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write to `folder` a project with the artifacts of `fixtures`; `verify` gives it a farm."""
    lines = ["[remote]", 'endpoint = "ENDPOINT"', f"properties = {as_toml(properties)}"]
    lines += [f"replicas = {as_toml(replicas)}"] if replicas else []
    folder.mkdir(parents=True)
    for name in fixtures:
        shutil.copytree(FIXTURES / name, folder / name, symlinks=True)
        for artifact, table in tomllib.loads((folder / name / "ftc.toml").read_text())["artifacts"].items():
            lines += [f'[artifacts."{name}.{artifact}"]', f'source = "{name}/{table.pop("source", ".")}"']
            lines += [f"{key} = {as_toml(value)}" for key, value in table.items()]
    (folder / "ftc.toml").write_text("\n".join(lines) + "\n")
    (folder / "pytest.ini").write_text("[pytest]\n")


def verify(
    folder: Path, endpoint: str, executor: str, *options: str, environ: Mapping[str, str] | None = None
) -> Session:
    """Verify a copy of the project in `folder` with an executor, ``local`` or ``reapi``, and a store of its own."""
    copy = folder.with_name(f"{folder.name}-{executor}")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, symlinks=True)
    toml = copy / ("ftc.toml" if (copy / "ftc.toml").exists() else "pyproject.toml")
    toml.write_text(toml.read_text().replace("ENDPOINT", endpoint))
    report = copy / "report.json"
    command = [sys.executable, "-m", "pytest", "--ftc-verify", f"--ftc-executor={executor}", f"--ftc-json={report}"]
    done = subprocess.run(
        [*command, "-p", "no:hypothesispytest", *options, toml.name],
        cwd=copy,
        env={**os.environ, "FTC_STORE": str(copy.with_name(f"{copy.name}-store")), "COLUMNS": "160", **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_WAIT,
    )
    artifacts = json.loads(report.read_text())["artifacts"] if report.exists() else []
    return Session({artifact["name"]: artifact for artifact in artifacts}, done.stdout, done.returncode)


def find_differences(here: Session, there: Session) -> list[str]:
    """Return in what the sessions differ, but for what is said to be not varied on one side, with the reason."""
    names = sorted(set(here.artifacts) | set(there.artifacts))
    found = []
    for name in names:
        if name not in here.artifacts or name not in there.artifacts:
            found.append(f"{name}: it is in one report only")
            continue
        one, other = here.artifacts[name], there.artifacts[name]
        if one["verdict"] != other["verdict"]:
            found.append(f"{name}: {one['verdict']} here, {other['verdict']} there ({other.get('reason')})")
            continue
        excused = explained(one) ^ explained(other)
        first, second = causes(one), causes(other)
        found += [
            f"{name}: {cause} is {first.get(cause, 'no cause')} here, {second.get(cause, 'no cause')} there"
            for cause in sorted({*first, *second} - excused)
            if first.get(cause) != second.get(cause)
        ]
        if one["findings"] and not (set(first) & set(second)):
            found.append(f"{name}: no cause is the same: {sorted(first)} here, {sorted(second)} there")
        if set(one["varied"]) - set(other["varied"]) - explained(other):
            found.append(
                f"{name}: {sorted(set(one['varied']) - set(other['varied']))} is varied here only, unexplained"
            )
    return found


def explained(artifact: Mapping[str, Any]) -> set[str]:
    """Return the variations that are said to be not varied, with a reason."""
    return {entry["variation"] for entry in artifact["not_varied"] if entry["reason"]}


def causes(artifact: Mapping[str, Any]) -> dict[str, str]:
    """Return how sure each cause is, and its remedy: as text, by the name of the cause."""
    return {
        finding["cause"]: f"{'confirmed' if finding['confirmed'] else 'suspected'}, {_remedy(finding)}"
        for finding in artifact["findings"]
    }


def _remedy(finding: Mapping[str, Any]) -> str:
    remedy = finding.get("remedy") or {}
    return f"remedy {remedy.get('summary')!r}{' proved' * bool(remedy.get('proved'))}"


def as_toml(value: object) -> str:
    """Return a value as TOML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
