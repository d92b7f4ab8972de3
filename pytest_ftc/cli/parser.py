"""The parser of the command line.  Each command adds its own arguments, in its own file."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from pytest_ftc import __version__
from pytest_ftc.model.support.suggestion import suggest

if TYPE_CHECKING:
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]

_GROUPS = {
    "Getting started": {
        "init": "write a first configuration for the project in the current folder",
        "doctor": "show what this machine can vary, how, at what cost, and what is missing for the rest",
        "completion": "print what makes bash, zsh or fish complete commands, options and names of artifacts",
    },
    "Verify": {
        "verify": "verify only the artifacts, even if pytest cannot start with the project's own settings",
        "gate": "verify the artifacts of the project in the current folder, as CI and pre-commit do",
    },
    "Diagnose": {
        "explain": "describe a cause: what it means, how it shows, and what helps",
        "diff": "show the differences between two files or folders from any source",
        "history": "list all recorded builds of an artifact",
    },
    "Watch": {
        "incident": "gather all that is known about an artifact in one folder",
        "drift": "show what of this machine differs from the one on which artifacts were last built",
        "objectives": "show how the project stands on its objectives: values, budgets, burn rates",
    },
    "Fix": {
        "determinize": "print the settings that make an artifact reproducible, as configuration to paste",
        "normalize": "rewrite archives deterministically: fixed order, timestamps, owners and modes",
    },
    "Attest": {
        "attest": "make, sign and verify attestations of verdicts",
        "report": "verify that a report is as it was written, put those of shards together, or make a badge",
        "log": "verify the log of all verdicts, and prove what is in it",
        "keys": "make, rotate, retire and list the keys that sign attestations",
    },
    "Publish": {
        "build": "build artifacts as they were verified, and write their outputs to a folder",
        "publish": "push a verified artifact with its attestations to an OCI registry, or remove what has expired",
        "fetch": "fetch an artifact from an OCI registry, after digests, signatures and a policy are verified",
    },
    "Maintain": {
        "store": "manage the verification cache",
        "metrics": "show what the sessions of a project have measured, push it again, or delete it from a Pushgateway",
        "warm": "fetch the verdicts that the next run will ask for from the store that machines share",
        "audit-cache": "say which results in the action cache of a farm are altered, dangling or not reproducible",
        "kit": "write dashboards, rules, runbooks and checklists for those who operate it, or rehearse",
    },
}
BRIEFS = {name: brief for group in _GROUPS.values() for name, brief in group.items()}
"""Descriptions of the commands, by name."""
_STATUS = "Exit status: 0, or 1 if the command found a problem (such as a difference), or 2 on an error."


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit with a one-line message; for an unknown command, suggest the closest one."""
        wrong = re.match(r"argument (?:COMMAND|ACTION): invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if wrong:
            names = re.findall(r"[a-z-]+", wrong[2])
            near = suggest(wrong[1], names)
            hint = f"did you mean {near!r}?" if near else f"expected {', '.join(names)}"
            message = f"there is no command {wrong[1]!r}; {hint}"
        self.exit(2, f"{self.prog}: {message}  (see {self.prog} --help)\n")


def make_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of the command line, with the arguments of `command` only, whose module it imports."""
    parser = _Parser(
        prog="ftc",
        usage="ftc [-h] [--version] COMMAND ...",
        description=f"Companion commands for pytest --ftc-verify.\n\n{_overview()}",
        epilog=f"Run ftc COMMAND --help for details.  {_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pytest-ftc {__version__}")
    # Without `prog`, argparse would use the usage line above as the program's name.
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, help=argparse.SUPPRESS, prog="ftc"
    )
    for name, brief in BRIEFS.items():
        own = commands.add_parser(name, description=sentence(brief))
        if name == command:
            import_module(module_of(name)).add_arguments(own)
    return parser


def module_of(command: str) -> str:
    """Return the name of the module of `command`."""
    return f"pytest_ftc.cli.{command.replace('-', '_')}"


def add_action(actions: Actions, name: str, brief: str) -> argparse.ArgumentParser:
    """Add an action of a command, and return its parser."""
    return actions.add_parser(name, help=brief, description=sentence(brief))


def sentence(brief: str) -> str:
    """Return what a command does, as a sentence."""
    return f"{brief[0].upper()}{brief[1:]}."


def _overview() -> str:
    groups = [
        [f"{group}:", *(f"  {name:<13}{brief}" for name, brief in members.items())]
        for group, members in _GROUPS.items()
    ]
    return "\n\n".join("\n".join(lines) for lines in groups)
