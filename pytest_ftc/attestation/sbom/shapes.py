"""Values in lock files, which may be hostile: an error names the file, the place, what was found and expected."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model.support.toml import tomllib

_LONGEST = 4096
_NAMES: dict[type, str] = {str: "text", dict: "a table", list: "a list", int: "a whole number"}


def parse_toml(data: bytes, where: str) -> dict[str, Any]:
    """Return the tables in `data`.  Raises DocumentError."""
    try:
        return tomllib.loads(data.decode().replace("\r\n", "\n"))
    except RecursionError:
        raise DocumentError(f"{where}: nested too deeply") from None
    except ValueError as error:
        raise DocumentError(f"{where}: no valid TOML: {error}") from None


def take(table: dict[str, Any], name: str, kind: type, where: str, default: Any = None) -> Any:
    """Return the value `name` of `table`, of the type `kind`; `default` if it is absent, an error without one.

    Raises DocumentError.
    """
    value = table.get(name)
    if value is None and default is not None:
        return default
    return expect(value, kind, f"{where}: {name}")


def expect(value: object, kind: type, where: str) -> Any:
    """Return `value`, which must be of the type `kind`; texts must be short, and valid.  Raises DocumentError."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        found = "nothing" if value is None else repr(value)[:80]
        raise DocumentError(f"{where}: expected {_NAMES[kind]}, found {found}")
    if isinstance(value, str):
        _check_text(value, where)
    return value


def texts(table: dict[str, Any], name: str, where: str) -> list[str]:
    """Return the list of texts `name` of `table`, empty if it is absent.  Raises DocumentError."""
    return [expect(one, str, f"{where}: {name}") for one in take(table, name, list, where, [])]


def named(table: dict[str, Any], name: str, where: str) -> str:
    """Return the text `name` of `table`, which must not be empty.  Raises DocumentError."""
    value: str = take(table, name, str, where)
    if not value.strip():
        raise DocumentError(f"{where}: {name}: expected text, found {value!r}")
    return value


def without_credentials(url: str) -> str:
    """Return `url` without user, password, query and fragment, which may be secret; empty if it is none."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if not host or not parts.scheme:
        return ""
    return urlunsplit((parts.scheme, f"[{host}]{port}" if ":" in host else f"{host}{port}", parts.path, "", ""))


def _check_text(text: str, where: str) -> None:
    if len(text) > _LONGEST:
        raise DocumentError(f"{where}: longer than {_LONGEST} characters")
    if not text.isprintable() or not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise DocumentError(f"{where}: expected valid Unicode, found {text[:80]!r}") from None
        if any(character < " " or character == "\x7f" for character in text):
            raise DocumentError(f"{where}: expected text without control characters, found {text[:80]!r}")
