"""The history: every build that took part in a verification, so that agreement can accumulate."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from pytest_ftc.model import Agreement, BuildRecord
from pytest_ftc.store.crash_points import crash_point
from pytest_ftc.store.history_database import COLUMNS, NAMES, HistoryDatabase
from pytest_ftc.store.layout import Layout

MOST = 50_000
"""Builds that a history holds; what was before them is forgotten."""
_INSERT = f"insert into builds (number, {COLUMNS}, code) values ({', '.join('?' * (len(NAMES) + 2))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a history: what is recorded later has a greater number."""

    generation: str
    """Which history; another one begins where one is lost."""
    number: int


class History:
    """The builds in the store's database (SQLite, in WAL mode so that readers do not wait for writers).

    Rows are authenticated with `key`, and none can be removed unnoticed; only who has a `key` may add any.  A damaged
    database is quarantined and a new one started: the past is lost, and so are the answers that rest on it.  The rows
    of a database from before there were codes are taken as they are, once.  All methods raise StoreUnavailableError.
    """

    def __init__(self, layout: Layout, key: bytes | None = None) -> None:
        self.layout = layout
        self._database = HistoryDatabase(layout, key)

    @property
    def lost(self) -> str:
        """Why an earlier history was not trusted; empty where it was."""
        return self._database.lost

    def add(self, builds: Sequence[BuildRecord]) -> Mark:
        """Note `builds`, all of them or none, and return the place behind them."""
        with self._database.opened() as connection, self._database.growing() as chain:
            with connection:
                connection.execute("begin immediate")
                crash_point("history.begun")
                end = self._database.find_end(connection)
                for build in builds:
                    row = _row(build)
                    end = self._database.follow(end, row)
                    connection.execute(_INSERT, (end.number, *row, end.code))
                crash_point("history.written")
            crash_point("history.committed")
            self._database.write_seal(chain.reaching(end))
        return Mark(generation=chain.generation, number=end.number)

    def find(self, mark: Mark) -> int | None:
        """Return the number of the row at `mark`; None where this is not that history, or the row was forgotten."""
        with self._database.opened() as connection:
            found = connection.execute("select 1 from builds where number = ?", (mark.number,)).fetchone()
            return mark.number if found and mark.generation == self._database.seal.generation else None

    def find_control(self, action: str, digest: str, started: float) -> int | None:
        """Return the number of a control build that a history without codes has recorded."""
        query = (
            "select max(number) from builds where action = ? and digest = ? and started = ? and role = 'control'"
            " and number <= ?"
        )
        with self._database.opened() as connection:
            row = connection.execute(query, (action, digest, started, self._database.seal.adopted)).fetchone()
        return None if row[0] is None else int(row[0])

    def find_before(self, moment: float) -> int:
        """Return the number of the last row of a build that started before `moment`, by the clock; 0 for none."""
        with self._database.opened() as connection:
            row = connection.execute("select max(number) from builds where started <= ?", (moment,)).fetchone()
        return int(row[0] or 0)

    def agreement(self, action: str, digest: str) -> Agreement:
        """Return on how many builds it rests that `action` leaves outputs whose manifest has this `digest`."""
        query = "select count(*), count(distinct machine), count(distinct cast(started / 86400 as integer)) from builds"
        with self._database.opened() as connection:
            row = connection.execute(f"{query} where action = ? and digest = ?", (action, digest)).fetchone()
        return Agreement(builds=row[0], machines=row[1], days=row[2])

    def contradicts(self, action: str, digest: str, since: int) -> bool:
        """Return whether a build of `action` recorded after the number `since` left outputs of another `digest`."""
        query = "select 1 from builds where action = ? and digest not in ('', ?) and number > ? limit 1"
        with self._database.opened() as connection:
            return connection.execute(query, (action, digest, since)).fetchone() is not None

    def of_artifact(self, artifact: str, project: str, most: int = 1000) -> list[BuildRecord]:
        """Return the builds of `artifact`, an id or a name, in `project`, the newest first."""
        with self._database.opened() as connection:
            rows = connection.execute(
                f"select {COLUMNS} from builds where project = ? and (artifact = ? or artifact like ? escape '\\')"
                " order by started desc, number desc limit ?",
                tuple(map(_storable, (project, artifact, f"%::{_escape(artifact)}", most))),
            ).fetchall()
        return [BuildRecord(**dict(zip(NAMES, row, strict=True))) for row in rows]

    def artifacts(self, project: str) -> list[str]:
        """Return the ids of the artifacts of `project` that were ever built."""
        with self._database.opened() as connection:
            query = "select distinct artifact from builds where project = ?"
            rows = connection.execute(query, (_storable(project),)).fetchall()
        return sorted(row[0] for row in rows)

    def last_seconds(self, project: str) -> dict[str, float]:
        """Return how long the last control build of each artifact of `project` took."""
        with self._database.opened() as connection:
            rows = connection.execute(
                "select artifact, seconds, max(started) from builds where project = ? and role = 'control'"
                " group by artifact",
                (_storable(project),),
            ).fetchall()
        return {row[0]: row[1] for row in rows}

    def note_inputs(self, project: str, artifact: str, text: str) -> None:
        """Keep what an artifact was last built from, to name what changes; nothing else rests on it."""
        row = (*map(_storable, (project, artifact)), zlib.compress(text.encode("utf-8", "backslashreplace")))
        with self._database.opened() as connection:
            connection.execute("insert or replace into inputs values (?, ?, ?)", row)

    def inputs_of(self, project: str, artifact: str) -> str:
        """Return what an artifact was last built from; empty where that is not known."""
        asked = tuple(map(_storable, (project, artifact)))
        with self._database.opened() as connection:
            query = "select text from inputs where project = ? and artifact = ?"
            row = connection.execute(query, asked).fetchone()
        return zlib.decompress(row[0]).decode() if row else ""

    def count(self) -> int:
        """Return how many builds are noted."""
        with self._database.opened() as connection:
            return int(connection.execute("select count(*) from builds").fetchone()[0])

    def check(self) -> list[str]:
        """Return what is wrong with the database; nothing if all is well."""
        with self._database.opened() as connection:
            rows = connection.execute("pragma quick_check").fetchall()
        return [str(row[0]) for row in rows if row[0] != "ok"]

    def forget(self, before: float, most: int = MOST) -> int:
        """Remove the builds at the beginning that started `before`, seconds since 1970, and all but the last `most`.

        The last one stays.  Returns how many are gone.
        """
        with self._database.opened() as connection, self._database.growing() as chain:
            last = connection.execute("select max(number) from builds").fetchone()[0]
            if last is None:
                return 0
            query = "select min(number) from builds where started >= ?"
            young = connection.execute(query, (before,)).fetchone()[0]
            first = max(last if young is None else young, last - most + 1)
            query = "select number, code from builds where number < ? order by number desc limit 1"
            removed = connection.execute(query, (first,)).fetchone()
            if removed is None:
                return 0
            # If this ends between the two, the next session finds the old beginning and accepts it.
            self._database.write_seal(replace(chain, bases=(chain.bases[-1], str(removed[1]))))
            with connection:
                return connection.execute("delete from builds where number < ?", (first,)).rowcount

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _row(record: BuildRecord) -> tuple[object, ...]:
    return tuple(map(_storable, astuple(record)))


def _storable(value: object) -> object:
    """Return `value` as the database can hold it: names of files need not be valid Unicode."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
