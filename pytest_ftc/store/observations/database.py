"""The database of observations: if it is damaged, it is quarantined and a new one is started."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.objectives.observed import SessionObserved, VerificationObserved
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.store.history_database import connect, is_damage, storable
from pytest_ftc.store.layout import Layout

MOST = 200_000
"""Most verifications that are kept; older ones are removed."""
_VERIFICATIONS = tuple(field.name for field in fields(VerificationObserved))
_SESSIONS = tuple(field.name for field in fields(SessionObserved))
_MEASURED = (
    "project",
    "ended",
    "verdict",
    "cached",
    "mismatch",
    "seconds",
    "build_seconds",
    "cpu_seconds",
    "bytes",
    "deployable",
)
"""Of verifications.  An index has all of it, so that measuring reads no rows: with the texts, they are long."""


def _list(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


_SCHEMA = f"""
create table if not exists verified ({_list((*_VERIFICATIONS, "deployable"))});
create index if not exists verified_in_time on verified ({_list(_MEASURED)});
create index if not exists verified_commits on verified (project, artifact, "commit") where deployable is not null;
create table if not exists sessions ({_list(_SESSIONS)});
create index if not exists sessions_in_time on sessions (project, ended);
"""
_DEPLOYABLE = """
case when :verdict = 'reproducible' and :committed is not null and not exists (
    select 1 from verified
    where project = :project and artifact = :artifact and "commit" = :commit and deployable is not null
) then max(0.0, :ended - :committed) end
"""
"""The time from a commit to the first reproducible verdict on its artifact; null for all others."""


class Observations:
    """The observations in the store at `layout`; they decide nothing, so they have no authentication codes."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def add(self, session: SessionObserved, verifications: Sequence[VerificationObserved]) -> None:
        """Record a session and its verifications, all of it or nothing.  Raises StoreUnavailableError."""
        try:
            self._add(session, verifications)
        except StoreUnavailableError as error:
            if error.__cause__ is None or not _is_useless(error.__cause__):
                raise
            self._put_aside()
            self._add(session, verifications)

    def forget(self, before: float, most: int = MOST) -> None:
        """Remove what ended `before`, in seconds since 1970, and all but the last `most` verifications.

        Raises StoreUnavailableError.
        """
        if not self._layout.observations.exists():
            return
        with self.opened() as connection, connection:
            query = "select ended from verified order by ended desc limit 1 offset ?"
            row = connection.execute(query, (most,)).fetchone()
            connection.execute("delete from sessions where ended < ?", (before,))
            connection.execute(
                "delete from verified where ended < ? or ended <= ?", (before, row[0] if row else before)
            )

    @contextlib.contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection.  Raises StoreUnavailableError."""
        connection = None
        try:
            connection = connect(self._layout.observations, _SCHEMA)
            for columns, table in ((_VERIFICATIONS, "verified"), (_SESSIONS, "sessions")):
                # Qualified, since SQLite takes a quoted name that it does not know for a text.
                qualified = ", ".join(f'{table}."{name}"' for name in columns)
                connection.execute(f"select {qualified} from {table} limit 0")
            yield connection
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailableError(
                f"the observations {self._layout.observations} cannot be used: {error}",
                advice="The next session starts new ones." if _is_useless(error) else "",
            ) from error
        finally:
            if connection:
                connection.close()

    def _add(self, session: SessionObserved, verifications: Sequence[VerificationObserved]) -> None:
        with self.opened() as connection, connection:
            connection.execute("begin immediate")
            connection.execute(f"insert into sessions ({_list(_SESSIONS)}) values ({_marks(_SESSIONS)})", _row(session))
            connection.executemany(
                f"insert into verified ({_list((*_VERIFICATIONS, 'deployable'))})"
                f" values ({_marks(_VERIFICATIONS)}, {_DEPLOYABLE})",
                map(_row, verifications),
            )

    def _put_aside(self) -> None:
        """Quarantine the damaged database, unless another session has just done so."""
        file = self._layout.observations
        with locked(f"{file}.lock"):
            try:
                with self.opened() as connection:
                    if connection.execute("pragma quick_check").fetchone() == ("ok",):
                        return
            except StoreUnavailableError:
                pass
            mark = f"{time.time():.0f}-{os.getpid()}"
            for part in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
                with contextlib.suppress(FileNotFoundError):
                    part.rename(self._layout.quarantine / f"{part.name}-{mark}")


def _is_useless(error: BaseException) -> bool:
    """Return whether the database is damaged, or another version with other columns has written it."""
    return is_damage(error) or (isinstance(error, sqlite3.OperationalError) and "column" in str(error))


def _marks(columns: Sequence[str]) -> str:
    return ", ".join(f":{name}" for name in columns)


def _row(observed: SessionObserved | VerificationObserved) -> dict[str, object]:
    return {field.name: storable(getattr(observed, field.name)) for field in fields(observed)}
