"""Reads ``[tool.ftc.remote]``: the farm, how to reach it, and what it is used for."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ftc.builds.inputs.secret_sources import SecretSource
from pytest_ftc.config.file import show
from pytest_ftc.config.headers import GRPC_NAME, is_local, read_headers
from pytest_ftc.config.location import Place
from pytest_ftc.config.table import find_table, read_flag, read_text
from pytest_ftc.model import Replica

REMOTE = "remote"
"""The name of the table."""
_KEYS = (
    "endpoint",
    "instance",
    "tls",
    "headers",
    "store",
    "properties",
    "replicas",
    "queue",
    "max_in_flight",
    "max_cpu_seconds",
)
_TLS = ("ca", "cert", "key")
_ENDPOINT = re.compile(r"(?P<scheme>grpcs?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
_EXPECTED = "expected grpc://HOST:PORT, or grpcs://HOST:PORT for TLS"
_QUEUE = 600.0
_LONGEST_QUEUE = 86400
_IN_FLIGHT = 100
_MOST_IN_FLIGHT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """A server that speaks the Remote Execution API v2, and its use."""

    target: str
    """``HOST:PORT``."""
    secure: bool = False
    """Whether the connection is encrypted by TLS."""
    instance: str = ""
    """The server's name for one of its farms."""
    ca: Path | None = None
    """Certificates of the authorities to trust, in PEM; None for those of the system."""
    cert: Path | None = None
    """This client's certificate chain, in PEM; None for no mutual TLS."""
    key: Path | None = None
    """The private key of `cert`."""
    headers: Mapping[str, SecretSource] = field(default_factory=dict)
    """Sent with each call."""
    store: bool = False
    """Whether verdicts and outputs are kept there, for all machines that have the key of the store."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """The platform properties that workers must have."""
    replicas: Mapping[Replica, Mapping[str, str]] = field(default_factory=dict)
    """Those that the workers of controls and of experiments must have besides; empty to let both have any."""
    queue: float = _QUEUE
    """How many seconds a build may wait for a worker."""
    max_in_flight: int = _IN_FLIGHT
    """How many builds of this session the farm may have at the same time."""
    max_cpu_seconds: float | None = None
    """How many CPU seconds all builds of this session together may use on workers; None for no limit."""


def read_remote(place: Place, tables: Mapping[str, Any], root: Path) -> RemoteSettings | None:
    """Return what `tables`, those of the session, say about a farm; None if they have no such table.

    Raises ConfigurationError.
    """
    table, below = find_table(place, tables, REMOTE, _KEYS), place.below(REMOTE)
    if table is None:
        return None
    match = _read_endpoint(below, table)
    secure = match["scheme"] == "grpcs"
    headers = read_headers(below, table, GRPC_NAME, protocol="gRPC")
    if headers and not secure and not is_local(match["host"]):
        below.fail("headers", "expected grpcs:// in endpoint: without TLS, others could read the values of headers")
    return RemoteSettings(
        target=f"{match['host']}:{match['port']}",
        secure=secure,
        instance=read_text(below, table, "instance"),
        headers=headers,
        store=read_flag(below, table, "store"),
        properties=_read_properties(below, table),
        replicas=_read_replicas(below, table),
        queue=_read_queue(below, table),
        max_in_flight=_read_in_flight(below, table),
        max_cpu_seconds=_read_cpu_seconds(below, table),
        **_read_tls(below, table, root, secure=secure),
    )


def _read_endpoint(place: Place, table: Mapping[str, Any]) -> re.Match[str]:
    if "endpoint" not in table:
        place.fail("", f"key 'endpoint' is missing; {_EXPECTED}", about="")
    endpoint = read_text(place, table, "endpoint")
    match = _ENDPOINT.fullmatch(endpoint)
    if not match or not 0 < int(match["port"]) < 1 << 16:
        place.fail("endpoint", f"{_EXPECTED}, found {show(endpoint)}")
    return match


def _read_tls(place: Place, table: Mapping[str, Any], root: Path, *, secure: bool) -> dict[str, Path]:
    files, below = find_table(place, table, "tls", _TLS), place.below("tls")
    if files is None:
        return {}
    if not secure:
        place.fail("tls", "expected grpcs:// in endpoint beside it")
    if ("cert" in files) != ("key" in files):
        missing = "key" if "cert" in files else "cert"
        below.fail("cert" if missing == "key" else "key", f"expected {missing} beside it")
    found = {}
    for name in files:
        text = read_text(below, files, name)
        found[name] = (root / Path(text).expanduser()).absolute()
        if not found[name].is_file():
            below.fail(name, f"expected a file in PEM, found {show(text)}, which is none")
    return found


def _read_properties(place: Place, table: Mapping[str, Any], key: str = "properties") -> dict[str, str]:
    properties, below = table.get(key, {}), place.below(key)
    if not isinstance(properties, dict):
        place.fail(key, f'expected a table such as {{OSFamily = "linux"}}, found {show(properties)}')
    return {name: read_text(below, properties, name) for name in properties}


def _read_replicas(place: Place, table: Mapping[str, Any]) -> dict[Replica, dict[str, str]]:
    names = [replica.value for replica in Replica]
    kinds, below = find_table(place, table, "replicas", names), place.below("replicas")
    if kinds is None:
        return {}
    found = {replica: _read_properties(below, kinds, replica.value) for replica in Replica}
    for name in names:
        if not kinds.get(name):
            below.fail(name, 'expected the platform properties of its workers, such as {pool = "a"}')
    if found[Replica.CONTROL] == found[Replica.EXPERIMENT]:
        below.fail(names[1], f"expected other properties than those of {names[0]}, found the same")
    return found


def _read_queue(place: Place, table: Mapping[str, Any]) -> float:
    seconds = table.get("queue", _QUEUE)
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds <= _LONGEST_QUEUE:
        place.fail("queue", f"expected a number of seconds up to {_LONGEST_QUEUE}, found {show(seconds)}")
    return float(seconds)


def _read_in_flight(place: Place, table: Mapping[str, Any]) -> int:
    most = table.get("max_in_flight", _IN_FLIGHT)
    if type(most) is not int or not 0 < most <= _MOST_IN_FLIGHT:
        place.fail("max_in_flight", f"expected a number of builds from 1 to {_MOST_IN_FLIGHT}, found {show(most)}")
    return most


def _read_cpu_seconds(place: Place, table: Mapping[str, Any]) -> float | None:
    seconds = table.get("max_cpu_seconds")
    if seconds is not None and (type(seconds) not in (int, float) or not 0 < seconds < math.inf):
        place.fail("max_cpu_seconds", f"expected a number of seconds above 0, found {show(seconds)}")
    return None if seconds is None else float(seconds)
