"""Files that a session writes for options of pytest and of known plugins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_FILES = (
    "xmlpath",
    "htmlpath",
    "report_log",
    "json_report_file",
    "log_file",
    "resultlog",
    "basetemp",
    "md_report_output",
)
"""Destinations of options that name a file: ``--junitxml``, ``--html``, ``--report-log``, ..."""
_COVERAGE = {"annotate": "", "html": "htmlcov", "xml": "coverage.xml", "json": "coverage.json", "lcov": "coverage.lcov"}
"""Default destinations of the kinds of ``--cov-report``."""


def find_written(config: pytest.Config) -> tuple[Path, ...]:
    """Return the files and folders that this session writes, existing or not; names may be globs."""
    named = [getattr(config.option, name, None) for name in _FILES]
    names = [name for name in named if name and isinstance(name, (str, os.PathLike))]
    written = [_place(config, name) for name in (*names, *_coverage(config))]
    if config.pluginmanager.hasplugin("cacheprovider"):
        written.append(config.rootpath / str(config.getini("cache_dir")))
    return tuple(written)


def _place(config: pytest.Config, name: str | os.PathLike[str]) -> Path:
    return config.invocation_params.dir / os.path.expandvars(Path(name).expanduser())


def _coverage(config: pytest.Config) -> Iterator[str]:
    """Yield the data files and reports that pytest-cov writes."""
    if not getattr(config.option, "cov_source", None):
        return
    data = os.environ.get("COVERAGE_FILE") or ".coverage"
    yield from (data, f"{data}.*")
    reports = getattr(config.option, "cov_report", None)
    for kind, place in reports.items() if isinstance(reports, dict) else ():
        if name := place or _COVERAGE.get(kind):
            yield str(name)
