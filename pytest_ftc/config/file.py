"""The configuration file of a project: pyproject.toml or ftc.toml."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.toml import tomllib


@dataclass(frozen=True, slots=True)
class Tables:
    """What a project's file says."""

    ftc: Mapping[str, Any]
    """``[tool.ftc]``, or all of ftc.toml."""
    text: str
    """The file as it is written."""
    prefix: str
    """The name of the table that holds `ftc`; empty in ftc.toml."""
    build_system: bool
    """Whether pyproject.toml has ``[build-system]``."""
    has_ftc: bool = True
    """Whether the file has a table for us, which may be empty."""


def read_file(root: Path) -> tuple[Path | None, Tables]:
    """Return the configuration file in `root`, if there is one, and its tables.  Raises ConfigurationError."""
    project, own = root / "pyproject.toml", root / "ftc.toml"
    document, text = _parse(project) if os.path.lexists(project) else ({}, "")
    tool = document.get("tool", {})
    ftc = tool.get("ftc", {}) if isinstance(tool, dict) else {}
    build_system = "build-system" in document
    if os.path.lexists(own):
        if ftc:
            raise ConfigurationError(
                "ftc.toml and [tool.ftc] in pyproject.toml both configure pytest-ftc; expected only one of them"
            )
        document, text = _parse(own)
        return own, Tables(document, text, "", build_system)
    if not isinstance(ftc, dict):
        raise ConfigurationError(f"pyproject.toml: tool.ftc: expected a table, found {show(ftc)}")
    return project if text or document else None, Tables(ftc, text, "tool.ftc", build_system, "ftc" in tool)


def load_store(root: Path) -> Path | None:
    """Return the folder of the store that the project in `root` configures; None if it does not say.

    Raises ConfigurationError.
    """
    store = read_file(root)[1].ftc.get("store")
    return (root / store).absolute() if isinstance(store, str) and store else None


def _parse(file: Path) -> tuple[dict[str, Any], str]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text.replace("\r\n", "\n")), text
    except OSError as error:
        raise ConfigurationError(f"{file.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file.name}: expected UTF-8, found the byte {error.object[error.start]:#04x}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(_explain_syntax(file.name, str(error))) from None
    except ValueError as error:
        # Python refuses to read numbers of thousands of digits.
        raise ConfigurationError(f"{file.name}: cannot be read: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{file.name}: nested too deeply") from None


def _explain_syntax(name: str, message: str) -> str:
    match = re.search(r" \(at line (\d+), column (\d+)\)", message)
    where = f"{name}:{match[1]}" if match else name
    plain = message[: match.start()] if match else message
    if "Cannot declare" in plain or "Cannot overwrite" in plain:
        names = re.findall(r"'([^']*)'", plain)
        declared = f"[{'.'.join(names)}]" if names else "a key"
        return f"{where}: {declared} is declared twice; expected each name once"
    return f"{where}: not valid TOML: {plain}"


def show(value: Any) -> str:
    """Return `value` as an error quotes it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
