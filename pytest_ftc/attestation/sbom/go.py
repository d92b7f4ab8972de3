"""``go.mod`` and ``go.sum``: see https://go.dev/ref/mod."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_ftc.attestation.sbom.component import Component, Declared, Project, check_count
from pytest_ftc.attestation.sbom.hashes import read_h1
from pytest_ftc.attestation.sbom.shapes import expect
from pytest_ftc.attestation.strict_json import DocumentError

_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|[^\s]+')
_COMPLETE_SINCE = (1, 17)
"""From this version of Go on, go.mod lists all modules that builds use, not only direct ones."""


@dataclass(slots=True)
class _Module:
    path: str = ""
    go: str = ""
    required: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Version by path, and whether it is required directly."""
    replaced: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """New path and version by path and version, which may be empty; a local folder has no version."""


def read_go(module: bytes, sums: bytes, where: str, sums_where: str) -> Declared:
    """Return what the files ``go.mod`` and ``go.sum`` declare; `sums` may be empty.  Raises DocumentError."""
    found = _read_module(_lines(module, where))
    check_count(len(found.required), where)
    hashes = _read_sums(_lines(sums, sums_where))
    components, direct = [], []
    for path, (version, is_direct) in found.required.items():
        new = found.replaced.get((path, version)) or found.replaced.get((path, "")) or (path, version)
        if not new[1]:
            continue  # replaced by a folder, whose files are sources
        namespace, _, name = new[0].rpartition("/")
        one = Component(
            type="golang",
            namespace=namespace,
            name=name,
            version=new[1],
            hashes=hashes.get(new, {}),
            source=where,
        )
        components.append(one)
        direct += [one.key] if is_direct else []
    notes = [f"{where} does not say which module requires an indirect one"]
    if _version(found.go) < _COMPLETE_SINCE:
        notes.append(f"{where} is of Go before 1.17: it lists the modules that are required directly, not all")
    project = Project(type="golang", name=found.path)
    return Declared(components=tuple(components), direct=tuple(direct), project=project, notes=tuple(notes))


def _lines(data: bytes, where: str) -> Iterator[tuple[str, str]]:
    """Yield each line that is not empty, and its place."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise DocumentError(f"{where}: expected UTF-8") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield expect(line.strip().replace("\t", " "), str, f"{where}:{number}"), f"{where}:{number}"


def _read_module(lines: Iterator[tuple[str, str]]) -> _Module:
    module, block, begin = _Module(), "", ""
    for line, at in lines:
        code, _, comment = line.partition("//")
        words = [_unquote(word) for word in _WORD.findall(code)]
        if not words:
            continue
        if block and words == [")"]:
            block = ""
        elif not block and words[-1] == "(" and len(words) == 2:
            block, begin = words[0], at
        else:
            verb, *arguments = (block, *words) if block else words
            _take(module, verb, arguments, is_direct=comment.strip().split(";")[0].strip() != "indirect", at=at)
    if block:
        raise DocumentError(f"{begin}: {block}: expected ) at the end of the block, found the end of the file")
    return module


def _take(module: _Module, verb: str, arguments: list[str], *, is_direct: bool, at: str) -> None:
    if verb == "module" and len(arguments) == 1:
        module.path = arguments[0]
    elif verb == "go" and len(arguments) == 1:
        module.go = arguments[0]
    elif verb == "require":
        if len(arguments) != 2 or not arguments[1].startswith("v") or not all(arguments[0].split("/")):
            raise DocumentError(f"{at}: require: expected PATH VERSION, found {' '.join(arguments)[:80]!r}")
        module.required[arguments[0]] = (arguments[1], is_direct)
    elif verb == "replace":
        left, right = _split(arguments, at)
        module.replaced[left] = right


def _split(arguments: list[str], at: str) -> tuple[tuple[str, str], tuple[str, str]]:
    if "=>" in arguments:
        arrow = arguments.index("=>")
        left, right = arguments[:arrow], arguments[arrow + 1 :]
        if len(left) in (1, 2) and len(right) in (1, 2) and all(right):
            return (left[0], left[1] if len(left) == 2 else ""), (right[0], right[1] if len(right) == 2 else "")
    raise DocumentError(f"{at}: replace: expected PATH [VERSION] => PATH [VERSION], found {' '.join(arguments)[:80]!r}")


def _read_sums(lines: Iterator[tuple[str, str]]) -> Mapping[tuple[str, str], dict[str, str]]:
    found = {}
    for line, at in lines:
        words = line.split()
        if len(words) != 3:
            raise DocumentError(f"{at}: expected PATH VERSION DIGEST, found {line[:80]!r}")
        if words[2].startswith("h1:") and not words[1].endswith("/go.mod"):
            found[words[0], words[1]] = read_h1(words[2], at)
    return found


def _unquote(word: str) -> str:
    return word[1:-1] if len(word) >= 2 and word[0] == word[-1] and word[0] in '"`' else word


def _version(text: str) -> tuple[int, int]:
    match = re.match(r"([0-9]{1,4})\.([0-9]{1,4})", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
