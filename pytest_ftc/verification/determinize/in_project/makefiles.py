"""Lines of Makefiles and scripts that stand for settings from outside, and lists of files in order."""

from __future__ import annotations

import re

from pytest_ftc.model.remedy import escape_quoted

EPOCH = "SOURCE_DATE_EPOCH"
EPOCH_COMMAND = "git log -1 --format=%ct 2>/dev/null || echo 315532800"
"""The time of the last commit, and 1980, the first year that zip knows, where there is none."""
_EPOCH_IN_MAKE = f"ifndef {EPOCH}\n{EPOCH} := $(shell {EPOCH_COMMAND})\nendif\nexport {EPOCH}\n"
_EPOCH_IN_SHELL = f'export {EPOCH}="${{{EPOCH}:-$({EPOCH_COMMAND})}}"\n'
_DEFINED = re.compile(rf"^\s*(?:export\s+)?{EPOCH}\s*[:?+]?=|\${{{EPOCH}:?[-=]", re.MULTILINE)
_LISTS = re.compile(r"\$\((?:wildcard|shell\s+(?:find|ls))\s")
_PLAIN = re.compile(r"[\w./:@%+,=-]+")
_HEAD = re.compile(r"(?:#.*\n)*(?:\n|set -\w+\n)*")
"""The comment at the top, and the options of the shell."""


def is_makefile(path: str) -> bool:
    """Return whether a file of this name has the syntax of make."""
    name = path.rpartition("/")[2]
    return name in ("GNUmakefile", "makefile", "Makefile") or name.endswith((".mk", ".mak"))


def define_epoch(path: str, text: str) -> str:
    """Return the `text` of a Makefile or shell script with SOURCE_DATE_EPOCH defined, if it only uses it.

    Scripts in package.json get its default in each place: there is none that all of them read.
    """
    uses = f"${EPOCH}" in text or f"$({EPOCH})" in text
    if path.rpartition("/")[2] == "package.json" and f"{EPOCH}=" not in text:
        return re.sub(rf"\${EPOCH}\b", lambda _: f"${{{EPOCH}:-$({EPOCH_COMMAND})}}", text)
    return set_epoch(path, text) if uses and (is_makefile(path) or _is_shell(path, text)) else text


def set_epoch(path: str, text: str) -> str:
    """Return `text` with a definition of SOURCE_DATE_EPOCH for all commands, if it has none."""
    if _DEFINED.search(text):
        return text
    return _insert(text, _EPOCH_IN_MAKE if is_makefile(path) else _EPOCH_IN_SHELL)


def export(path: str, text: str, name: str, value: str) -> str:
    """Return `text` with the variable `name` set for all commands; the `value` may name SOURCE_DATE_EPOCH."""
    if is_makefile(path):
        parts = [part.replace("$", "$$").replace("#", "\\#") for part in value.split(f"${EPOCH}")]
        return _insert(text, f"export {name} := {f'$({EPOCH})'.join(parts)}\n")
    quoted = value if _PLAIN.fullmatch(value) else f'"{escape_quoted(value, EPOCH)}"'
    return _insert(text, f"export {name}={quoted}\n")


def map_paths(text: str, variable: str) -> str:
    """Return the text of a Makefile with an option for compilers in `variable` that maps the path of the build."""
    line = f'{variable} += "-ffile-prefix-map=$(CURDIR)=."\n'
    assigned = list(re.finditer(rf"^{variable}\s*[:?+]?=(?:.*\\\n)*.*\n", text, re.MULTILINE))
    if not assigned:
        return _insert(text, line)
    end = assigned[-1].end()
    return text[:end] + line + text[end:]


def sort_lists(text: str) -> str:
    """Return the text of a Makefile with each list of files that it looks up itself in order."""
    for found in reversed(list(_LISTS.finditer(text))):
        end = _closing(text, found.start() + 1)
        if end and not re.search(r"\$\(sort\s+$", text[: found.start()]):
            text = f"{text[: found.start()]}$(sort {text[found.start() : end]}){text[end:]}"
    return text


def _is_shell(path: str, text: str) -> bool:
    return path.endswith((".sh", ".bash")) or re.match(r"#!.*\b(?:ba|da|k|z)?sh\b", text) is not None


def _closing(text: str, start: int) -> int:
    """Return the index behind the bracket that closes the one at `start`; 0 if there is none."""
    depth = 0
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if not depth:
            return index + 1
    return 0


def _insert(text: str, lines: str) -> str:
    head = _HEAD.match(text)
    at = head.end() if head else 0
    gap = "" if not text[at:].strip() or text[at:].startswith("export ") else "\n"
    return text[:at] + lines + gap + text[at:]
