"""Commands in the files of CMake and Meson with the options that make their outputs reproducible."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from pytest_ftc.verification.determinize.in_project.command_lines import change_command
from pytest_ftc.verification.determinize.in_project.makefiles import EPOCH, EPOCH_COMMAND

CMAKE, MESON = "CMakeLists.txt", "meson.build"
_MOST_FILES = 64
_BELOW = re.compile(r"""\b(?:add_subdirectory\(\s*"?|subdir\(\s*')([\w./+-]+)""")
"""A folder with another file."""
_KEYWORD = re.compile(r"\s[A-Z][A-Z_]{3,}(?=[\s)])")
"""What ends a command in the arguments of CMake's functions."""
_LITERAL = re.compile(r"(\s*,\s*)'([^'\\\s]+)'")
"""A further word of a command in Meson, if it is plain."""
_VARIABLE = re.compile(r"[$@<]")
_LOCALE = "LC_ALL=C"

_EPOCH_IN_CMAKE = f"""if(NOT DEFINED ENV{{{EPOCH}}})
  execute_process(COMMAND sh -c "{EPOCH_COMMAND}" WORKING_DIRECTORY ${{CMAKE_SOURCE_DIR}}
                  OUTPUT_VARIABLE source_date_epoch OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(ENV{{{EPOCH}}} ${{source_date_epoch}})
endif()
"""
_EPOCH_IN_MESON = f"""source_date_epoch = run_command(
  'sh', '-c', 'echo ${{{EPOCH}:-$({EPOCH_COMMAND})}}', check: true,
).stdout().strip()
"""
_NAME_IN_MESON = "source_date_epoch"
_PLACEHOLDER = f"${EPOCH}"


@dataclass(frozen=True, slots=True)
class BuildCommand:
    """A command in a file of CMake or Meson."""

    path: str
    text: str
    """As it is written there, from the name of the program on."""
    words: tuple[str, ...]
    """Its plain arguments."""

    def likeness(self, command: Sequence[str]) -> int:
        """Return how much it reads like a program that was run with these words; 0 if that cannot come from here."""
        plain = [word for word in self.words if not _VARIABLE.search(word)]
        return 1 + len(plain) if all(word in command for word in plain) else 0

    def change(self, program: str, causes: Collection[str]) -> str:
        """Return its text with the options of `program` that heal these `causes`."""
        change = _change_in_meson if is_meson(self.path) else _change_in_cmake
        return change(self.text, program, causes)


def is_cmake(path: str) -> bool:
    """Return whether a file of this name is one of CMake."""
    return path.rpartition("/")[2] == CMAKE


def is_meson(path: str) -> bool:
    """Return whether a file of this name is one of Meson."""
    return path.rpartition("/")[2] == MESON


def is_build_file(path: str) -> bool:
    """Return whether a file of this name is one of CMake or Meson."""
    return is_cmake(path) or is_meson(path)


def build_files(read: Callable[[str], str | None]) -> list[str]:
    """Return the files of CMake and Meson from the top folder on; `read` returns a text, or None if there is none."""
    found, waiting = list[str](), [CMAKE, MESON]
    while waiting and len(found) < _MOST_FILES:
        path = waiting.pop()
        text = read(path)
        if text is not None and path not in found:
            found.append(path)
            folder, _, name = path.rpartition("/")
            waiting += [posixpath.normpath(posixpath.join(folder, below, name)) for below in _BELOW.findall(text)]
    return found


def find_commands(path: str, text: str, program: str) -> list[BuildCommand]:
    """Return the commands of `program` that occur once in the file `text`."""
    find = _find_in_meson if is_meson(path) else _find_in_cmake
    return [call for call in find(path, text, program) if text.count(call.text) == 1]


def find_most_like(commands: Sequence[BuildCommand], command: Sequence[str]) -> BuildCommand | None:
    """Return the one that reads most like `command`; None if there is none, or several."""
    scores = [one.likeness(command) for one in commands]
    most = max(scores, default=0)
    return commands[scores.index(most)] if most and scores.count(most) == 1 else None


def _find_in_cmake(path: str, text: str, program: str) -> Iterator[BuildCommand]:
    for found in re.finditer(rf"\bCOMMAND\s+({re.escape(program)})(?=[\s)])", text):
        if "#" not in text[text.rfind("\n", 0, found.start()) + 1 : found.start()]:
            call = text[found.start(1) : _end_in_cmake(text, found.end())]
            yield BuildCommand(path, call, tuple(word.strip('"') for word in call.split()[1:]))


def _end_in_cmake(text: str, start: int) -> int:
    """Return where the command ends whose name ends at `start`: before a keyword, or the closing parenthesis."""
    keyword = _KEYWORD.search(text, start)
    depth, quoted = 0, False
    for end in range(start, keyword.start() if keyword else len(text)):
        quoted ^= text[end] == '"' and text[end - 1] != "\\"
        if not quoted:
            depth += (text[end] == "(") - (text[end] == ")")
        if depth < 0:
            return end
    return keyword.start() if keyword else len(text)


def _find_in_meson(path: str, text: str, program: str) -> Iterator[BuildCommand]:
    name = re.escape(program)
    for found in re.finditer(rf"(?:\brun_command\(|\bcommand\s*:\s*\[)\s*('{name}'|{name})(?=\s*[,)\]])", text):
        if "#" not in text[text.rfind("\n", 0, found.start()) + 1 : found.start()]:
            words, end = [], found.end()
            while literal := _LITERAL.match(text, end):
                words.append(literal[2])
                end = literal.end()
            yield BuildCommand(path, text[found.start(1) : end], tuple(words))


def _change_in_cmake(text: str, program: str, causes: Collection[str]) -> str:
    changed = change_command(program, program, text[len(program) :], causes, f"$ENV{{{EPOCH}}}")
    return f"${{CMAKE_COMMAND}} -E env {changed}" if changed.startswith(_LOCALE) else changed


def _change_in_meson(text: str, program: str, causes: Collection[str]) -> str:
    """Return a command of Meson with other options: its name, and plain words with what is between them."""
    name = re.match(r"'?[\w+-]+'?", text)
    assert name is not None
    parts = list(_LITERAL.finditer(text, name.end()))
    old = [part[2] for part in parts]
    # A space at the end, since more words may follow that are not plain.
    changed = change_command(program, program, "".join(f" {word}" for word in old) + " ", causes, _PLACEHOLDER).split()
    at = changed.index(program)
    before, new = changed[:at], changed[at + 1 :]
    same = 0
    while same < min(len(old), len(new)) and old[-1 - same] == new[-1 - same]:
        same += 1
    kept = text[parts[len(old) - same].start() :] if same else ""
    words = [
        *(f"'{word}'" for word in (["env", *before] if before else [])),
        name[0],
        *map(_literal, new[: len(new) - same]),
    ]
    return ", ".join(words) + kept


def _literal(word: str) -> str:
    return f"'{word.removesuffix(_PLACEHOLDER)}' + {_NAME_IN_MESON}" if word.endswith(_PLACEHOLDER) else f"'{word}'"


def define_epoch_there(path: str, text: str) -> str:
    """Return the `text` of a file of CMake or Meson with the time of the sources defined, if it only uses it."""
    if is_cmake(path) and f"$ENV{{{EPOCH}}}" in text and f"set(ENV{{{EPOCH}}}" not in text:
        return _insert_after("cmake_minimum_required", text, _EPOCH_IN_CMAKE)
    if is_meson(path) and f"+ {_NAME_IN_MESON}" in text and f"{_NAME_IN_MESON} =" not in text:
        return _insert_after("project", text, _EPOCH_IN_MESON)
    return text


def map_paths_there(text: str) -> str:
    """Return the `text` of a file of CMake in which compilers do not record the folder of the sources."""
    option = '"-ffile-prefix-map=${CMAKE_SOURCE_DIR}=."'
    return text if "-prefix-map=" in text else _insert_after("project", text, f"add_compile_options({option})\n")


def _insert_after(function: str, text: str, lines: str) -> str:
    """Return `text` with `lines` behind the first call of `function`, or at its beginning."""
    found = re.search(rf"^{function}\s*\([^()]*\)[^\n]*\n", text, re.MULTILINE)
    at = found.end() if found else 0
    return text[:at] + lines + text[at:]
