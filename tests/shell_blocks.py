"""Reads a page of docs/ as what a reader does with it: files to write, and commands to run with what they print.

- A fenced block below a line that ends with a file's name in code and a colon, as in "``ftc.toml``:", is that file; where
  the line begins with "Add to", it is added to its end.
- ``console`` blocks hold commands behind ``$`` and what they print.  There ``…`` stands for anything within a line, and a
  line of ``...`` for any lines.  A command ends with status 1 where its output says that tests failed, with N where a
  comment behind it says "exit status N", else with 0.
- ``sh`` blocks hold commands that succeed.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<text>.*?)^ *(?P=fence) *$", re.M | re.S)
_NAMED = re.compile(r"`(?P<name>[\w./+-]+)`:$")
_SHELL = ("console", "sh", "shell", "bash")
_MARK = "\x1e"


@dataclass(frozen=True)
class File:
    """A file that the page has its reader write."""

    name: str
    text: str
    added: bool


@dataclass
class Command:
    """A command, and what the page says of it."""

    line: str
    printed: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        said = re.search(r"#.*exit status (\d+)", self.line)
        if said:
            return int(said[1])
        return int(any(re.search(r"\b\d+ failed\b", line) for line in self.printed))


@dataclass(frozen=True)
class Block:
    """Commands that one shell runs, one after the other."""

    commands: Sequence[Command]
    script: bool = False
    """Whether it ends where one fails."""


def read_page(text: str) -> Iterator[File | Block]:
    """Yield what a reader of the page does, in order."""
    for match in _FENCE.finditer(text):
        language = match["language"].strip()
        before = text[: match.start()].rstrip("\n").rpartition("\n")[2]
        if language in _SHELL:
            assert not match["indent"], f"a shell block has to stand at the margin: {match['text']}"
            script = language != "console"
            yield Block([Command(match["text"])] if script else _commands(match["text"]), script)
        elif named := _NAMED.search(before):
            yield File(named["name"], match["text"], before.startswith("Add to"))


def _commands(text: str) -> list[Command]:
    commands: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append(Command(line[2:]))
        else:
            assert commands, f"a console block begins with a command, not with {line!r}"
            commands[-1].printed.append(line)
    return commands


def run_page(text: str, folder: Path, variables: Mapping[str, str]) -> None:
    """Do what the page says in `folder`; fail where a command ends or prints otherwise than it says."""
    for step in read_page(text):
        if isinstance(step, File):
            _write(folder / step.name, step)
        else:
            run_block(step, folder, variables)


def _write(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if file.added else "w", encoding="utf-8") as stream:
        stream.write(file.text)


def run_block(block: Block, folder: Path, variables: Mapping[str, str]) -> None:
    """Run the commands of `block` in one shell; fail where one ends or prints otherwise than the page says."""
    ends = [f"{command.line}\nprintf '\\n{_MARK}%s{_MARK}\\n' \"$?\"\n" for command in block.commands]
    done = subprocess.run(
        ["sh", "-e" if block.script else "+e", "-c", "exec 2>&1\n" + "".join(ends)],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    parts = done.stdout.split(_MARK)
    for command, printed, status in zip(block.commands, parts[::2], parts[1::2], strict=False):
        assert int(status) == command.status, f"$ {command.line}\n{printed}\nexit status {status}"
        missing = find_missing(command.printed, printed.splitlines())
        assert missing is None, f"$ {command.line}\n{printed}\nnot printed there: {missing}"
    assert len(parts) == 2 * len(block.commands) + 1, f"the shell ended early: {done.stdout}"


def find_missing(shown: Sequence[str], printed: Sequence[str]) -> str | None:
    """Return the first line of `shown` that is not `printed` where it should be, or None."""
    lines = [_plainly(line) for line in printed if line.strip()]
    position, anywhere = 0, False
    for line in (_plainly(line) for line in shown if line.strip()):
        if line in ("...", "…"):
            anywhere = True
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        found = range(position, len(lines) if anywhere else min(position + 1, len(lines)))
        place = next((number for number in found if pattern.fullmatch(lines[number])), None)
        if place is None:
            return line
        position, anywhere = place + 1, False
    return None if anywhere or not shown or position == len(lines) else f"nothing more, but {lines[position]!r} was"


def _plainly(line: str) -> str:
    """Return `line` without what depends on the width of what is beside it: rules and blanks."""
    return " ".join(re.sub("={3,}|_{3,}", "===", line).split())
