"""TOML files of policies and keyrings; an error names the file, the key, what was found and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.bounded_file import read_bounded
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.model.support.toml import tomllib

_MOST_BYTES = 1 << 20
_NAMES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def load_toml(path: Path) -> dict[str, Any]:
    """Return the tables in the file `path`.  Raises ConfigurationError."""
    try:
        # Policies may come from a pipe, such as that of a shell's <(...).
        return tomllib.loads(read_bounded(path, _MOST_BYTES).decode())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: no valid TOML: {error}") from None


class Table:
    """A table in a file, whose keys are read one by one."""

    def __init__(self, path: Path, name: str, values: object) -> None:
        """Raises ConfigurationError when `values` is no table."""
        self._path = path
        self._name = name
        if not isinstance(values, dict):
            raise ConfigurationError(f"{path}: {name}: expected a table, found {_describe(values)}")
        self._values: dict[str, Any] = values

    def check(self, *known: str) -> None:
        """Raise ConfigurationError for a key that is none of those `known`."""
        for key in self._values:
            if key not in known:
                hint = did_you_mean(key, known)
                raise ConfigurationError(
                    f"{self._path}: {self._at(key)}: unknown key{hint}  Valid keys: {', '.join(sorted(known))}"
                )

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        """Return the value of `key`, which must be of the type `kind`.  Raises ConfigurationError."""
        if key not in self._values:
            return default
        value = self._values[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, _NAMES.get(kind, kind.__name__))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts under `key`, empty if it is absent.  Raises ConfigurationError."""
        values = self.get(key, list, [])
        if not all(isinstance(one, str) and one for one in values):
            raise self.error(key, "a list of texts")
        return tuple(values)

    def count(self, key: str, default: int) -> int:
        """Return the number of at least 1 under `key`.  Raises ConfigurationError."""
        number: int = self.get(key, int, default)
        if number < 1:
            raise self.error(key, "a whole number of at least 1")
        return number

    def error(self, key: str, expected: str) -> ConfigurationError:
        """Return the error that the value of `key` is not what is `expected`."""
        return ConfigurationError(
            f"{self._path}: {self._at(key)}: expected {expected}, found {_describe(self._values.get(key))}"
        )

    def _at(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key


def _describe(value: object) -> str:
    return "nothing" if value is None else repr(value)[:80]
