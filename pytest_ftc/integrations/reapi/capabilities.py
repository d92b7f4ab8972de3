"""What a server says that it can do, checked against what we need."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.errors import RemoteError

_MOST_NAMES = 20
_GRPC_MESSAGE = 4 << 20
"""Bytes of the largest message that implementations of gRPC accept by default."""
_SLACK = 64 << 10
"""Bytes of a message of which a batch makes no use: its instance name, and what a proxy may add."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities of one instance of a server."""

    batch: int
    """Bytes that a request or answer with several contents may have in total."""
    zstd: bool
    """Whether streams may be compressed by Zstandard."""
    zstd_batches: bool
    """Whether contents in batches may be, too."""
    executes: bool
    """Whether it executes actions."""
    updates_cache: bool
    """Whether it says that clients may write action results."""
    absolute_links: bool
    """Whether input trees may have absolute symbolic links."""
    version: str
    """The highest version of the API that it speaks."""
    batch_limit: int
    """What the server says of `batch`; 0 if it knows no limit of its own."""
    digest_functions: tuple[str, ...]
    compressors: tuple[str, ...]
    """The names of what it offers, for streams or batches."""


async def read_capabilities(answer: Awaitable[Any]) -> Capabilities:
    """Return the capabilities in a ``ServerCapabilities``.  Raises RemoteError if the server is of no use to us."""
    found = await answer
    cache_part, execution = found.cache_capabilities, found.execution_capabilities
    high = (found.high_api_version.major, found.high_api_version.minor)
    if found.HasField("high_api_version") and not found.low_api_version.major <= 2 <= high[0]:
        raise RemoteError(f"the server speaks version {high[0]}.{high[1]} of the Remote Execution API; needed is 2")
    sha256 = api.DigestFunction.SHA256
    if sha256 not in cache_part.digest_functions:
        names = ", ".join(_functions_of(cache_part)) or "none"
        raise RemoteError(f"the server does not offer the digest function SHA256, only {names}")
    has_zstd = _zstd() is not None
    zstd = api.Compressor.ZSTD
    links = api.SymlinkAbsolutePathStrategy.DISALLOWED
    return Capabilities(
        batch=_batch_limit(cache_part.max_batch_total_size_bytes),
        zstd=has_zstd and zstd in cache_part.supported_compressors,
        zstd_batches=has_zstd and zstd in cache_part.supported_batch_update_compressors,
        executes=execution.exec_enabled and _digests_by_sha256(execution),
        updates_cache=cache_part.action_cache_update_capabilities.update_enabled,
        absolute_links=cache_part.symlink_absolute_path_strategy != links,
        version=f"{high[0]}.{high[1]}",
        batch_limit=max(0, cache_part.max_batch_total_size_bytes),
        digest_functions=_functions_of(cache_part),
        compressors=_compressors_of(cache_part),
    )


@cache
def _zstd() -> ModuleType | None:
    """Return the standard library's module (Python 3.14 and later) or its backport; None without either."""
    try:
        return importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    except ImportError:
        return None


def zstd() -> Any:
    """Return the module for Zstandard; call only where `Capabilities` says that it is of use."""
    return _zstd()


def _batch_limit(said: int) -> int:
    """Return the bytes that a batch may have; 0 means that the server knows no limit but that of gRPC."""
    most = min(said, _GRPC_MESSAGE) if said > 0 else _GRPC_MESSAGE
    return max(most - _SLACK, most // 2)


def _digests_by_sha256(execution: Any) -> bool:
    """Whether actions are digested by SHA-256; servers before version 2.3 name one function, or none."""
    functions = [*execution.digest_functions] or [execution.digest_function]
    return api.DigestFunction.SHA256 in functions or functions == [api.DigestFunction.UNKNOWN]


def _functions_of(cache_part: Any) -> tuple[str, ...]:
    return _names(api.DigestFunction, cache_part.digest_functions)


def _compressors_of(cache_part: Any) -> tuple[str, ...]:
    offered = {*cache_part.supported_compressors[:_MOST_NAMES]}
    offered |= {*cache_part.supported_batch_update_compressors[:_MOST_NAMES]}
    return _names(api.Compressor, sorted(offered - {api.Compressor.IDENTITY}))


def _names(kind: Any, numbers: Sequence[int]) -> tuple[str, ...]:
    """Return the names of the values of an enumeration in a message; of one that it lacks, the number."""
    names = kind.DESCRIPTOR.enum_types_by_name["Value"].values_by_number
    return tuple(names[number].name if number in names else str(number) for number in numbers[:_MOST_NAMES])
