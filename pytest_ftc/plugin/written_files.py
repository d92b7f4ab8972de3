"""What pytest's own options and those of known plugins have a session write."""

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
"""Where options keep the name of a file: ``--junitxml``, ``--html``, ``--report-log``, ``--json-report-file`` ..."""
_COVERAGE = {"annotate": "", "html": "htmlcov", "xml": "coverage.xml", "json": "coverage.json", "lcov": "coverage.lcov"}
"""What ``--cov-report`` writes, and where unless it is told."""


def find_written(config: pytest.Config) -> tuple[Path, ...]:
    """Return the files and folders that this session writes, whether or not they are there; names may be globs."""
    named = [getattr(config.option, name, None) for name in _FILES]
    names = [name for name in named if name and isinstance(name, (str, os.PathLike))]
    written = [_place(config, name) for name in (*names, *_coverage(config))]
    if config.pluginmanager.hasplugin("cacheprovider"):
        written.append(config.rootpath / str(config.getini("cache_dir")))
    return tuple(written)


def _place(config: pytest.Config, name: str | os.PathLike[str]) -> Path:
    return config.invocation_params.dir / os.path.expandvars(Path(name).expanduser())


def _coverage(config: pytest.Config) -> Iterator[str]:
    """Yield what pytest-cov writes: its data and its reports."""
    if not getattr(config.option, "cov_source", None):
        return
    data = os.environ.get("COVERAGE_FILE") or ".coverage"
    yield from (data, f"{data}.*")
    reports = getattr(config.option, "cov_report", None)
    for kind, place in reports.items() if isinstance(reports, dict) else ():
        if name := place or _COVERAGE.get(kind):
            yield str(name)
