"""SQLite databases (https://sqlite.org/fileformat.html), read as https://sqlite.org/security.html recommends."""

from __future__ import annotations

import ast
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header
from pytest_ftc.comparison.members.formats.text.rows import find_moved_rows
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import Span, SpanFile, span_of, spool
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_LARGEST = 256 << 20
_LONGEST_VALUE = 16 << 20
_LONGEST_ROW = 256 << 10
"""Bytes of a row that is read again, to tell its columns apart."""
_MOST_PAIRED = 5000
"""Most rows of a table that are paired by what tells them apart."""
_STEPS = 10_000
"""Instructions of SQLite's virtual machine between checks of the deadline."""
# Offset, size and name of fields (file format, section 1.3).
_HEADER = {
    16: (2, "page size"),
    24: (4, "file change counter"),
    36: (4, "free pages"),
    40: (4, "schema cookie"),
    56: (4, "text encoding"),
    60: (4, "user version"),
    68: (4, "application id"),
    96: (4, "version of the library that wrote it"),
}
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)


def is_sqlite(span: Span, name: str) -> bool:
    return span.read(0, 16) == b"SQLite format 3\0"


def read_sqlite(span: Span, budget: Budget) -> Contents:
    """Return header fields, schema and the rows of all tables.

    Raises sqlite3.Error, LimitReachedError, OutOfTimeError, OSError.
    """
    if span.size > _LARGEST:
        raise LimitReachedError(f"larger than {_LARGEST} bytes")
    with _open(span, budget) as database:
        schema = database.execute("SELECT type, name, sql FROM sqlite_master").fetchmany(budget.limits.members)
        members = [_schema_member(schema)]
        for kind, name, sql in schema:
            # Reading a virtual table runs code of a module, and a view evaluates arbitrary expressions.
            if kind == "table" and not str(sql).upper().startswith("CREATE VIRTUAL"):
                members.append(_read_table(database, str(name), budget))
    return Contents(
        format=FileFormat.SQLITE,
        noun="sqlite table",
        attributes=tuple(_read_header(span.read(0, 100))),
        members=tuple(members),
        recoded="sqlite page layout (the order of writes, or what was deleted)",
    )


def _read_table(database: sqlite3.Connection, name: str, budget: Budget) -> Member:
    columns = database.execute(f"PRAGMA table_xinfo({_quote(name)})").fetchall()
    # A generated column is an expression, and may use any amount of memory.
    stored = [(str(column[1]), str(column[2]).upper(), column[5]) for column in columns if column[6] == 0]
    keys = [column for column, kind, key in stored if key]
    numbers = [column for column, kind, key in stored if key and kind == "INTEGER"] if len(keys) == 1 else []
    names = [column for column, _, _ in stored]
    rows = spool(_dump(database, name, names, budget), budget)
    others = [column for column, _, _ in stored if column not in numbers]
    # Rows are numbered in the order in which they were inserted (https://sqlite.org/lang_createtable.html#rowid).
    unnumbered = spool(_dump(database, name, others, budget), budget) if numbers and others else None
    return Member(
        name=name,
        part=f"sqlite table {name}",
        content=partial(_same, rows),
        unnumbered=partial(_same, unnumbered) if unnumbered else None,
        separator=b"\n",
        item="row",
        inside=partial(_read_columns, names),
        pair=partial(_pair_rows, [names.index(column) for column in numbers], len(names)),
    )


def _pair_rows(
    numbers: Sequence[int], width: int, control: Sequence[bytes], experiment: Sequence[bytes], budget: Budget
) -> tuple[list[bytes], Found] | None:
    """Return the rows of `experiment` in the order of `control`, with the numbers that they have there."""
    if len(control) != len(experiment) or len(control) > _MOST_PAIRED:
        return None
    one, other = ([_read_row(row, width) for row in rows] for rows in (control, experiment))
    moved = find_moved_rows(one, other, budget, numbers)
    if moved is None:
        return None
    rows = []
    for own, number in zip(one, moved.order, strict=True):
        theirs = list(other[number])
        for column in numbers:
            theirs[column] = own[column]
        rows.append(f"{tuple(theirs)!r}\n".encode(errors="surrogateescape"))
    before, after = (b"".join(_text(row[moved.column]) + b"\n" for row in side) for side in (one, other))
    return rows, Found(Field.ORDER, "row order", before, after)


def _read_columns(names: Sequence[str], row: Found) -> list[Found]:
    """Return the values that differ in a row; nothing for several rows, or one that cannot be read."""
    one, other = (_read_row(value, len(names)) for value in (row.control, row.experiment))
    return [
        Found(Field.CONTENT, f"{row.location}, column {name}", _text(value), _text(its))
        for name, value, its in zip(names, one, other, strict=False)
        if _text(value) != _text(its)
    ]


def _read_row(text: bytes, count: int) -> tuple[Any, ...]:
    """Return the values of a row as `_dump` writes it; nothing if it is none of `count` values."""
    if len(text) > _LONGEST_ROW:
        return ()
    try:
        row = ast.literal_eval(text.decode(errors="surrogateescape"))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    return row if isinstance(row, tuple) and len(row) == count else ()


def _text(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode(errors="surrogateescape") if isinstance(value, str) else repr(value).encode()


def _same(span: Span) -> Span:
    return span


def _schema_member(schema: list[Any]) -> Member:
    text = "".join(f"{sql or name!r}\n" for _, name, sql in schema).encode(errors="surrogateescape")
    return Member(name="", part="sqlite schema", content=lambda: span_of(text), separator=b"\n", item="line")


def _read_header(data: bytes) -> Iterator[Attribute]:
    for offset, (size, name) in _HEADER.items():
        yield header(f"sqlite header {name}", int.from_bytes(data[offset : offset + size], "big"))
    # The value of the change counter when the library's version was written (section 1.3).
    yield Attribute(Field.HEADER, "sqlite header version-valid-for", data[92:96].hex().encode(), follows=True)


@contextmanager
def _open(span: Span, budget: Budget) -> Iterator[sqlite3.Connection]:
    """Open a copy: SQLite opens files only by path."""
    with tempfile.TemporaryDirectory(prefix="ftc-sqlite-") as folder:
        copy = Path(folder, "copy.db")
        budget.take_bytes(span.size)
        with open(copy, "wb") as file:
            shutil.copyfileobj(SpanFile(span, budget, most=_LARGEST), file, 1 << 17)
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            _harden(database, budget)
            yield database


def _harden(database: sqlite3.Connection, budget: Budget) -> None:
    """Permit nothing but reading tables, because the file may be hostile."""
    for setting in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "cache_size=-8192"):
        database.execute(f"PRAGMA {setting}")
    if sys.version_info >= (3, 11):
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    database.text_factory = lambda text: text.decode(errors="surrogateescape")
    database.set_progress_handler(lambda: time.monotonic() > budget.deadline, _STEPS)
    database.set_authorizer(_authorize)


def _authorize(action: int, first: str | None, *_: str | None) -> int:
    allowed = action in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and first == "table_xinfo")
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _dump(database: sqlite3.Connection, table: str, columns: Sequence[str], budget: Budget) -> Iterator[bytes]:
    stored = ", ".join(map(_quote, columns))
    for row in database.execute(f"SELECT {stored} FROM {_quote(table)}"):
        budget.check_time()
        yield f"{row!r}\n".encode(errors="surrogateescape")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
