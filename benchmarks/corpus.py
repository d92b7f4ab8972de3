"""A corpus of builds with known faults: read from a JSONL file, checked, and laid out as projects.

One JSON object a line:

- ``id``: a name for its trait; ``why``: one sentence;
- ``files``: path to a text, or to ``{"text" or "base64": ..., "mode": "0755"}``;
- ``build``: a shell command; ``outputs``: globs;
- ``verdict``: ``reproducible`` or ``unreproducible``; ``causes``: what truly differs, as names of variations,
  ``random``, ``race`` or ``duration``;
- ``culprit``: the program that brought in what differs, and not one that passed it on in another form; a list where
  either is right, null where the shell itself did;
- ``place``: a word that the output, member or location of the first finding holds, or a list where any is right;
- ``remedy``: variables that heal it when set from outside, or null;
- ``needs``: commands beyond sh, coreutils, findutils, sed, tar, gzip and python3; ``python:NAME`` is a distribution;
- ``sometimes``: true where two builds differ only now and then;
- ``file_times``: true where the time that leaks is the kernel's for a file, which differs whatever is varied, or is
  told more finely than the clock can be set.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shutil import which
from typing import Any

INHERENT = frozenset({"duration", "random", "race"})
"""Causes that are no variation: they differ between two builds in the same environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled build."""

    id: str
    files: Mapping[str, str | Mapping[str, str]]
    build: str
    outputs: tuple[str, ...]
    verdict: str
    causes: tuple[str, ...] = ()
    culprit: tuple[str, ...] = ()
    """Any of these is right; empty when the shell itself wrote the output."""
    place: tuple[str, ...] = ()
    """Any of these is right; empty where it is not asked."""
    remedy: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    sometimes: bool = False
    file_times: bool = False
    why: str = ""

    @property
    def varied(self) -> tuple[str, ...]:
        """The causes that are variations."""
        return tuple(name for name in self.causes if name not in INHERENT)


def load_corpus(path: Path) -> list[Case]:
    """Return the cases of the JSONL file `path`.  Exits with one clear line when it is not one."""
    cases: dict[str, Case] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            case = _read(json.loads(line))
        except (TypeError, ValueError, KeyError) as error:
            sys.exit(f"{path}:{number}: not a case: {error}")
        if case.id in cases:
            sys.exit(f"{path}:{number}: the id {case.id!r} is there twice")
        cases[case.id] = case
    return list(cases.values())


def _read(values: dict[str, Any]) -> Case:
    unknown = sorted(set(values) - {item.name for item in fields(Case)})
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}")
    if values["verdict"] not in ("reproducible", "unreproducible"):
        raise ValueError(f"verdict is {values['verdict']!r}, expected reproducible or unreproducible")
    if (values["verdict"] == "reproducible") == bool(values.get("causes")):
        raise ValueError("what is reproducible has no causes, what is not has some")
    alternatives = {name: _read_alternatives(values.get(name)) for name in ("culprit", "place")}
    lists = {name: tuple(values.get(name) or ()) for name in ("outputs", "causes", "needs")}
    return Case(**{**values, **alternatives, **lists, "remedy": values.get("remedy") or {}})


def _read_alternatives(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def find_missing(case: Case) -> list[str]:
    """Return what the machine lacks for `case`."""
    return [need for need in case.needs if not _is_there(need)]


def _is_there(need: str) -> bool:
    kind, _, name = need.rpartition(":")
    if kind != "python":
        return which(need) is not None
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One artifact to verify: a case, perhaps with other variations or with variables set."""

    name: str
    case: Case
    variations: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


def lay_out(trials: Iterable[Trial], project: Path) -> None:
    """Fill the folder `project` with the sources of `trials` and an ``ftc.toml`` that declares an artifact for each."""
    tables: list[str] = []
    written: set[str] = set()
    for trial in trials:
        if trial.case.id not in written:
            written.add(trial.case.id)
            write_files(trial.case, project / "cases" / trial.case.id)
        tables += _declare(trial)
    (project / "ftc.toml").write_text("\n".join(tables) + "\n", encoding="utf-8")
    (project / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")


def write_files(case: Case, folder: Path) -> None:
    """Write the sources of `case` into the new folder `folder`."""
    folder.mkdir(parents=True)
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        given = {"text": content} if isinstance(content, str) else content
        data = base64.b64decode(given["base64"]) if "base64" in given else given.get("text", "").encode()
        path.write_bytes(data)
        path.chmod(int(given.get("mode", "0644"), 8))


def _declare(trial: Trial) -> Sequence[str]:
    values = {"build": trial.case.build, "outputs": list(trial.case.outputs), "source": f"cases/{trial.case.id}"}
    if trial.variations:
        values["variations"] = trial.variations
    lines = [f"[artifacts.{_toml(trial.name)}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    if trial.env:
        lines += [
            f"[artifacts.{_toml(trial.name)}.env]",
            *(f"{key} = {_toml(text)}" for key, text in trial.env.items()),
        ]
    return lines


def _toml(value: object) -> str:
    # TOML's basic strings and arrays are those of JSON, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
