"""What the time hides is looked for while the clock stands still."""

import pytest

from pytest_ftc.diagnosis.case import Case, Investigation
from pytest_ftc.diagnosis.following.conclude import conclude_all
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.inherent.clock import check_clock
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Place, Role, Strength, Suspicion

NAMES = frozenset({"time", "timezone", "pid", "umask", "home", "locales", "user_group"})
NONE = frozenset()
DIGEST = Key("out", "", "line 1", Field.CONTENT)
CONTROL = BuildResult(id="control", role=Role.CONTROL, environment={}, status=BuildStatus.OK)


class Builds:
    """Builds of one digest that depends on the time and on `causes`; it notes what each varied."""

    is_late = False

    def __init__(self, *causes, left=60, steady=True):
        self.causes, self.left, self.steady = frozenset(causes), left, steady
        self.asked = []

    def with_a_stopped_clock(self, _, groups):
        self.left -= len(groups)
        first = len(self.asked)
        self.asked += [frozenset(group) for group in groups]
        return [
            BuildResult(id=str(first + number), role=Role.BISECT, environment={}, status=BuildStatus.OK)
            for number in range(len(groups))
        ]

    def look(self, one, other):
        values = [self._value(int(build.id)) for build in (one, other)]
        if values[0] == values[1]:
            return {}
        return {DIGEST: Place(field=Field.CONTENT, location="line 1", control=values[0], experiment=values[1])}

    def _value(self, number):
        value = " ".join(sorted(self.asked[number] & self.causes))
        return (value if self.steady else f"{value} {number}").encode()


def investigate(builds):
    return Investigation(
        control=CONTROL, everything=NAMES, look=builds.look, suspect=lambda *_: (), rebuilder=builds, tree="/t"
    )


def digest(*suspicions):
    seen = [Observation(NAMES, True), *[Observation(NONE, True, again=False)] * 2]
    return Case(Place(field=Field.CONTENT, location="line 1", control=b"1", experiment=b"2"), suspicions, seen)


def told(case, builds):
    cases = {DIGEST: case}
    check_clock(cases, investigate(builds), builds)
    return {cause: sure for _, _, (cause, sure) in conclude_all(cases, NAMES)}


@pytest.mark.parametrize("causes", [(), ("timezone",), ("pid", "umask"), ("home", "locales", "user_group")])
def test_causes_beside_the_time_in_a_digest_are_confirmed_and_no_others(causes):
    assert told(digest(), Builds(*causes)) == dict.fromkeys(("time", *causes), True)


def test_where_nothing_else_shows_one_build_tells():
    builds = Builds()
    told(digest(), builds)
    assert builds.asked.count(NAMES - {"time"}) == 1
    assert set(builds.asked) == {NONE, NAMES - {"time"}}


def test_nothing_is_hidden_by_chance():
    builds = Builds("timezone", steady=False)
    assert told(digest(), builds).keys() == {"random"}
    assert set(builds.asked) == {NONE}


def test_what_differs_by_chance_beside_a_time_is_due_to_no_variation():
    builds = Builds("timezone", steady=False)
    stamp = Suspicion(Cause.TIME, Strength.STRONG, "1700000001", "1800000002", "so")
    case = digest(stamp)
    case.beside = digest()
    assert told(case, builds).keys() == {"time", "random"}
    assert builds.asked.count(NONE) >= 2
    assert case.hidden is None


def test_what_is_beside_a_time_is_looked_into():
    builds = Builds("timezone")
    case = digest(Suspicion(Cause.TIME, Strength.STRONG, "1700000001", "1800000002", "so"))
    case.beside = Case(case.place, [], [Observation(NAMES, True), Observation(NONE, False)])
    assert told(case, builds) == {"time": True, "timezone": True}


def test_so_is_what_is_beside_both_a_time_and_its_zone():
    """As in 'GMT+1400 (Line Islands Time)'."""
    builds = Builds("locales")
    stamp = Suspicion(Cause.TIME, Strength.STRONG, "1700000001", "1800000002", "so")
    case = digest(Suspicion(Cause.TIMEZONE, Strength.STRONG, "GMT+0000", "GMT+1400", "so"), stamp)
    case.beside = Case(case.place, [], [Observation(NAMES, True), Observation(NONE, False)])
    assert told(case, builds)["locales"]


def test_two_builds_tell_that_nothing_is_beside_a_time():
    builds = Builds()
    case = digest(Suspicion(Cause.TIME, Strength.STRONG, "1700000001", "1800000002", "so"))
    case.beside = Case(case.place, [], [Observation(NAMES, True), Observation(NONE, False)])
    told(case, builds)
    assert len(builds.asked) == 2


def test_what_is_left_of_the_builds_goes_on_where_the_last_ones_ended():
    builds = Builds("timezone", left=9)
    case = digest()
    given = investigate(builds)
    check_clock({DIGEST: case}, given, builds)
    narrowed = len(builds.asked)
    builds.left = 20
    check_clock({DIGEST: case}, given, builds, reserve=0)
    assert len(builds.asked) > narrowed
    assert {name: sure for _, _, (name, sure) in conclude_all({DIGEST: case}, NAMES)}["timezone"]


def test_builds_are_left_for_remedies():
    builds = Builds("timezone", left=8)
    told(digest(), builds)
    assert builds.left >= 4


def test_a_time_that_explains_all_of_a_place_hides_nothing():
    builds = Builds("timezone")
    stamp = Suspicion(Cause.TIME, Strength.STRONG, "1700000001", "1800000002", "so")
    assert told(digest(stamp), builds).keys() == {"time"}
    assert not builds.asked
