"""Reads ``[tool.ftc.metrics]``: where sessions and commands leave what they measure."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_ftc.builds.inputs.secret_sources import SecretSource
from pytest_ftc.config.file import show
from pytest_ftc.config.headers import HEADERS, is_local, read_headers
from pytest_ftc.config.location import Place, quoted
from pytest_ftc.config.table import find_table, read_text

METRICS = "metrics"
"""The name of the table."""
_KEYS = ("project", "textfile", "pushgateway", "job", "grouping", HEADERS, "ca")
_OF_PUSHGATEWAY = ("job", "grouping", HEADERS, "ca")
_LABEL = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
TAKEN = (
    "artifact",
    "cached",
    "cause",
    "currency",
    "direction",
    "job",
    "le",
    "operation",
    "outcome",
    "phase",
    "project",
    "reason",
    "role",
    "service",
    "tier",
    "verdict",
    "version",
)
"""Labels that metrics have themselves: the Pushgateway would overwrite them with those of the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushgateway:
    """A Pushgateway, and the group there that belongs to this project."""

    url: str
    """Without a slash at its end."""
    job: str = "ftc"
    grouping: Mapping[str, str] = field(default_factory=lambda: {"instance": platform.node()})
    """Labels of the group besides job and project."""
    headers: Mapping[str, SecretSource] = field(default_factory=dict)
    """Sent with each request."""
    ca: Path | None = None
    """Certificates of the authorities to trust, in PEM; None for those of the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where metrics go."""

    project: str
    """The label ``project``."""
    textfile: Path | None = None
    """A file for the textfile collector of node_exporter."""
    pushgateway: Pushgateway | None = None

    @property
    def written(self) -> tuple[Path, ...]:
        """The files that a session writes, which are no sources; one is a glob, of those with a name for a moment."""
        return (self.textfile, self.textfile.with_name(f".{self.textfile.name}.*")) if self.textfile else ()


def read_metrics(place: Place, tables: Mapping[str, Any], root: Path) -> MetricsSettings | None:
    """Return where the metrics of a session with `tables` go; None if they have no such table.

    Raises ConfigurationError.
    """
    table, below = find_table(place, tables, METRICS, _KEYS), place.below(METRICS)
    if table is None:
        return None
    if not table.keys() & {"textfile", "pushgateway"}:
        below.fail("", "expected textfile, pushgateway or both, found neither", about="")
    return MetricsSettings(
        project=read_text(below, table, "project") or root.absolute().name,
        textfile=_read_textfile(below, table, root),
        pushgateway=_read_pushgateway(below, table, root),
    )


def _read_textfile(place: Place, table: Mapping[str, Any], root: Path) -> Path | None:
    text = read_text(place, table, "textfile")
    if not text:
        return None
    if not text.endswith(".prom"):
        place.fail("textfile", f"expected a file *.prom, others are not read by node_exporter, found {show(text)}")
    return (root / Path(text).expanduser()).absolute()


def _read_pushgateway(place: Place, table: Mapping[str, Any], root: Path) -> Pushgateway | None:
    if "pushgateway" not in table:
        for key in _OF_PUSHGATEWAY:
            if key in table:
                place.fail(key, "expected pushgateway beside it")
        return None
    url = _read_url(place, table)
    parts, headers = urlsplit(url), read_headers(place, table)
    if headers and parts.scheme != "https" and not is_local(_host_of(parts.netloc)):
        place.fail(HEADERS, "expected https:// in pushgateway: without TLS, others could read the values of headers")
    given: dict[str, Any] = {"grouping": _read_grouping(place, table)} if "grouping" in table else {}
    if "job" in table:
        given["job"] = read_text(place, table, "job")
    return Pushgateway(url=url, headers=headers, ca=_read_ca(place, table, root, url), **given)


def _read_url(place: Place, table: Mapping[str, Any]) -> str:
    text = read_text(place, table, "pushgateway")
    expected = "expected a URL such as https://push.example.org:9091"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        place.fail("pushgateway", f"{expected}, found {show(text)}")
    if parts.username is not None or parts.password is not None:
        place.fail("pushgateway", "expected a URL without a password, which belongs into headers")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or parts.query or parts.fragment:
        place.fail("pushgateway", f"{expected}, found {show(text)}")
    return text.rstrip("/")


def _host_of(netloc: str) -> str:
    """Return the host of `netloc`, an address of IPv6 with its brackets."""
    return re.sub(r":[0-9]*$", "", netloc)


def _read_grouping(place: Place, table: Mapping[str, Any]) -> dict[str, str]:
    labels, below = table["grouping"], place.below("grouping")
    if not isinstance(labels, dict):
        place.fail("grouping", f'expected a table such as {{instance = "ci"}}, found {show(labels)}')
    for name in labels:
        if not _LABEL.fullmatch(name):
            below.fail(quoted(name), "expected the name of a label: letters, digits and '_'", about=f"{name!r}:")
        if name in TAKEN:
            below.fail(name, "expected another label: metrics have this one themselves")
    return {name: read_text(below, labels, name) for name in labels}


def _read_ca(place: Place, table: Mapping[str, Any], root: Path, url: str) -> Path | None:
    text = read_text(place, table, "ca")
    if not text:
        return None
    if not url.startswith("https:"):
        place.fail("ca", "expected https:// in pushgateway beside it")
    file = (root / Path(text).expanduser()).absolute()
    if not file.is_file():
        place.fail("ca", f"expected a file in PEM, found {show(text)}, which is none")
    return file
