"""A command and its outputs as artifacts, without a file of the project."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ftc.cli.verify.reprotest.diffoscope import read_diffoscope_arguments
from pytest_ftc.cli.verify.reprotest.variations import selects, translate
from pytest_ftc.cli.verify.words import Words
from pytest_ftc.config.python_project import is_python
from pytest_ftc.model.errors import ConfigurationError

Table: TypeAlias = "dict[str, Any]"
"""The keys of an artifact, as in ``[artifacts.NAME]``."""

_DEEPER = "ftc-outputs"
"""The folder in the source that has what a build leaves beside it, and the source itself."""
_GO_DEEPER = (
    f"mkdir -p {_DEEPER}/source && find . -mindepth 1 -maxdepth 1 ! -name {_DEEPER} "
    f"-exec mv {{}} {_DEEPER}/source/ \\; && cd {_DEEPER}/source"
)
_AUTO = "auto"
_SPECIFY = ("--variations", "--vary", "--dont-vary", "--min-cpus", "--extra-build")
"""Flags that say what is varied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdHoc:
    """What is verified, and how."""

    artifacts: Mapping[str, Table]
    source: Path
    source_pattern: str
    """Which of its files the builds see; empty for all."""
    options: Sequence[str]
    """Options of pytest that flags of reprotest become."""


@dataclass(frozen=True, slots=True)
class _Asked:
    command: str
    source: Path
    outputs: tuple[str, ...]


def read_ad_hoc(words: Words) -> AdHoc:
    """Return what `words` ask to verify.  Raises ConfigurationError."""
    if words.server and words.server[0] != "null":
        raise ConfigurationError(
            f"-- {words.server[0]}: builds run on this machine, not in a virtual server; nearest: run ftc verify "
            "inside it, or --ftc-executor=reapi in a project with a farm"
        )
    _reject_two_specifications(words)
    asked = _read_targets(words)
    common: Table = {"source": str(asked.source), **read_diffoscope_arguments(words.flags.get("--diffoscope-arg", ()))}
    if control := words.last("--control-build"):
        common["reference"] = str(Path(control).absolute())
    return AdHoc(
        artifacts=dict(_with_variations(_declare(asked), common, words)),
        source=asked.source,
        source_pattern=words.last("--source-pattern"),
        options=tuple(_options(words)),
    )


def _read_targets(words: Words) -> _Asked:
    """Return the command, its source and its outputs; reprotest(1) says which word is which."""
    rest, command, source = list(words.targets), words.last("--build-command"), words.last("--source-root")
    if command and not source and rest and Path(rest[0]).exists():
        source = rest.pop(0)
    elif not command and not source and rest and rest[0] != _AUTO and Path(rest[0]).is_dir():
        command, source = _AUTO, rest.pop(0)
    elif not command and rest:
        command = rest.pop(0)
    if not command:
        raise ConfigurationError("expected a command: ftc verify 'COMMAND' OUTPUT...")
    if more := words.last("--append-build-command"):
        command = f"{command} {more}"
    folder = Path(source or ".").absolute()
    return _Asked(command, folder.parent if folder.is_file() else folder, tuple(split_patterns(rest)))


def split_patterns(patterns: Sequence[str]) -> Iterator[str]:
    """Yield the patterns in the words `patterns`; as for reprotest, a word may have several."""
    try:
        for word in patterns:
            yield from shlex.split(word)
    except ValueError as error:
        raise ConfigurationError(f"{word!r}: expected patterns as a shell reads them: {error}") from None


def _declare(asked: _Asked) -> dict[str, Table]:
    if asked.command != _AUTO:
        if not asked.outputs:
            raise ConfigurationError(
                f"expected the outputs of the command too: ftc verify {shlex.quote(asked.command)} 'dist/*'"
            )
        return {_name(asked.command): _command(asked.command, asked.outputs)}
    if (asked.source / "debian" / "control").is_file():
        return {"package": _command("dpkg-buildpackage --no-sign -b", asked.outputs or ("../*.deb",))}
    if is_python(asked.source) and not asked.outputs:
        return {kind: {"preset": kind} for kind in ("sdist", "wheel")}
    raise ConfigurationError(
        f"auto: {asked.source} is neither a Debian package nor a Python project, of which the sdist and the wheel are "
        "verified; give the command and its outputs: ftc verify 'COMMAND' OUTPUT..."
    )


def _name(command: str) -> str:
    """Return a name for the artifact of `command`: that of its program."""
    program = next(iter(command.split()), "").rpartition("/")[2]
    plain = "".join(letter for letter in program if letter.isalnum() or letter in "-_.+")
    return plain or "command"


def _command(command: str, outputs: Sequence[str]) -> Table:
    """Return the keys for `command`.

    A build can write only in its source folder.  If it leaves outputs beside the source, it runs a folder deeper.
    """
    if not any(pattern.startswith("../") for pattern in outputs):
        return {"build": command, "outputs": list(outputs)}
    inner = [
        f"{_DEEPER}/{pattern[3:]}" if pattern.startswith("../") else f"{_DEEPER}/source/{pattern}"
        for pattern in outputs
    ]
    return {"build": command, "before": _GO_DEEPER, "outputs": inner}


def _reject_two_specifications(words: Words) -> None:
    """Raise ConfigurationError for variations of the session beside those of the command, which would win unseen."""
    given = next((flag for flag in _SPECIFY if flag in words.flags), "")
    if given and any(word.startswith("--ftc-variations") for word in words.passed):
        raise ConfigurationError(f"{given} and --ftc-variations: expected only one of them")


def _with_variations(declared: Mapping[str, Table], common: Table, words: Words) -> Iterator[tuple[str, Table]]:
    """Yield each of the artifacts `declared`, and once more for each extra build."""
    flags = words.flags
    asked = [*flags.get("--variations", ())[-1:], *flags.get("--vary", ())]
    asked += [f"-{name}" for text in flags.get("--dont-vary", ()) for name in text.split(",")]
    cpus = [f"num_cpus.experiment={number}" for number in flags.get("--min-cpus", ())[-1:]]
    extra = flags.get("--extra-build", ())
    for name, table in declared.items():
        for number, more in enumerate([None, *extra]):
            specification = _specify(asked, more, cpus, is_default="--variations" not in flags)
            own = {"variations": specification} if specification else {}
            yield (f"{name}-extra-{number}" if number else name), {**table, **common, **own}


def _specify(asked: Sequence[str], more: str | None, cpus: Sequence[str], *, is_default: bool) -> str:
    """Return the specification of one artifact; empty for the session's."""
    if not (asked or cpus or more is not None):
        return ""
    texts = [*(["all"] if is_default else []), *asked, *([more] if more else [])]
    chosen = translate(texts)
    if not selects(chosen):
        raise ConfigurationError(f"{', '.join(texts)} selects no variation; expected one, such as --vary=+time")
    # The number of CPUs says how they are varied, not whether.
    return translate([*texts, *cpus]) if selects(chosen, "num_cpus") else chosen


def _options(words: Words) -> Iterator[str]:
    if folder := words.last("--store-dir"):
        yield f"--ftc-report={folder}"
    if "--dry-run" in words.flags:
        yield "--collect-only"
    if "--auto-build" in words.flags:
        yield "--ftc-diagnose=full"
    yield from words.passed
