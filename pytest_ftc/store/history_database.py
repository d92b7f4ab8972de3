"""The database of the history: if it does not match its seal, it is quarantined and a new one is started."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

from pytest_ftc.model import BuildRecord
from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.store.history_seal import End, Seal, SealError, SealKeeper
from pytest_ftc.store.layout import Layout

NAMES = tuple(field.name for field in fields(BuildRecord))
COLUMNS = ", ".join(NAMES)
_ROWS = f"select number, {COLUMNS}, code from builds order by number"
_SCHEMA = f"""
create table if not exists builds (number integer primary key, {COLUMNS}, code);
create index if not exists by_action on builds (action, digest);
create index if not exists by_artifact on builds (artifact, started);
create table if not exists inputs (project, artifact, text, primary key (project, artifact));
"""
_PATIENCE = 20.0
"""Seconds to wait for other writers."""
_AGAIN = 0.01
"""Seconds until SQLite is asked again for what it does not wait for."""


class HistoryDatabase:
    """The database of the store at `layout`; without a `key` it is neither checked nor modified."""

    def __init__(self, layout: Layout, key: bytes | None) -> None:
        self._layout = layout
        self._keeper = SealKeeper(layout.history_seal, key or b"")
        self._is_checked = key is not None
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.seal = Seal.new()
        self.lost = ""
        """Why an earlier database was not trusted; empty if it was."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection to one thread at a time.  Raises StoreUnavailableError."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                if self._connection:
                    self._connection.close()
                    self._connection = None
                if is_damage(error):
                    self._begin_anew()
                raise StoreUnavailableError(f"the history {self._layout.history} cannot be used: {error}") from error

    @contextlib.contextmanager
    def growing(self) -> Iterator[Seal]:
        """Hold the lock for adding and removing rows.

        Raises OSError if that is impossible, for example because another session has started a new database.
        """
        if not self._is_checked:
            raise OSError("it is open read-only")
        with locked(self._lock_file):
            try:
                seal = self._keeper.read()
            except SealError as error:
                raise OSError(f"its seal {error}") from error
            if seal is None or seal.generation != self.seal.generation:
                raise OSError("another session has started a new one")
            self.seal = seal
            yield seal

    def find_end(self, connection: sqlite3.Connection) -> End:
        """Return the last row."""
        row = connection.execute("select number, code from builds order by number desc limit 1").fetchone()
        return End(*row) if row else End(self.seal.last, self.seal.tip)

    def follow(self, end: End, row: Sequence[object]) -> End:
        """Return the end of the chain after appending `row` to `end`."""
        return self._keeper.follow(self.seal, end, row)

    def write_seal(self, seal: Seal) -> None:
        """Replace the seal.  Raises OSError."""
        self._keeper.write(seal)
        self.seal = seal

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    @property
    def _lock_file(self) -> str:
        return f"{self._layout.history}.lock"

    def _connect(self) -> sqlite3.Connection:
        if not self._is_checked:
            return _connect(self._layout.history)
        os.stat(self._layout.root)  # fails if the folder is missing; creating the lock would create it
        with locked(self._lock_file):
            try:
                return self._connect_checked()
            except (SealError, sqlite3.Error) as error:
                if isinstance(error, sqlite3.Error) and not is_damage(error):
                    raise
                self._put_aside(error)
            try:
                return self._connect_checked()
            except SealError as error:
                raise OSError(str(error)) from error

    def _connect_checked(self) -> sqlite3.Connection:
        """Open the database and check every row against the seal; create the seal if there never was one."""
        # Read the seal first: another session may add rows from now on, and more rows than sealed are accepted.
        seal = self._keeper.read()
        connection = _connect(self._layout.history)
        try:
            if seal:
                self._keeper.check_chain(connection.execute(_ROWS), seal)
                self.seal = seal
            else:
                self._adopt(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _adopt(self, connection: sqlite3.Connection) -> None:
        """Add codes to the rows of an earlier version.  Raises SealError if this version has written any."""
        if connection.execute("select 1 from builds where code is not null limit 1").fetchone():
            raise SealError("has lost its seal")
        seal, end = Seal.new(), End(0, "")
        with connection:
            connection.execute("begin immediate")
            for number, *row in connection.execute(f"select number, {COLUMNS} from builds order by number").fetchall():
                end = self._keeper.follow(seal, End(number - 1, end.code), row)
                connection.execute("update builds set code = ? where number = ?", (end.code, end.number))
        self.write_seal(replace(seal.reaching(end), adopted=end.number))

    def _begin_anew(self) -> None:
        """Quarantine the damaged database, unless another session has just done so."""
        if not self._is_checked:
            return
        with locked(self._lock_file):
            try:
                self._connect_checked().close()
            except (SealError, sqlite3.DatabaseError) as error:
                self._put_aside(error)

    def _put_aside(self, error: Exception) -> None:
        self.lost = str(error) if isinstance(error, SealError) else "was damaged"
        mark = f"{time.time():.0f}-{os.getpid()}"
        history = self._layout.history
        for file in (history, Path(f"{history}-wal"), Path(f"{history}-shm"), self._layout.history_seal):
            with contextlib.suppress(FileNotFoundError):
                file.rename(self._layout.quarantine / f"{file.name}-{mark}")


def _connect(file: Path) -> sqlite3.Connection:
    connection = connect(file, _SCHEMA)
    try:
        if not any(row[1] == "code" for row in connection.execute("pragma table_info(builds)")):
            connection.execute("alter table builds add column code")
    except BaseException:
        connection.close()
        raise
    return connection


def connect(file: Path, schema: str) -> sqlite3.Connection:
    """Open the database `file`, accessible only to this user, and make the tables of `schema` that it lacks."""
    connection = sqlite3.connect(file, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)
    try:
        os.chmod(file, 0o600)
        _write_ahead(connection)
        # In WAL mode, a power failure then loses at most the last transactions and never corrupts the database.
        connection.execute("pragma synchronous = normal")
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log: SQLite does not wait for another connection that does so too, and is asked again."""
    end = time.monotonic() + _PATIENCE
    while not _switch(connection, may_fail=time.monotonic() < end):
        time.sleep(_AGAIN)


def _switch(connection: sqlite3.Connection, *, may_fail: bool) -> bool:
    try:
        connection.execute("pragma journal_mode = wal")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) and may_fail:
            return False
        raise
    return True


def storable(value: object) -> object:
    """Return `value` in a form that SQLite can store: file names need not be valid Unicode."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def is_damage(error: BaseException) -> bool:
    """Return whether `error` says that a database is damaged, not that it cannot be used now."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
