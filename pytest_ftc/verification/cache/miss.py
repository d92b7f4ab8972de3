"""Cache misses: naming what has changed since an artifact was last built."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ftc.verification.cache.context import CacheQuery

_MOST_FILES = 5000
"""Most source files to record by name."""
_MOST_NAMED = 3
_INPUTS = {
    "command": "its command changed",
    "outputs": "its declared outputs changed",
    "repository": "the commit, a tag or the index changed",
    "epoch": "SOURCE_DATE_EPOCH changed",
    "reference": "the published files changed",
    "variables": "its variables changed",
    "environment": "the environment of builds changed",
    "platform": "the platform changed",
    "version": "pytest-ftc changed",
}
"""Phrases for the parts of an action, except sources and tools, which are named."""


def describe_query(query: CacheQuery, surroundings: Mapping[str, Any] | None = None) -> str:
    """Return a description of `query`, so that the next session can name what has changed.

    `surroundings` are what `pytest_ftc.verification.cache.drift` compares.
    """
    files = query.state.files
    known = {"inputs": query.inquiry.inputs, "tools": query.tools, "files": files if len(files) <= _MOST_FILES else {}}
    return json.dumps({**known, **(surroundings or {})}, separators=(",", ":"))


def explain_query(before: str, query: CacheQuery) -> str:
    """Return what has changed since `describe_query` returned `before`; empty if unknown."""
    try:
        then, now = json.loads(before), json.loads(describe_query(query))
        return name_some([*_files(then, now), *_tools(then, now), *_others(then, now)])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def name_changes(changes: Sequence[str]) -> str:
    """Return a phrase which says that these paths, or other things, have changed."""
    return name_some([f"{change} changed" for change in changes])


def name_some(phrases: Sequence[str]) -> str:
    """Return the first of `phrases` and the number of further ones."""
    more = len(phrases) - _MOST_NAMED
    return ", ".join(phrases[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _files(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if then["inputs"]["source"] == now["inputs"]["source"]:
        return
    found = list(_compare(then["files"], now["files"])) if then["files"] and now["files"] else []
    yield from (f"{name} {what}" for name, what in found)
    if not found:
        yield "the sources changed"


def _tools(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for path, what in _compare(then["tools"], now["tools"]):
        yield f"{posixpath.basename(path) if what == 'changed' else path} {what}"


def _compare(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield name, "is new" if name not in then else "was removed" if name not in now else "changed"


def _others(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    yield from (text for part, text in _INPUTS.items() if then["inputs"].get(part) != now["inputs"].get(part))
