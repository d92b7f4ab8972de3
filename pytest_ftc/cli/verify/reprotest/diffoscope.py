"""Arguments for diffoscope(1) that reprotest's command line passes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_ftc.model.errors import ConfigurationError

_METADATA = "--exclude-directory-metadata"
_REPORTS = ("--html", "--html-dir", "--text", "--json", "--markdown", "--restructured-text")


def read_diffoscope_arguments(arguments: Iterable[str]) -> Mapping[str, str]:
    """Return the keys of an artifact that the `arguments` become.  Raises ConfigurationError."""
    keys: dict[str, str] = {}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name == _METADATA and value in ("yes", "no", "recursive"):
            keys["metadata"] = "strict" if value == "no" else "content"
            continue
        advice = (
            "--ftc-report=DIR writes a page and files with the diffs"
            if name in _REPORTS
            else "ftc diff compares two files as you like"
        )
        raise ConfigurationError(f"--diffoscope-arg={argument}: it has no counterpart; nearest: {advice}")
    return keys
