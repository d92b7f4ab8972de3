"""Finding the line of a Makefile or script that runs a command."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

from pytest_ftc.diagnosis.culprits.commands import ancestors, name_of
from pytest_ftc.diagnosis.culprits.make_variables import ask_for, commands_of, find_variables
from pytest_ftc.model import Program, Trace

_TOKEN = re.compile(
    r"""\$\$?\([A-Za-z_][\w.-]*\)(?=[\s;&|()`"'\\]|$)|[;&|()`\n]|(?:\$\{[^}]*\}|\$\$?\w+|\$[@<^*+?%]|\$\$?\([A-Za-z_]\w*\)|[^\s;&|()`$"'])+|\$"""
)
"""A variable or a substitution of one word, a separator, or a word, perhaps with variables in it."""
_VARIABLE = re.compile(r"\$\{[^}]*\}|\$\$?\w+|\$[@<^*+?%]|\$\$?\([^)]*\)")
_SEPARATORS = frozenset(";&|()`\n")
_ENDS = ("#", ">", "<", "2>")
"""Begin what is not an argument of a command."""
_QUOTE = re.compile(r"\\?[\"']")
_COMPILE = "-c"
"""Tells a compile from a link, where a line has little but variables."""
_SOURCE = re.compile(r"\.(?:[cCsSmdfF]|cc|cpp|cxx|c\+\+|f\d\d|F\d\d)$")
_LONGEST = 400
"""Most tokens of a line."""

_Runs = Callable[[str], bool | None]
"""Tells whether a command that begins with a variable runs the program."""


def find_line(trace: Trace, program: Program, tree: str) -> str:
    """Return the only line that reads like the command of `program`, as ``Makefile:12``; empty if there is none.

    The scripts are those that the programs above it read in the folder `tree` of the build.
    """
    texts = dict(trace.scripts)
    above = list(ancestors(trace, program))
    read = dict.fromkeys(
        path for index in above for reader, path in trace.read if reader == index and path.startswith(f"{tree}/")
    )
    scripts = {path: list(_logical_lines(texts[path])) for path in read if path in texts}
    variables = find_variables(
        (line for lines in scripts.values() for _, line in lines),
        (word for index in above for word in trace.programs[index].argv[1:]),
    )
    name, words = name_of(program), _words_of(program)
    runs = ask_for(name, variables)
    best: list[tuple[int, str]] = []
    for path, lines in scripts.items():
        for number, line in lines:
            score = _score(commands_of(line, path), name, words, runs)
            if score and (not best or score >= best[0][0]):
                best = [one for one in best if one[0] == score]
                best.append((score, f"{posixpath.relpath(path, tree)}:{number}"))
    return best[0][1] if len(best) == 1 else ""


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with the number of the first of each, those joined that end with a backslash."""
    start, parts = 1, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        start = number if not parts else start
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        whole = " ".join([*parts, line])
        parts = []
        if not whole.lstrip().startswith("#"):
            yield start, whole


def _score(line: str, name: str, words: Mapping[str, None], runs: _Runs) -> int:
    """Return how many `words` of the command `name` the line has, or 0 if it is another command."""
    tokens = [token.replace("$$", "$") for token in _TOKEN.findall(_QUOTE.sub("", line))[:_LONGEST]]
    scores = [
        _score_at(tokens[at + 1 :], words, named=named)
        for at, token in enumerate(tokens)
        if (named := _names(token.lstrip("@-+") if not token.startswith("$") else token, name, runs)) is not False
    ]
    alone = not words and any(token == f"$({name})" for token in tokens)
    return max([*scores, int(alone)], default=0)


def _words_of(program: Program) -> Mapping[str, None]:
    """Return the arguments of a program, those with blanks in several words, as they are in a line without quotes."""
    return dict.fromkeys(part for word in program.argv[1:] for part in _QUOTE.sub("", word).split() or [word])


def _names(token: str, name: str, runs: _Runs) -> bool | None:
    """Return whether a word of a line names the program `name`; None for a variable that may hold anything."""
    return runs(token) if _VARIABLE.fullmatch(token) else posixpath.basename(token) == name


def _score_at(tokens: Sequence[str], words: Mapping[str, None], *, named: bool | None) -> int:
    """Return the number of `words` that follow, more if the program is `named`; 0 if something else follows."""
    found, variable = 0, False
    compiles = _COMPILE in words and any(_SOURCE.search(word) for word in words)
    tokens = list(takewhile(lambda token: token not in _SEPARATORS and not token.startswith(_ENDS), tokens))
    if compiles and not any(token == _COMPILE or "COMPILE" in token.upper() for token in tokens):
        return 0
    for token in tokens:
        variable = variable or _VARIABLE.search(token) is not None
        if token in words:
            found += 1
        elif not _VARIABLE.search(token):
            return 0
        elif _VARIABLE.sub("", token) and any(_fits(token, word) for word in words):
            found += 1
        elif _VARIABLE.sub("", token):
            return 0
    if named:
        # Variables alone may hold all the words.
        return 1 + found if found or variable or not words else 0
    return found


def _fits(token: str, word: str) -> bool:
    pattern = "".join(".*" if number % 2 else re.escape(part) for number, part in enumerate(_split(token)))
    return re.fullmatch(pattern, word, re.DOTALL) is not None


def _split(token: str) -> list[str]:
    parts, end = list[str](), 0
    for found in _VARIABLE.finditer(token):
        parts += [token[end : found.start()], found[0]]
        end = found.end()
    return [*parts, token[end:]]
