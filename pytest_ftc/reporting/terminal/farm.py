"""Facts about a farm, in the output of ``ftc doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_ftc.model import FarmState
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.layout import row
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.text import Text

_MOST_ROWS = 2


def farm_rows(page: Page, farm: FarmState) -> Iterator[Text]:
    """Yield the rows for `farm`."""
    for label, text in _facts(farm):
        yield row(page, label, markup.show_lines(text), most_rows=_MOST_ROWS)


def _facts(farm: FarmState) -> Iterator[tuple[str, str]]:
    instance = f", instance {farm.instance}" if farm.instance else ""
    yield "farm", f"{farm.server}{instance}, Remote Execution API {farm.api_version}"
    yield "worker", ", ".join(farm.workers) or "the farm gives no names of workers"
    yield "properties", _properties(farm.properties) or "none asked for"
    for role, properties in farm.replicas.items():
        yield f" {role}", _properties(properties)
    limit = f"the server's limit is {_size(farm.batch_limit)}" if farm.batch_limit else "the server names no limit"
    yield "batches", f"of {_size(farm.batch_bytes)}; {limit}"
    yield "compression", _compression(farm)
    yield "digests", f"SHA256; the server offers {', '.join(farm.digest_functions)}"
    yield "storage", farm.storage_problem or "reachable: a content was stored and read back"
    if farm.action_cache_problem:
        yield "cache", f"store = true will not work: {farm.action_cache_problem}"
    else:
        writes = "may write to it" if farm.updates_cache else "may not write to it, as store = true would"
        yield "cache", f"reachable: the server says that clients {writes}"


def _properties(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in properties.items())


def _compression(farm: FarmState) -> str:
    offered = ", ".join(farm.compressors)
    if farm.compresses:
        return f"zstd; the server offers {offered}"
    if "ZSTD" in farm.compressors:
        return f"none, since this Python has no Zstandard (pip install 'pytest-ftc[zstd]'); the server offers {offered}"
    return f"none; the server offers {offered or 'none'}"


def _size(size: int) -> str:
    return f"{size / (1 << 20):.3g} MiB" if size >= 1 << 20 else f"{size / 1024:.3g} KiB"
