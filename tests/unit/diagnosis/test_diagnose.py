"""From differences to findings, without and with builds."""

from pytest_ftc.diagnosis.case import Investigation
from pytest_ftc.diagnosis.diagnose import diagnose
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Place, Role, Strength, Suspicion

VARIED = frozenset({"time", "umask", "home", "pid", "kernel", "user_group"})
KEYS = [Key("app", "", name, Field.CONTENT) for name in ("a", "b")]
PLACES = {key: Place(field=Field.CONTENT, location=key.location, control=b"1", experiment=b"2") for key in KEYS}


def build(name):
    return BuildResult(id=name, role=Role.EXPERIMENT, environment={}, status=BuildStatus.OK)


class Builder:
    """Stands for builds: the places differ wherever the time is varied."""

    left = 6

    def varying(self, groups, *, trace=False):
        self.left -= len(groups)
        return [build(",".join(sorted(group))) for group in groups]

    def at_the_time_of(self, control, lead):
        self.left -= 1
        return build("")

    def with_changes(self, changes):
        self.left -= 2
        return [build("time"), build("time")]


def run(suspicions, rebuilder=None):
    def look(control, other):
        return PLACES if "time" in other.id else {}

    def suspect(place, control, other):
        return suspicions.get(place.location, [])

    given = Investigation(
        control=build(""), everything=VARIED, look=look, suspect=suspect, rebuilder=rebuilder, tree="/t"
    )
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
