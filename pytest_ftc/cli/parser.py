"""What ``ftc`` understands: its commands and their options."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, NoReturn

from pytest_ftc import __version__

_GROUPS = {
    "Begin": {
        "init": "look at the project in the current folder, and write a configuration to begin with",
        "doctor": "say what this machine can vary, how, at what cost, and what would allow the rest",
    },
    "Verify": {
        "gate": "verify the artifacts of the project in the current folder, as CI and pre-commit do",
    },
    "Find out why": {
        "explain": "say what a cause means, how it shows, and what helps",
        "diff": "say what differs between two files or folders, wherever they come from",
        "history": "print every build of an artifact that is on record",
    },
    "Put right": {
        "determinize": "print the settings that make an artifact reproducible, as configuration to paste",
        "normalize": "rewrite archives so that only their contents decide their bytes",
    },
    "Keep in order": {
        "store": "look after what is remembered of earlier verifications",
    },
}
_BRIEFS = {name: brief for group in _GROUPS.values() for name, brief in group.items()}
_ABOUT = "Is my build reproducible, and if not, why?  pytest --ftc-verify tells; ftc helps."
_DIFF_STATUS = "Exit status: 0 if nothing does, 1 if anything, 2 for trouble."
_STATUS = "Exit status: 0, or 1 for what the command looks for (a difference, say), or 2 for trouble."


_GATE = """\
Run pytest --ftc-verify on the declared artifacts, those first whose sources have changed (since the branch that a pull
or merge request asks to join, the last push, or the last commit, whichever the environment and the repository tell),
and write ftc-report/ with junit.xml.  Arguments are given to pytest: folders of tests that declare artifacts too, -x,
-k NAME, --ftc-variations=quick, ...  Exit status: pytest's."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with one line; a command that does not exist is told with the nearest one that does."""
        wrong = re.match(r"argument (?:COMMAND|ACTION): invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if wrong:
            import difflib

            names = re.findall(r"[a-z]+", wrong[2])
            near = difflib.get_close_matches(wrong[1], names, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(names)}"
            message = f"there is no command {wrong[1]!r}; {hint}"
        self.exit(2, f"{self.prog}: {message}  (see {self.prog} --help)\n")


_Commands = argparse._SubParsersAction


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = _Parser(
        prog="ftc",
        usage="ftc [-h] [--version] COMMAND ...",
        description=f"{_ABOUT}\n\n{_overview()}",
        epilog=f"ftc COMMAND --help tells more.  {_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pytest-ftc {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, help=argparse.SUPPRESS)
    doctor = _command(commands, "doctor")
    doctor.add_argument("--json", action="store_true", help="print the same as JSON")
    _add_normalize(commands)
    determinize = _command(commands, "determinize")
    determinize.add_argument("artifact", metavar="ARTIFACT", help="its name in [tool.ftc.artifacts]")
    _command(commands, "init")
    diff = _command(
        commands, "diff", f"{_sentence('diff')} Exit status: 0 if nothing does, 1 if anything, 2 for trouble."
    )
    diff.add_argument("one", metavar="A", type=Path, help="a file or a folder; shown as control")
    diff.add_argument("other", metavar="B", type=Path, help="another; shown as experiment")
    diff.add_argument("--json", action="store_true", help="print the same as JSON")
    explain = _command(commands, "explain")
    explain.add_argument("cause", metavar="CAUSE", nargs="?", help="such as build_path; without it, all are listed")
    _add_store(commands)
    _command(commands, "gate", _GATE, usage="ftc gate [PYTEST ARGUMENTS]")
    return parser


def _overview() -> str:
    groups = [
        [f"{group}:", *(f"  {name:<13}{brief}" for name, brief in members.items())]
        for group, members in _GROUPS.items()
    ]
    return "\n\n".join("\n".join(lines) for lines in groups)


def _sentence(name: str) -> str:
    brief = _BRIEFS[name]
    return f"{brief[0].upper()}{brief[1:]}."


def _command(commands: _Commands[Any], name: str, description: str = "", **more: Any) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, description=description or _sentence(name), **more)
    return command


_NORMALIZE = """\
Rewrite archives in place so that only their contents decide their bytes: member order, times, owners, modes and
headers are fixed, contents stay.  Formats: tar (also compressed with gzip, xz, bzip2 or zstd), zip and what is built
on it (wheel, jar, EPUB, zipapp), gzip, xz, bzip2, zstd, ar (static libraries, .deb) and pyc.  A file that cannot be
rewritten safely is left untouched.  Exit status: 0 when all is well, 1 when a file was refused or, with --check,
would change."""


def _add_normalize(commands: _Commands[Any]) -> None:
    add = _command(commands, "normalize", _NORMALIZE).add_argument
    add("files", metavar="FILE", nargs="+", type=Path, help="a file; its format is found by its content")
    add(
        "--epoch",
        metavar="N|git|unset",
        help="the time to store: N seconds since 1970, git for the last commit of the repository around FILE, unset for"
        " 1980-01-02; by default SOURCE_DATE_EPOCH if it is set, else git in a repository, else unset",
    )
    add("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    add("--output", metavar="DIR", type=Path, help="write the results to DIR and leave the files as they are")
    add(
        "--max-size",
        metavar="SIZE",
        type=_size,
        default="4G",
        help="refuse a file that holds more when decompressed: bytes, or a number with K, M or G (default: 4G)",
    )


def _add_store(commands: _Commands[Any]) -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--store", metavar="DIR", type=Path, help="the store's folder (default: FTC_STORE, else that of this user)"
    )
    common.add_argument("--json", action="store_true", help="print the same as JSON")
    actions = _command(commands, "store").add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, brief in (
        ("stats", "say how much there is"),
        ("verify", "read every byte, and put aside what is corrupt; exit status 1 if anything was"),
        ("gc", "remove what was not used for long, then the longest unused beyond a size"),
    ):
        command = actions.add_parser(action, help=brief, description=f"{brief.capitalize()}.", parents=[common])
        if action == "gc":
            command.add_argument("--max-size", metavar="SIZE", type=_size, default="10G", help="default: 10G")
            command.add_argument(
                "--max-age", metavar="AGE", type=_age, default="30d", help="such as 30d or 12h; default: 30d"
            )
    command = _command(commands, "history", parents=[common])
    command.add_argument("artifact", metavar="ARTIFACT", nargs="?", help="its name; else all names are listed")


def _age(text: str) -> float:
    """Return the seconds that `text` says."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
    number, unit = text[:-1], units.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no age; expected a number with s, m, h, d or w")
    return float(int(number) * unit)


def _size(text: str) -> int:
    """Return the bytes that `text` says; the units are powers of 1024."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    number, unit = (text[:-1], units[text[-1].upper()]) if text[-1:].upper() in units else (text, 1)
    if not (number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; expected bytes, or a number with K, M or G")
    return int(number) * unit
