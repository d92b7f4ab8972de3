"""The keys of ``[tool.ftc]`` and of an artifact: what each has to be and means, for errors and the documentation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_ftc.config import options
from pytest_ftc.model import Metadata
from pytest_ftc.model.oci_reference import is_image, parse_image
from pytest_ftc.variations.specification import Vocabulary, parse_specification

Known: TypeAlias = Vocabulary
"""The variations, presets and parameters there are."""
Check: TypeAlias = "Callable[[Any, Known], Any]"
"""Returns the value that was written, as the program wants it, or raises UnexpectedError or ConfigurationError."""


class UnexpectedError(Exception):
    """A value is not what it has to be; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key."""

    check: Check
    meaning: str = ""
    """Markdown as in docs/configuration.md; it goes on where the help of the option of the same name ends."""
    default: Any = None
    """The value where the key is absent; None where that is the artifact's own default, or follows from something."""
    otherwise: str = ""
    """From what it follows then."""
    type: options.Type | None = None
    """The type of the option; None for a key of an artifact."""

    @property
    def expected(self) -> str:
        """What a value has to be, as errors say it."""
        try:
            self.check(object(), Vocabulary(()))
        except UnexpectedError as error:
            return str(error)
        raise AssertionError("a check has let pass what is no value of TOML")


def _expect(condition: bool, expected: str) -> None:
    if not condition:
        raise UnexpectedError(expected)


def _text(value: Any, _: Known) -> str:
    _expect(isinstance(value, str) and bool(value.strip()) and "\0" not in value, "non-empty text")
    return str(value)


def _flag(value: Any, _: Known) -> bool:
    _expect(isinstance(value, bool), "true or false")
    return bool(value)


def _choice(*names: str) -> Check:
    def check(value: Any, _: Known) -> str:
        _expect(isinstance(value, str) and value in names, " or ".join(map(repr, names)))
        return str(value)

    return check


def _whole_number(least: int) -> Check:
    def check(value: Any, _: Known) -> int:
        _expect(
            isinstance(value, int) and not isinstance(value, bool) and value >= least,
            f"a whole number of at least {least}",
        )
        return int(value)

    return check


def _count_or_auto(least: int) -> Check:
    def check(value: Any, known: Known) -> int | str:
        if value == options.AUTO:
            return options.AUTO
        try:
            return int(_whole_number(least)(value, known))
        except UnexpectedError as error:
            raise UnexpectedError(f"{options.AUTO!r} or {error}") from None

    return check


def _share(value: Any, _: Known) -> float:
    expected = "a number from 0 to 1"
    try:
        share = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        raise UnexpectedError(expected) from None
    _expect(0 <= share <= 1, expected)
    return share


def _sampling(value: Any, known: Known) -> int:
    _expect(isinstance(value, dict) and value.keys() <= {"most_left_out"}, "a table with the key most_left_out")
    number = value.get("most_left_out", 5)
    _expect(isinstance(number, int) and not isinstance(number, bool) and number >= 0, "most_left_out as a whole number")
    return int(number)


def _specification(value: Any, known: Known) -> str:
    _expect(isinstance(value, str), "text such as 'all,-umask'")
    _expect(bool(parse_specification(value, known).names), "a specification that selects at least one variation")
    return str(value)


def _build(value: Any, known: Known) -> str | tuple[str, ...]:
    expected = _BUILD
    if isinstance(value, str):
        _expect(bool(value.strip()) and "\0" not in value, expected)
        return value
    _expect(isinstance(value, list) and bool(value), expected)
    _expect(all(isinstance(word, str) and "\0" not in word for word in value) and bool(value[0]), expected)
    return tuple(value)


def _outputs(value: Any, _: Known) -> tuple[str, ...]:
    if isinstance(value, str):
        raise UnexpectedError(f"a list such as [{value!r}]")
    _expect(isinstance(value, list) and bool(value), _OUTPUTS)
    for glob in value:
        usable = isinstance(glob, str) and bool(glob.strip("./ ")) and "\0" not in glob
        _expect(usable and not glob.startswith("/") and ".." not in glob.split("/"), "globs below the source folder")
    return tuple(value)


def _timeout(value: Any, _: Known) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    _expect(number and math.isfinite(value) and value > 0, "a number of seconds above 0")
    return float(value)


def _source_date_epoch(value: Any, _: Known) -> int | str:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    _expect(number or value in ("git", "unset"), "'git', 'unset' or a whole number of seconds since 1970")
    return value  # type: ignore[no-any-return]


def _metadata(value: Any, _: Known) -> Metadata:
    names = [metadata.value for metadata in Metadata]
    _expect(isinstance(value, str) and value in names, " or ".join(map(repr, names)))
    return Metadata(value)


def _env(value: Any, _: Known) -> dict[str, str]:
    _expect(isinstance(value, dict), "a table of texts")
    for name, text in value.items():
        _expect(bool(name) and "=" not in name and "\0" not in name, "names without '='")
        _expect(isinstance(text, str) and "\0" not in text, f"text for {name}, in quotes")
    return dict(value)


def _pass_env(value: Any, _: Known) -> tuple[str, ...]:
    expected = "a list of names such as ['JAVA_HOME', 'CI_*']"
    _expect(isinstance(value, list) and all(isinstance(name, str) and name for name in value), expected)
    return tuple(value)


def _reference(value: Any, _: Known) -> tuple[str, ...]:
    globs = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
    expected = "a glob of files such as 'released/*.whl', a folder, 'oci:REGISTRY/REPOSITORY:TAG', or a list of them"
    _expect(bool(globs) and all(isinstance(glob, str) and glob.strip("./ ") for glob in globs), expected)
    for glob in globs:
        if is_image(glob):
            _expect(parse_image(glob) is not None, "oci:REGISTRY/REPOSITORY with :TAG or @sha256:DIGEST")
        else:
            _expect("://" not in glob and "\0" not in glob, f"{expected}; no other address")
    return globs


def _secrets(value: Any, _: Known) -> tuple[str, ...]:
    expected = "a list such as ['env:TOKEN', 'file:~/.netrc']"
    _expect(isinstance(value, list), expected)
    _expect(all(isinstance(name, str) and re.fullmatch(r"env:[^=\0]+|file:[^\0]+", name) for name in value), expected)
    return tuple(value)


_BUILD = "a command: text for the shell, or a list of words"
_OUTPUTS = "a list of globs such as ['dist/*.whl']"


def _check_of(type: options.Type) -> Check:
    """Return the check for values of the `type` of an option."""
    match type:
        case options.CountOrAuto():
            return _count_or_auto(type.least)
        case options.WholeNumber():
            return _whole_number(type.least)
        case options.Choice():
            return _choice(*type.names)
        case _:
            return _CHECKS[type.__class__]


_CHECKS: dict[object, Check] = {
    options.Flag: _flag,
    options.Text: _text,
    options.Location: _text,
    options.Share: _share,
    options.Specification: _specification,
    options.SamplingTable: _sampling,
}

SESSION_KEYS = {
    one.name: Key(_check_of(one.type), one.meaning, one.default, one.otherwise, one.type)
    for one in (*options.OPTIONS, *options.FILE_ONLY)
}
"""Those of ``[tool.ftc]``, but for the artifacts."""

ARTIFACT_KEYS: dict[str, Key] = {
    "build": Key(_build, "text is run by `/bin/sh -c`, a list of words as it is"),
    "preset": Key(
        _choice("sdist", "wheel"),
        "in the place of `build`: that of this [Python project](#python-projects), with its build requirements "
        "installed; `outputs` may be left out",
    ),
    "before": Key(_text, "a shell command that every build begins with, such as `umask 022`"),
    "after": Key(_text, "a shell command that every build ends with, such as `ftc normalize dist/*.tar.gz`"),
    "outputs": Key(
        _outputs,
        "`*` stays in a folder, `**` crosses them, both match a leading dot; a folder is taken whole. Each glob must "
        "match something",
    ),
    "source": Key(_text, "the source folder, relative to the file", "."),
    "timeout": Key(_timeout, "seconds one build may take"),
    "source_date_epoch": Key(
        _source_date_epoch, "`SOURCE_DATE_EPOCH` of the builds; `git` is the time of the last commit"
    ),
    "metadata": Key(_metadata, "`strict` compares all permission bits too, not only the executable bits of files"),
    "env": Key(_env, "variables of every build"),
    "pass_env": Key(_pass_env, "names (globs) of variables that builds get from your environment"),
    "variations": Key(_specification, "[what to vary](#what-to-vary) for this artifact", otherwise="the session's"),
    "secrets": Key(_secrets, "[what builds get and must not give away](#secrets)"),
    "reference": Key(_reference, "[published files](#published-files) that the outputs must equal too"),
    "critical": Key(_flag, "its builds come before those of others that wait, and it is in every sample"),
    "fetches": Key(_flag, "the build downloads: see [faults around a build](#faults-around-a-build)"),
    "strict": Key(
        _flag,
        "fail if the build uses anything [beyond its declared inputs](#what-builds-use); such an artifact is always "
        "traced",
        otherwise="the session's",
    ),
}
"""Those of ``[tool.ftc.artifacts.NAME]``."""
