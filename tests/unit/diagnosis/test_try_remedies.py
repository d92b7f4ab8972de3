"""Which remedies count as proved."""

from dataclasses import dataclass, field, replace

from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.try_remedies import RemedyTarget, try_remedies
from pytest_ftc.model import BuildResult, BuildStatus, Field, Place, Role
from pytest_ftc.model.remedy import Changes

EPOCH = 1_600_000_000


def target(member, cause, *, location="tar member mtime", kind="tar", tools=("tar",)):
    key = Key("out.tar", member, location, Field.MTIME)
    place = Place(field=Field.MTIME, location=location, member=member, control=b"1", experiment=b"2", format=kind)
    return RemedyTarget(key=key, place=place, cause=cause, known=True, tools=tools)


@dataclass
class Builder:
    """Stands for builds: `equal` tells which places are the same in two builds with some changes."""

    equal: object
    tried: list = field(default_factory=list)
    left: int = 10
    breaks: object = lambda changes: False  # tells whether builds with some changes fail

    def with_changes(self, changes: Changes):
        self.tried.append(changes)
        self.left -= 2
        status = BuildStatus.FAILED if self.breaks(changes) else BuildStatus.OK
        return [BuildResult(id=str(number), role=Role.REMEDY, environment={}, status=status) for number in range(2)]

    def look(self, one, other):
        return {key: None for key in self.keys if not self.equal(key, self.tried[-1])}


def run(targets, equal):
    builder = Builder(equal)
    builder.keys = {one.key for one in targets}
    return try_remedies(targets, builder.look, builder, EPOCH), builder


def test_a_cure_that_failed_at_a_place_is_not_proved_there_by_another_one_that_heals_it():
    clock, zone = (
        target("a", cause, location="zip entry mtime", kind="zip", tools=("jar",)) for cause in ("time", "timezone")
    )
    remedies, _ = run([clock, zone], lambda key, changes: any("normalize" in command for command in changes.after))
    assert [remedies[one].proved for one in (clock, zone)] == [True, True]
    assert ["normalize" in remedies[one].after for one in (clock, zone)] == [True, True]


def test_a_few_of_many_places_alike_that_became_equal_were_so_by_chance():
    targets = [target(f"{number}.o", "time") for number in range(50)]
    remedies, _ = run(targets, lambda key, changes: key.member == "7.o" and "TAR_OPTIONS" in changes.settings)
    assert not any(remedy.proved for remedy in remedies.values())


def test_most_of_many_places_alike_are_enough():
    targets = [target(f"{number}.o", "time") for number in range(50)]
    remedies, builder = run(targets, lambda key, changes: key.member != "7.o" and "TAR_OPTIONS" in changes.settings)
    assert sum(remedy.proved for remedy in remedies.values()) == 49
    assert len(builder.tried) > 1


def test_what_was_tried_in_vain_is_told_with_the_advice_that_is_left():
    one = target("", "build_path", location="ELF section .debug_line_str", kind="elf", tools=("ld", "cc"))
    remedies, builder = run([one], lambda key, changes: False)
    assert (remedies[one].proved, remedies[one].tried) == (False, False)
    assert "takes no CFLAGS from the environment" in remedies[one].summary
    assert remedies[one].also_tried == ("have the compiler map the build path: -ffile-prefix-map",)
    assert not any("RUSTFLAGS" in changes.settings for changes in builder.tried)


def test_where_a_remedy_is_proved_nothing_was_in_vain():
    one = target("a", "time", location="zip entry mtime", kind="zip", tools=("jar",))
    remedies, builder = run([one], lambda key, changes: any("normalize" in command for command in changes.after))
    assert len(builder.tried) > 1
    assert (remedies[one].proved, remedies[one].also_tried) == (True, ())


def test_what_rewrites_an_output_is_not_taken_for_what_else_was_tried_for_it():
    owner, clock = target("a", "user_group", tools=("R",)), target("a", "source_mtime", tools=("R",))
    owner = replace(
        owner,
        key=owner.key._replace(location="tar member uid", field=Field.OWNER),
        place=replace(owner.place, field=Field.OWNER),
    )
    remedies, _ = run([owner, clock], lambda key, changes: any("normalize" in command for command in changes.after))
    assert ["normalize" in remedies[one].after for one in (owner, clock)] == [True, True]
    assert not any(remedy.settings for remedy in remedies.values())


def test_what_is_tried_for_an_output_anyway_is_tried_for_all_that_it_may_help_there():
    one, other = (target(member, "time", location="zip entry mtime", kind="zip", tools=("jar",)) for member in "ab")
    less_known = replace(other, known=False)
    builder = Builder(lambda key, changes: "SOURCE_DATE_EPOCH" in changes.settings, left=2)
    builder.keys = {one.key, other.key}
    remedies = try_remedies([one, less_known], builder.look, builder, EPOCH)
    assert [remedies[each].proved for each in (one, less_known)] == [True, True]


def test_a_build_that_another_remedy_breaks_does_not_refute_one_that_is_proved():
    stamp = target("a", "time", location="zip entry mtime", kind="zip", tools=("jar",))
    # After so many equal pairs it is just proved: a pair that differs would refute it.
    stamp = replace(stamp, luck=((0.9, 0.0), (0.1, 0.1)))
    other = replace(target("b", "umask", tools=("tar",)), luck=((1.0, 0.5),))
    builder = Builder(lambda key, changes: "SOURCE_DATE_EPOCH" in changes.settings and key.member == "a")
    builder.breaks = lambda changes: len(builder.tried) > 2
    builder.keys = {stamp.key, other.key}
    remedies = try_remedies([stamp, other], builder.look, builder, EPOCH)
    assert len(builder.tried) > 2
    assert remedies[stamp].proved


def test_a_pair_that_differs_later_refutes_a_remedy_that_luck_may_have_proved():
    stamp = target("a", "time", location="zip entry mtime", kind="zip", tools=("jar",))
    stamp = replace(stamp, luck=((0.9, 0.0), (0.1, 0.1)))
    other = replace(target("b", "umask", tools=("tar",)), luck=((1.0, 0.5),))
    builder = Builder(lambda key, changes: key.member == "a" and len(builder.tried) <= 2, left=8)
    builder.keys = {stamp.key, other.key}
    remedies = try_remedies([stamp, other], builder.look, builder, EPOCH)
    assert len(builder.tried) > 2
    assert not remedies[stamp].proved
