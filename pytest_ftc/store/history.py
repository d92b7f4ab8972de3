"""The history: every build of every verification, so that agreement can accumulate."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from pytest_ftc.model import Agreement, BuildRecord
from pytest_ftc.model.artifact import is_declared, name_of
from pytest_ftc.store.crash_points import crash_point
from pytest_ftc.store.history_database import COLUMNS, NAMES, HistoryDatabase, storable
from pytest_ftc.store.layout import Layout

MOST = 50_000
"""Most builds in a history; older ones are removed."""
_INSERT = f"insert into builds (number, {COLUMNS}, code) values ({', '.join('?' * (len(NAMES) + 2))})"

_LAST_OF_ACTION = "select number from builds where action = ? order by number desc limit ?"
_LAST_OF_ARTIFACT = "select number from builds where project = ? and artifact = ? order by number desc limit ?"
_OUTCOMES = (
    "select max(number) from builds where action = ? and digest != '' group by digest order by max(number) desc limit 2"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A position in a history: builds recorded later have greater numbers."""

    generation: str
    """Identifies the history; a new generation begins when a history is lost."""
    number: int


class History:
    """The builds in the store's database (SQLite, in WAL mode so that readers do not wait for writers).

    Rows are authenticated with `key`, which is required to add any, and none can be removed unnoticed.  A damaged
    database is quarantined and a new one started; cached verdicts that depend on the old one are then not reused.  A
    database of an earlier version, without codes, is accepted once.  All methods raise StoreUnavailableError.
    """

    def __init__(self, layout: Layout, key: bytes | None = None) -> None:
        self.layout = layout
        self._database = HistoryDatabase(layout, key)

    @property
    def lost(self) -> str:
        """Why an earlier history was not trusted; empty if it was."""
        return self._database.lost

    def add(self, builds: Sequence[BuildRecord]) -> Mark:
        """Record `builds`, all of them or none, and return the position of the last one."""
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
        """Return the number of the row at `mark`; None if it belongs to another history, or was removed."""
        with self._database.opened() as connection:
            found = connection.execute("select 1 from builds where number = ?", (mark.number,)).fetchone()
            return mark.number if found and mark.generation == self._database.seal.generation else None

    def find_control(self, action: str, digest: str, started: float) -> int | None:
        """Return the number of a control build recorded by a version without codes."""
        query = (
            "select max(number) from builds where action = ? and digest = ? and started = ? and role = 'control'"
            " and number <= ?"
        )
        with self._database.opened() as connection:
            row = connection.execute(query, (action, digest, started, self._database.seal.adopted)).fetchone()
        return None if row[0] is None else int(row[0])

    def find_before(self, moment: float) -> int:
        """Return the number of the last build that started before `moment`, by the clock; 0 if there is none."""
        with self._database.opened() as connection:
            row = connection.execute("select max(number) from builds where started <= ?", (moment,)).fetchone()
        return int(row[0] or 0)

    def agreement(self, action: str, digest: str) -> Agreement:
        """Return how many builds of `action` had outputs with this manifest `digest`."""
        query = "select count(*), count(distinct machine), count(distinct cast(started / 86400 as integer)) from builds"
        with self._database.opened() as connection:
            row = connection.execute(f"{query} where action = ? and digest = ?", (action, digest)).fetchone()
        return Agreement(builds=row[0], machines=row[1], days=row[2])

    def contradicts(self, action: str, digest: str, since: int) -> bool:
        """Return whether a build of `action` recorded after `since` had outputs with another `digest`."""
        query = "select 1 from builds where action = ? and digest not in ('', ?) and number > ? limit 1"
        with self._database.opened() as connection:
            return connection.execute(query, (action, digest, since)).fetchone() is not None

    def of_artifact(self, artifact: str, project: str, most: int = 1000) -> list[BuildRecord]:
        """Return the builds of `artifact`, an ID or a name, in `project`, newest first."""
        asked = str(storable(artifact))
        ids = [one for one in self.artifacts(project) if asked in (one, name_of(one)) or _is_end(asked, one)]
        rows: list[tuple[Any, ...]] = []
        with self._database.opened() as connection:
            for one in ids:
                rows += connection.execute(
                    f"select {COLUMNS}, number from builds where project = ? and artifact = ?"
                    " order by started desc, number desc limit ?",
                    (storable(project), one, most),
                ).fetchall()
        builds = [(BuildRecord(**dict(zip(NAMES, row, strict=False))), row[-1]) for row in rows]
        return [build for build, _ in sorted(builds, key=lambda one: (one[0].started, one[1]), reverse=True)[:most]]

    def artifacts(self, project: str) -> list[str]:
        """Return the IDs of all artifacts of `project` that were ever built."""
        with self._database.opened() as connection:
            query = "select distinct artifact from builds where project = ?"
            rows = connection.execute(query, (storable(project),)).fetchall()
        return sorted(row[0] for row in rows)

    def last_seconds(self, project: str) -> dict[str, float]:
        """Return the duration of the last control build of each artifact of `project`."""
        with self._database.opened() as connection:
            rows = connection.execute(
                "select artifact, seconds, max(started) from builds where project = ? and role = 'control'"
                " group by artifact",
                (storable(project),),
            ).fetchall()
        return {row[0]: row[1] for row in rows}

    def session_seconds(self, project: str, most: int) -> dict[str, list[float]]:
        """Return what all builds of each artifact of `project` took in a session, in seconds, for the last `most`."""
        query = (
            "select artifact, sum(seconds) from builds where project = ?"
            " group by artifact, session order by artifact, max(number)"
        )
        found: dict[str, list[float]] = {}
        with self._database.opened() as connection:
            for artifact, seconds in connection.execute(query, (storable(project),)):
                found.setdefault(artifact, []).append(seconds)
        return {artifact: times[-most:] for artifact, times in found.items()}

    def last_actions(self, project: str) -> dict[str, str]:
        """Return the action of the last build of each artifact of `project`."""
        query = "select artifact, action, max(number) from builds where project = ? group by artifact"
        with self._database.opened() as connection:
            return {row[0]: row[1] for row in connection.execute(query, (storable(project),))}

    def select(
        self, actions: Collection[str], artifacts: Collection[str], project: str, *, needed: Collection[int], most: int
    ) -> list[tuple[int, BuildRecord]]:
        """Return the last `most` builds of each of `actions` and of `artifacts` of `project`, by number, oldest first.

        Those with the numbers `needed` are among them, and for each action the last builds of two different outcomes:
        what contradicts a build in the history contradicts it in this part of it.
        """
        numbers = set(needed)
        with self._database.opened() as connection:
            for action in actions:
                numbers.update(
                    *connection.execute(_LAST_OF_ACTION, (action, most)), *connection.execute(_OUTCOMES, (action,))
                )
            for artifact in artifacts:
                asked = (storable(project), storable(artifact), most)
                numbers.update(*connection.execute(_LAST_OF_ARTIFACT, asked))
            rows = connection.execute(f"select number, {COLUMNS} from builds order by number")
            return [
                (row[0], BuildRecord(**dict(zip(NAMES, row[1:], strict=True)))) for row in rows if row[0] in numbers
            ]

    def note_inputs(self, project: str, artifact: str, text: str) -> None:
        """Record the inputs of an artifact's last build; they serve only to name what has changed."""
        row = (*map(storable, (project, artifact)), zlib.compress(text.encode("utf-8", "backslashreplace")))
        with self._database.opened() as connection:
            connection.execute("insert or replace into inputs values (?, ?, ?)", row)

    def inputs_of(self, project: str, artifact: str) -> str:
        """Return the inputs of an artifact's last build; empty if unknown."""
        asked = tuple(map(storable, (project, artifact)))
        with self._database.opened() as connection:
            query = "select text from inputs where project = ? and artifact = ?"
            row = connection.execute(query, asked).fetchone()
        return zlib.decompress(row[0]).decode() if row else ""

    def count(self) -> int:
        """Return the number of recorded builds."""
        with self._database.opened() as connection:
            return int(connection.execute("select count(*) from builds").fetchone()[0])

    def check(self) -> list[str]:
        """Return the problems of the database; empty if there are none."""
        with self._database.opened() as connection:
            rows = connection.execute("pragma quick_check").fetchall()
        return [str(row[0]) for row in rows if row[0] != "ok"]

    def forget(self, before: float, most: int = MOST) -> int:
        """Remove the oldest builds: those that started `before`, in seconds since 1970, and all but the last `most`.

        The last build is always kept.  Returns the number of removed builds.
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
            # If the process ends before the rows are removed, the next session still accepts the old first row.
            self._database.write_seal(replace(chain, bases=(chain.bases[-1], str(removed[1]))))
            with connection:
                return connection.execute("delete from builds where number < ?", (first,)).rowcount

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _row(record: BuildRecord) -> tuple[object, ...]:
    return tuple(map(storable, astuple(record)))


def _is_end(asked: str, id_: str) -> bool:
    """Return whether `asked` is the end of the id of a test, such as the name of the test."""
    return not is_declared(id_) and id_.endswith(f"::{asked}")
