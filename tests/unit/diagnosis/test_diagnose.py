"""From differences to findings, without and with builds."""

from dataclasses import replace

import pytest

from pytest_ftc.diagnosis.case import Case, Investigation
from pytest_ftc.diagnosis.confirm import confirm
from pytest_ftc.diagnosis.diagnose import diagnose
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Place, Program, Role, Strength, Suspicion, Trace

VARIED = frozenset({"time", "umask", "home", "pid", "kernel", "user_group"})
KEYS = [Key("app", "", name, Field.CONTENT) for name in ("a", "b")]
PLACES = {key: Place(field=Field.CONTENT, location=key.location, control=b"1", experiment=b"2") for key in KEYS}


def build(name):
    return BuildResult(id=name, role=Role.EXPERIMENT, environment={}, status=BuildStatus.OK)


class Builder:
    """Stands for builds: the places differ wherever the time is varied."""

    is_late = False

    def __init__(self, left=6):
        self.left = left

    def varying(self, groups, *, trace=False):
        self.left -= len(groups)
        return [build(",".join(sorted(group))) for group in groups]

    def at_the_time_of(self, control, lead):
        self.left -= 1
        return build("")

    def with_changes(self, changes):
        self.left -= 2
        return [build("time"), build("time")]


def investigate(suspicions, rebuilder, experiments):
    def look(control, other):
        if other.id == "elsewhere":
            return {Key("app", "", "c", Field.ORDER): PLACES[KEYS[0]]}
        return PLACES if "time" in other.id else {}

    def suspect(place, control, other):
        return suspicions.get(place.location, [])

    return Investigation(
        control=build(""),
        everything=VARIED,
        look=look,
        suspect=suspect,
        rebuilder=rebuilder,
        tree="/t",
        experiments=experiments,
    )


def run(suspicions, rebuilder=None, experiments=()):
    given = investigate(suspicions, rebuilder, experiments)
    return diagnose(build("time,umask"), given, epoch=0)


def says(cause):
    return [Suspicion(cause, Strength.STRONG, "1", "2", "it contains the value")]


def test_without_builds_nothing_is_confirmed_and_unknown_causes_come_last():
    findings = run({"b": says(Cause.TIME)})
    assert [(one.location, one.cause, one.confirmed) for one in findings] == [
        ("b", "time", False),
        ("a", "unknown", False),
    ]
    assert all(one.remedy is None for one in findings)


def test_causes_leave_the_diagnosis_as_plain_text():
    assert {type(one.cause) for one in run({"a": says(Cause.TIME)})} == {str}


def test_builds_confirm_what_the_values_point_to():
    builder = Builder()
    findings = run({"a": says(Cause.TIME), "b": says(Cause.TIME)}, builder)
    assert [(one.cause, one.confirmed) for one in findings] == [("time", True)] * 2
    assert all(one.remedy and not one.remedy.proved for one in findings)
    assert builder.left >= 0


def test_other_experiments_count_among_the_builds_that_a_finding_rests_on():
    both = {"a": says(Cause.TIME), "b": says(Cause.TIME)}
    alone, beside = (run(both, Builder(), others)[0] for others in ((), [build("time,pid")] * 2))
    assert (alone.cause, alone.confirmed) == (beside.cause, beside.confirmed) == ("time", True)
    assert beside.builds == alone.builds + 2


def test_other_experiments_that_agree_cast_doubt_on_a_cause_that_values_do_not_show():
    taken = []
    for others in ([], [build("umask")] * 4):
        finding = run({}, builder := Builder(left=40), others)[0]
        assert (finding.cause, finding.confirmed) == ("time", True)
        taken.append(builder.left)
    assert taken[1] < taken[0]


def test_what_differs_elsewhere_in_another_experiment_tells_nothing_of_a_place():
    given = investigate({}, Builder(), [build("elsewhere")])
    cases = {KEYS[0]: Case(PLACES[KEYS[0]], [], [Observation(VARIED, True)])}
    confirm(cases, given)
    assert cases[KEYS[0]].experiments == []
    given = investigate({}, Builder(), [build("")])
    confirm(cases, given)
    assert [one.shows for one in cases[KEYS[0]].experiments] == [False]


@pytest.mark.parametrize(("offset", "again"), [(4, True), (5, False)])
def test_bytes_that_begin_to_differ_elsewhere_are_another_value(offset, again):
    """Of a random number, the first byte may be equal by chance."""
    first, other = (Key("app", "", f"byte {at:#x}", Field.CONTENT) for at in (4, offset))
    place = replace(PLACES[KEYS[0]], location=first.location)
    look = lambda *_: {other: replace(place, location=other.location)}  # noqa: E731
    cases = {first: Case(place, [], [Observation(VARIED, True)])}
    confirm(cases, replace(investigate({}, Builder(left=1), [build("time")]), look=look))
    seen = [*cases[first].experiments, *cases[first].observations[1:]]
    assert [(one.shows, one.again) for one in seen] == [(True, again)] * 2


def test_an_experiment_that_failed_tells_nothing():
    failed = replace(build(""), status=BuildStatus.FAILED)
    alone, beside = (run({"a": says(Cause.TIME)}, Builder(), others)[0] for others in ([], [failed]))
    assert alone.builds == beside.builds


class HiddenBuilder(Builder):
    """Stands for builds of which one place differs with the home, and shows it, and the other with the umask."""

    def varying(self, groups, *, trace=False):
        assert len(groups) <= self.left
        return super().varying(groups, trace=trace)

    def with_changes(self, changes):
        self.left -= 2
        return [build(""), build("home,umask")]


def run_hidden(left):
    builder = HiddenBuilder(left)
    causes = {"a": "home", "b": "umask"}
    given = replace(
        investigate({"a": says(Cause.HOME)}, builder, ()),
        look=lambda control, other: {key: PLACES[key] for key in KEYS if causes[key.location] in other.id},
    )
    return builder, diagnose(build(",".join(sorted(VARIED))), given, epoch=0)


@pytest.mark.parametrize("left", [4, 5, 6, 7, 8])
def test_no_build_is_left_unspent_where_one_would_tell_more(left):
    builder, findings = run_hidden(left)
    found = {finding.location: finding for finding in findings}
    assert (found["a"].cause, found["a"].confirmed) == ("home", True)
    other = found["b"]
    assert (other.cause, other.confirmed) == ("umask", True) or builder.left == 0
    assert other.confirmed or "a larger --ftc-max-builds=N can" in other.why


def test_where_the_time_is_up_no_more_builds_are_asked_for(monkeypatch):
    monkeypatch.setattr(HiddenBuilder, "is_late", property(lambda self: self.left <= 0), raising=False)
    _, findings = run_hidden(4)
    other = next(finding for finding in findings if not finding.confirmed)
    assert "the time for builds was up" in other.why
    assert "--ftc-max-builds" not in other.why


def test_with_enough_builds_nothing_is_said_of_more():
    _, findings = run_hidden(20)
    assert {finding.cause: finding.confirmed for finding in findings} == {"home": True, "umask": True}
    assert not any("--ftc-max-builds" in finding.why for finding in findings)


def test_the_line_of_a_command_is_looked_for_once_and_not_for_each_finding(monkeypatch):
    program = Program(pid=1, argv=("zip", "app"), folder="/t", program="/usr/bin/zip", parent=-1, exit_code=0)
    empty = {"read": (), "contents": (), "moved": (), "connected": (), "gaps": ()}
    seen = Trace(programs=(program,), written=((0, "/t/app"),), **empty)

    class Traced(Builder):
        def varying(self, groups, *, trace=False):
            return [replace(one, trace=seen if trace else None) for one in super().varying(groups)]

    asked = []
    monkeypatch.setattr(
        "pytest_ftc.diagnosis.diagnose.find_line", lambda _, program, tree: asked.append(program) or "Makefile:3"
    )
    findings = run({"a": says(Cause.TIME), "b": says(Cause.TIME)}, Traced())
    assert [one.command_line for one in findings] == ["Makefile:3"] * 2
    assert asked == [program]
