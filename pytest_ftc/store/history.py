"""The history: every build that took part in a verification, so that agreement can accumulate."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from pytest_ftc.model import Agreement, BuildRecord
from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.store.crash_points import crash_point
from pytest_ftc.store.layout import Layout

_PATIENCE = 20.0
"""Seconds to wait for other sessions that write."""


_COLUMNS = ", ".join(field.name for field in fields(BuildRecord))
_SCHEMA = f"""
create table if not exists builds (number integer primary key, {_COLUMNS});
create index if not exists by_action on builds (action, digest);
create index if not exists by_artifact on builds (artifact, started);
"""


class History:
    """The builds in the store's database (SQLite, in WAL mode so that readers do not wait for writers).

    A damaged database is quarantined and a new one started: the past is lost, and no verdict.
    All methods raise StoreUnavailableError.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.began_anew = False
        """Whether the database was damaged."""

    def add(self, builds: Sequence[BuildRecord]) -> None:
        """Note `builds`, all of them or none."""
        marks = ", ".join("?" * len(fields(BuildRecord)))
        with self._open() as connection, connection:
            connection.execute("begin immediate")
            crash_point("history.begun")
            connection.executemany(f"insert into builds ({_COLUMNS}) values ({marks})", map(_row, builds))
            crash_point("history.written")
        crash_point("history.committed")

    def agreement(self, action: str, digest: str) -> Agreement:
        """Return on how many builds it rests that `action` leaves outputs whose manifest has this `digest`."""
        query = "select count(*), count(distinct machine), count(distinct cast(started / 86400 as integer)) from builds"
        with self._open() as connection:
            row = connection.execute(f"{query} where action = ? and digest = ?", (action, digest)).fetchone()
        return Agreement(builds=row[0], machines=row[1], days=row[2])

    def contradicts(self, action: str, digest: str, since: float) -> bool:
        """Return whether a build of `action` that started after `since` left outputs of another `digest`."""
        query = "select 1 from builds where action = ? and digest not in ('', ?) and started > ? limit 1"
        with self._open() as connection:
            return connection.execute(query, (action, digest, since)).fetchone() is not None

    def of_artifact(self, artifact: str, project: str, most: int = 1000) -> list[BuildRecord]:
        """Return the builds of `artifact`, an id or a name, in `project`, the newest first."""
        with self._open() as connection:
            rows = connection.execute(
                f"select {_COLUMNS} from builds where project = ? and (artifact = ? or artifact like ? escape '\\')"
                " order by started desc, number desc limit ?",
                tuple(map(_storable, (project, artifact, f"%::{_escape(artifact)}", most))),
            ).fetchall()
        return [BuildRecord(**dict(zip(_names(), row, strict=True))) for row in rows]

    def artifacts(self, project: str) -> list[str]:
        """Return the ids of the artifacts of `project` that were ever built."""
        with self._open() as connection:
            query = "select distinct artifact from builds where project = ?"
            rows = connection.execute(query, (_storable(project),)).fetchall()
        return sorted(row[0] for row in rows)

    def last_seconds(self, project: str) -> dict[str, float]:
        """Return how long the last control build of each artifact of `project` took."""
        with self._open() as connection:
            rows = connection.execute(
                "select artifact, seconds, max(started) from builds where project = ? and role = 'control'"
                " group by artifact",
                (_storable(project),),
            ).fetchall()
        return {row[0]: row[1] for row in rows}

    def count(self) -> int:
        """Return how many builds are noted."""
        with self._open() as connection:
            return int(connection.execute("select count(*) from builds").fetchone()[0])

    def check(self) -> list[str]:
        """Return what is wrong with the database; nothing if all is well."""
        with self._open() as connection:
            rows = connection.execute("pragma quick_check").fetchall()
        return [str(row[0]) for row in rows if row[0] != "ok"]

    def forget(self, before: float) -> int:
        """Remove the builds that started `before`, seconds since 1970; return how many."""
        with self._open() as connection, connection:
            return connection.execute("delete from builds where started < ?", (before,)).rowcount

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                if self._connection:
                    self._connection.close()
                    self._connection = None
                if _is_damage(error):
                    self._begin_anew()
                raise StoreUnavailableError(f"the history {self.layout.history} cannot be used: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        try:
            return _connect(self.layout.history)
        except sqlite3.Error as error:
            if not _is_damage(error):
                raise
            self._begin_anew()
            return _connect(self.layout.history)

    def _begin_anew(self) -> None:
        """Quarantine the damaged database, unless another session has just done so."""
        file = self.layout.history
        with locked(f"{file}.lock"):
            try:
                connection = _connect(file)
                with contextlib.closing(connection):
                    damaged = connection.execute("pragma quick_check").fetchone()[0] != "ok"
            except sqlite3.Error as error:
                damaged = _is_damage(error)
            if damaged:
                self.began_anew = True
                mark = f"{time.time():.0f}-{os.getpid()}"
                for suffix in ("", "-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.rename(f"{file}{suffix}", self.layout.quarantine / f"{file.name}-{mark}{suffix}")


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)
    try:
        os.chmod(file, 0o600)
        connection.execute("pragma journal_mode = wal")
        # In WAL mode this loses at most the last transactions in a power cut, and never the database.
        connection.execute("pragma synchronous = normal")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_damage(error: BaseException) -> bool:
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


def _names() -> list[str]:
    return [field.name for field in fields(BuildRecord)]


def _row(record: BuildRecord) -> tuple[object, ...]:
    return tuple(map(_storable, astuple(record)))


def _storable(value: object) -> object:
    """Return `value` as the database can hold it: names of files need not be valid Unicode."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
