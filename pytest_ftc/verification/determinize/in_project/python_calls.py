"""Calls in Python scripts that read the clock or list folders, in a form that does not depend on either."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pytest_ftc.model import Cause

_NOW = 'int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))'
_CLOCKS = {
    "time.time": _NOW,
    "time.gmtime": f"time.gmtime({_NOW})",
    "time.localtime": f"time.gmtime({_NOW})",
    "time.ctime": f"time.asctime(time.gmtime({_NOW}))",
    "time.asctime": f"time.asctime(time.gmtime({_NOW}))",
    "datetime.datetime.now": f"datetime.datetime(*time.gmtime({_NOW})[:6])",
    "datetime.datetime.utcnow": f"datetime.datetime(*time.gmtime({_NOW})[:6])",
    "datetime.datetime.today": f"datetime.datetime(*time.gmtime({_NOW})[:6])",
    "datetime.date.today": f"datetime.date(*time.gmtime({_NOW})[:3])",
    "datetime.now": f"datetime(*time.gmtime({_NOW})[:6])",
    "datetime.utcnow": f"datetime(*time.gmtime({_NOW})[:6])",
    "datetime.today": f"datetime(*time.gmtime({_NOW})[:6])",
    "date.today": f"date(*time.gmtime({_NOW})[:3])",
}
"""Calls without arguments, by name, with what takes their place."""
_FORMATS = "time.strftime"
_LISTS = frozenset({"os.listdir", "glob.glob"})
_LIST_METHODS = frozenset({"glob", "iterdir", "rglob"})
_MODULES = frozenset({"os", "time"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and what takes its place."""

    start: int
    """Where it is in the text, in characters."""
    end: int
    text: str
    needs: bool = False
    """Whether the modules os and time must be imported."""


def find_calls(text: str, causes: Collection[str]) -> list[Call]:
    """Return the calls in the script `text` that bring these `causes` in; none if it cannot be parsed."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    if not text.isascii():
        return []  # ast counts bytes.
    calls = list[Call]()
    if not {Cause.TIME, Cause.TIMEZONE}.isdisjoint(causes) and _may_import(tree):
        calls += _clock_calls(tree, text, starts)
    if Cause.FILEORDERING in causes:
        calls += _list_calls(tree, text, starts)
    # Python before 3.12 does not tell where each call in a formatted string is.
    return sorted((call for call in calls if _is_call(text[call.start : call.end])), key=lambda one: one.start)


def replace_calls(text: str, calls: Collection[Call]) -> str:
    """Return the script `text` with `calls` replaced, and the modules imported that they need.

    It stays as it is where that is no Python, as with both quotes around a call in a formatted string.
    """
    for quote in ('"', "'"):
        changed = text
        for call in sorted(calls, key=lambda one: -one.start):
            own = call.text.replace('"', quote) if call.needs else call.text
            changed = changed[: call.start] + own + changed[call.end :]
        if _parses(changed):
            return _import(changed) if any(call.needs for call in calls) else changed
    return text


def _is_call(text: str) -> bool:
    try:
        return isinstance(ast.parse(text, mode="eval").body, ast.Call)
    except (SyntaxError, ValueError):
        return False


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def _clock_calls(tree: ast.AST, text: str, starts: list[int]) -> Iterator[Call]:
    for node in _calls_of(tree):
        name = ast.unparse(node.func)
        span = _span(node, starts)
        if name in _CLOCKS and not node.args and not node.keywords:
            yield Call(*span, _CLOCKS[name], needs=True)
        elif name == _FORMATS and len(node.args) == 1 and not node.keywords:
            form = ast.get_source_segment(text, node.args[0])
            yield Call(*span, f"time.strftime({form}, time.gmtime({_NOW}))", needs=True)


def _list_calls(tree: ast.AST, text: str, starts: list[int]) -> Iterator[Call]:
    sorted_ = {
        id(node.args[0]) for node in _calls_of(tree) if ast.unparse(node.func) in ("sorted", "set", "len") and node.args
    }
    for node in _calls_of(tree):
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if id(node) not in sorted_ and (ast.unparse(node.func) in _LISTS or method in _LIST_METHODS):
            start, end = _span(node, starts)
            yield Call(start, end, f"sorted({text[start:end]})")


def _calls_of(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _span(node: ast.Call, starts: list[int]) -> tuple[int, int]:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset


def _may_import(tree: ast.AST) -> bool:
    """Return whether ``os`` and ``time`` are modules in the script, or nothing at all."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in _MODULES:
            return False
        if isinstance(node, ast.arg) and node.arg in _MODULES:
            return False
        if isinstance(node, ast.ImportFrom) and any((one.asname or one.name) in _MODULES for one in node.names):
            return False
        if isinstance(node, ast.Import) and any(one.asname in _MODULES for one in node.names):
            return False
    return True


def _import(text: str) -> str:
    tree = ast.parse(text)
    has = {one.name for node in tree.body if isinstance(node, ast.Import) for one in node.names if not one.asname}
    lines = "".join(f"import {name}\n" for name in sorted(_MODULES - has))
    if not lines:
        return text
    first = next((node for node in tree.body if not _stays_first(node)), None)
    at = first.lineno - 1 if first else 0
    parts = text.splitlines(keepends=True)
    gap = "" if first is None or isinstance(first, (ast.Import, ast.ImportFrom)) else "\n"
    return "".join([*parts[:at], lines, gap, *parts[at:]])


def _stays_first(node: ast.stmt) -> bool:
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
