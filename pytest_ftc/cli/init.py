"""``ftc init``: inspects a project and writes a starter configuration."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.config.below.search import find_projects
from pytest_ftc.config.detection import PROJECT_FILES, Proposal, is_python_project, look_at, propose_python, read_toml
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.printable import printable, shorten
from pytest_ftc.model.support.service_commands import defuse, defuse_json
from pytest_ftc.verification.user_folders import search_path

_TRIAL_SECONDS = 300
_VERIFY = "pytest --ftc-verify"
_MOST_BELOW = 100
"""Most folders below that are configured at once."""


@dataclass(frozen=True, slots=True)
class Start:
    """The configuration written by ``ftc init``."""

    file: Path
    text: str
    """The text added to the file."""
    artifacts: tuple[str, ...]
    """The names of artifacts that can be verified now."""
    command: str
    """The command that verifies them."""


def start_all(root: Path) -> list[Start]:
    """Write configurations for the project at `root`; where it builds nothing itself, also for those in folders below.

    Raises FtcError as `start` does.
    """
    below: list[str] = []
    if not (is_python_project(root) or any(True for _ in look_at(root))):
        below = find_projects(root, PROJECT_FILES)[:_MOST_BELOW]
    begun = [start(root, discover=bool(below))]
    for folder in below:
        if not _configured_by(root / folder):
            one = start(root / folder)
            begun.append(replace(one, artifacts=tuple(f"{folder}:{name}" for name in one.artifacts)))
    return begun


def start(root: Path, *, discover: bool = False) -> Start:
    """Write a commented configuration for the project at `root`, and keep the existing content of the file.

    With `discover`, its artifacts are those of folders below.
    Raises FtcError if the project is already configured, or the file cannot be written.
    """
    if name := _configured_by(root):
        raise FtcError(f"{name} already configures pytest-ftc; nothing was changed")
    project, own = root / "pyproject.toml", root / "ftc.toml"
    python = is_python_project(root)
    proposals = [_try_out(root, proposal) for proposal in look_at(root)]
    if python and any(proposal.sure for proposal in proposals):
        proposals = [*propose_python(), *proposals]
    inside = project.is_file()
    text = render(proposals, "tool.ftc" if inside else "", python=python, discover=discover)
    file = project if inside else own
    before = file.read_text(encoding="utf-8") if inside else ""
    gap = "\n" if before and not before.endswith("\n\n") else ""
    try:
        _replace(file, f"{before.rstrip()}\n{gap}{text}" if before else text)
    except OSError as error:
        raise FtcError(f"{file} cannot be written: {error.strerror}") from error
    sure = [proposal.name for proposal in proposals if proposal.sure]
    variables = [f"{name}={value} " for proposal in proposals for name, value in proposal.environment]
    command = "".join([*dict.fromkeys(variables), _VERIFY])
    return Start(file, text, tuple(sure or (["sdist", "wheel"] if python else [])), command)


def _configured_by(root: Path) -> str:
    """Return the name of the file that configures us in `root`; empty if none does."""
    if (root / "ftc.toml").exists():
        return "ftc.toml"
    return "pyproject.toml" if "ftc" in read_toml(root / "pyproject.toml").get("tool", {}) else ""


def render(proposals: list[Proposal], prefix: str, *, python: bool, discover: bool = False) -> str:
    """Return the configuration; `prefix` precedes the names of tables, and with `discover` others are below."""
    head = [f"[{prefix}]"] if prefix else []
    lines = [
        *head,
        "# Reproducible builds: pytest --ftc-verify.  All keys: docs/configuration.md of pytest-ftc",
        '# variations = "standard"    # leaves out kernel, aslr and network',
    ]
    if discover:
        lines += [
            "# Artifacts are declared in folders below, as libs/core/ftc.toml or pyproject.toml.",
            "discover = true",
        ]
    if python and not any(proposal.sure for proposal in proposals):
        lines += ["# The sdist and the wheel are verified even if no artifact is declared here."]
    for proposal in proposals:
        lines += ["", f"# {proposal.because}", *_table(proposal, prefix)]
    if not proposals and not python and not discover:
        lines += ["", "# A command and its outputs:", *_table(_EXAMPLE, prefix)]
    return "\n".join(lines) + "\n"


_EXAMPLE = Proposal(name="app", build="make", outputs=("build",), because="", sure=False)


def _try_out(root: Path, proposal: Proposal) -> Proposal:
    """Return `proposal` with the outputs of a trial build, if it needs one."""
    if not proposal.trial:
        return proposal
    from pytest_ftc.builds.trial_build import find_new_files

    print(f"ftc: running {proposal.trial} in a copy to find its outputs ...", file=sys.stderr)
    found = find_new_files(root, proposal.trial, seconds=_TRIAL_SECONDS, path=os.pathsep.join(search_path()))
    if not found:
        return proposal
    seen = f"a Makefile: the files that {proposal.trial} created in a copy of the project"
    return replace(proposal, outputs=found, sure=True, because=seen)


def _table(proposal: Proposal, prefix: str) -> list[str]:
    dot = "." if prefix else ""
    built = [f"build = {_quote(proposal.build)}", f"outputs = [{', '.join(map(_quote, proposal.outputs))}]"]
    what = [f"preset = {_quote(proposal.preset)}"] if proposal.preset else built
    lines = [f"[{prefix}{dot}artifacts.{proposal.name}]", *what, *proposal.more]
    return lines if proposal.sure else [f"# {line}" for line in lines]


def _quote(text: str) -> str:
    return f"'{text}'" if '"' in text and "'" not in text else json.dumps(text)


def _replace(file: Path, text: str) -> None:
    replace_file(file, text.encode(), mode=file.stat().st_mode & 0o777 if file.exists() else None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc init``."""
    # It has none.
    del parser


def run(options: argparse.Namespace) -> int:
    """Write a configuration for the project in the current folder, and print it."""

    root = Path.cwd()
    begun = start_all(root)
    files = [str(one.file.relative_to(root)) for one in begun]
    for file, one in zip(files, begun, strict=True):
        head = f"# {file}\n" if len(begun) > 1 else ""
        print(defuse_json(printable(f"{head}{one.text}")), end="" if one is begun[-1] else "\n")
    names = ", ".join(name for one in begun for name in one.artifacts)
    state = f"{names} can be verified now" if names else "complete an artifact there, then run"
    command = "".join(dict.fromkeys(one.command.removesuffix(_VERIFY) for one in begun)) + _VERIFY
    print(
        defuse(f"ftc: written to {shorten(', '.join(files), 1000)}; {shorten(state, 1000)}: {command}"), file=sys.stderr
    )
    return 0
