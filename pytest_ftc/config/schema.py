"""The keys of ``[tool.ftc]`` and of an artifact: the type and meaning of each, for errors and the documentation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_ftc import config
from pytest_ftc.builds.inputs.secret_sources import NAME
from pytest_ftc.config.below.folders import read_folders
from pytest_ftc.config.table import UnexpectedError
from pytest_ftc.model import Metadata
from pytest_ftc.model.oci_reference import is_image, parse_image
from pytest_ftc.model.support.epoch import OF_COMMIT, UNSET
from pytest_ftc.model.support.limits import read_size
from pytest_ftc.variations.grammar.named_sets import expand_sets
from pytest_ftc.variations.specification import Vocabulary, parse_specification

Known: TypeAlias = Vocabulary
"""The known variations, presets and parameters."""
Check: TypeAlias = "Callable[[Any, Known], Any]"
"""Validates and converts a written value, or raises UnexpectedError or ConfigurationError."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key."""

    check: Check
    meaning: str = ""
    """Markdown for docs/configuration.md, appended to the help of the option of the same name."""
    default: Any = None
    """The value if the key is absent; None if that is the artifact's own default, or depends on something else."""
    otherwise: str = ""
    """From what it follows then."""
    type: config.Type | None = None
    """The type of the option; None for a key of an artifact."""

    @property
    def expected(self) -> str:
        """What a value must be, as errors describe it."""
        try:
            self.check(object(), Vocabulary(()))
        except UnexpectedError as error:
            return str(error)
        raise AssertionError("a check accepted an object that TOML cannot produce")


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
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
        _expect(fits, f"a whole number of at least {least}")
        return int(value)

    return check


def _count_or_auto(least: int) -> Check:
    def check(value: Any, known: Known) -> int | str:
        if value == config.AUTO:
            return config.AUTO
        try:
            return int(_whole_number(least)(value, known))
        except UnexpectedError as error:
            raise UnexpectedError(f"{config.AUTO!r} or {error}") from None

    return check


def _share(value: Any, _: Known) -> float:
    expected = "a number from 0 to 1"
    try:
        share = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        raise UnexpectedError(expected) from None
    _expect(0 <= share <= 1, expected)
    return share


def _size_or_none(value: Any, _: Known) -> str:
    valid = isinstance(value, str) and (value == config.NONE or read_size(value) is not None)
    _expect(valid, f"a size such as '500M' or '2G', or {config.NONE!r}")
    return str(value)


def _sampling(value: Any, known: Known) -> int:
    _expect(isinstance(value, dict) and value.keys() <= {"most_left_out"}, "a table with the key most_left_out")
    number = value.get("most_left_out", 5)
    _expect(isinstance(number, int) and not isinstance(number, bool) and number >= 0, "most_left_out as a whole number")
    return int(number)


def _specification(value: Any, known: Known) -> str:
    _expect(isinstance(value, str), "text such as 'all,-umask'")
    plain = expand_sets(value, known)
    _expect(bool(parse_specification(plain, known).names), "a specification that selects at least one variation")
    return plain


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
    _expect(number or value in (OF_COMMIT, UNSET), "'git', 'unset' or a whole number of seconds since 1970")
    return value  # type: ignore[no-any-return]


def _metadata(value: Any, _: Known) -> Metadata:
    names = [metadata.value for metadata in Metadata]
    _expect(isinstance(value, str) and value in names, " or ".join(map(repr, names)))
    return Metadata(value)


def _tolerance(value: Any, _: Known) -> dict[str, float]:
    _expect(isinstance(value, dict) and all(map(_GLOB.search, value)), "a table such as { '*.npy' = 1e-6 }")
    for glob, most in value.items():
        number = isinstance(most, (int, float)) and not isinstance(most, bool)
        _expect(number and 0 < most < math.inf, f"a number above 0 for {glob}, such as 1e-6")
    return {glob: float(most) for glob, most in value.items()}


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


def _pass_sockets(value: Any, _: Known) -> tuple[str, ...]:
    expected = "a list of absolute paths such as ['/run/docker.sock']"
    _expect(isinstance(value, list), expected)
    _expect(all(isinstance(path, str) and path.startswith("/") and "\0" not in path for path in value), expected)
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
    expected = "a list such as ['TOKEN', 'env:TOKEN', 'file:~/.netrc']"
    pattern = rf"env:[^=\0]+|file:[^\0]+|{NAME.pattern}"
    _expect(isinstance(value, list), expected)
    _expect(all(isinstance(name, str) and re.fullmatch(pattern, name) for name in value), expected)
    return tuple(value)


def _tags(value: Any, _: Known) -> tuple[str, ...]:
    expected = "a list of names such as ['release', 'slow']"
    _expect(isinstance(value, list) and all(isinstance(tag, str) and _TAG.fullmatch(tag) for tag in value), expected)
    if taken := sorted(_MARKS_OF_PYTEST & set(value)):
        raise UnexpectedError(f"{expected}, and none of pytest's own marks ({', '.join(taken)})")
    return tuple(dict.fromkeys(value))


def _owner(value: Any, _: Known) -> str:
    _expect(isinstance(value, str) and bool(value.strip()) and value.isprintable(), "text on one line")
    return str(value)


_GLOB = re.compile("[^./ ]")
_TAG = re.compile("[A-Za-z][A-Za-z0-9_-]*")
_MARKS_OF_PYTEST = {"ftc", "skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"}
_BUILD = "a command: text for the shell, or a list of words"
_OUTPUTS = "a list of globs such as ['dist/*.whl']"


def _check_of(type: config.Type) -> Check:
    """Return the check for values of the `type` of an option."""
    match type.form:
        case "whole number or auto":
            return _count_or_auto(type.least)
        case "whole number":
            return _whole_number(type.least)
        case "choice":
            return _choice(*type.names)
        case form:
            return _CHECKS[form]


_CHECKS: dict[config.Form, Check] = {
    "flag": _flag,
    "text": _text,
    "path": _text,
    "share": _share,
    "size or none": _size_or_none,
    "variations": _specification,
    "sockets": _pass_sockets,
    "sampling": _sampling,
    "folders": read_folders,
}

SESSION_KEYS = {
    one.name: Key(_check_of(one.type), one.meaning, one.default, one.otherwise, one.type)
    for one in (*config.OPTIONS, *config.FILE_ONLY)
}
"""The keys of ``[tool.ftc]``, except the artifacts."""

ARTIFACT_KEYS: dict[str, Key] = {
    "build": Key(_build, "a string is run by `/bin/sh -c`, a list of words is executed directly"),
    "preset": Key(
        _choice("sdist", "wheel"),
        "instead of `build`: builds this [Python project](#python-projects) with its build requirements installed; "
        "`outputs` may be omitted",
    ),
    "before": Key(_text, "a shell command run at the start of every build, such as `umask 022`"),
    "after": Key(_text, "a shell command run at the end of every build, such as `ftc normalize dist/*.tar.gz`"),
    "outputs": Key(
        _outputs,
        "`*` matches within a folder, `**` across folders, and both match a leading dot; a folder includes all its "
        "contents. Each glob must match something",
    ),
    "source": Key(_text, "the source folder, relative to the configuration file", "."),
    "timeout": Key(_timeout, "time limit of one build, in seconds"),
    "source_date_epoch": Key(
        _source_date_epoch, "`SOURCE_DATE_EPOCH` of the builds; `git` is the time of the last commit"
    ),
    "metadata": Key(_metadata, "`strict` compares all permission bits too, not only whether files are executable"),
    "tolerance": Key(_tolerance, "how far apart [numbers in outputs](guides/numbers.md#a-tolerance) may be, by globs"),
    "env": Key(_env, "variables set in every build"),
    "pass_env": Key(
        _pass_env,
        "names (globs) of variables passed to builds from your environment; the credentials `FTC_HSM_PIN`, "
        "`FTC_STORE_KEY`, `VAULT_TOKEN` and `BAO_TOKEN` only if named in full, and never the variables of "
        "[a trace](reports.md#traces-of-builds)",
    ),
    "pass_sockets": Key(
        _pass_sockets,
        "paths of sockets of this machine that builds see: [daemons outside](#daemons-outside)",
        otherwise="the session's",
    ),
    "variations": Key(_specification, "[what to vary](#what-to-vary) for this artifact", otherwise="the session's"),
    "secrets": Key(_secrets, "[values that builds receive and must not leak](#secrets)"),
    "reference": Key(_reference, "[published files](#published-files) that the outputs must also equal"),
    "critical": Key(_flag, "its builds have priority, and it is part of every sample"),
    "tags": Key(
        _tags, "groups that it belongs to: `-m 'ftc and release'` selects those tagged `release`, as marks of tests do"
    ),
    "owner": Key(_owner, "who looks after it: findings and reports name them"),
    "fetches": Key(_flag, "the build downloads: see [faults around a build](#faults-around-a-build)"),
    "strict": Key(
        _flag,
        "fail if the build uses [undeclared inputs](#what-builds-use); such an artifact is always traced",
        otherwise="the session's",
    ),
}
"""The keys of ``[tool.ftc.artifacts.NAME]``."""
