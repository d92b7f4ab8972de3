"""Which remedies count as proved."""

from dataclasses import dataclass, field, replace

import pytest

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.trials.moved_strings import under_known_strings, under_other_numbers
from pytest_ftc.diagnosis.try_remedies import RemedyTarget, RemedyTrials
from pytest_ftc.model import BuildResult, BuildStatus, Cause, Field, Place, Role, Strength, Suspicion
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
    is_late: bool = False
    breaks: object = lambda changes: False  # tells whether builds with some changes fail
    place: object = None  # what differs in all places
    log: str = ""  # of builds that fail

    def with_changes(self, changes: Changes):
        self.tried.append(changes)
        self.left -= 2
        status = BuildStatus.FAILED if self.breaks(changes) else BuildStatus.OK
        said = {"reason": "exit status 1", "log_tail": self.log} if status is BuildStatus.FAILED else {}
        both = {"role": Role.REMEDY, "environment": {}, "status": status, **said}
        return [BuildResult(id=str(number), **both) for number in range(2)]

    def look(self, one, other):
        return {key: self.place for key in self.keys if not self.equal(key, self.tried[-1])}


def run(targets, equal, **more):
    builder = Builder(equal, **more)
    builder.keys = {one.key for one in targets}
    return RemedyTrials(builder.look, builder, EPOCH).run(targets), builder


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


def test_what_was_built_for_one_place_counts_for_another_one_whose_cause_is_known_later():
    first, later = target("a", "time"), target("b", "time")
    unsure = replace(later, cause="unknown", known=False)
    builder = Builder(lambda key, changes: "TAR_OPTIONS" in changes.settings)
    builder.keys = {first.key, later.key}
    trials = RemedyTrials(builder.look, builder, EPOCH)
    assert trials.run([first, unsure], eager=False)[first].proved
    builder.left = 0
    assert trials.run([later], beside=[first, later])[later].proved


def test_what_was_built_before_refutes_a_remedy_too():
    first, later = target("a", "time"), target("b", "time")
    builder = Builder(lambda key, changes: "TAR_OPTIONS" in changes.settings and key.member == "a")
    builder.keys = {first.key, later.key}
    trials = RemedyTrials(builder.look, builder, EPOCH)
    trials.run([first], eager=False, beside=[later])
    builder.left = 0
    remedy = trials.run([later], beside=[first, later])[later]
    assert not remedy.proved
    assert remedy.also_tried


def test_most_of_many_places_alike_are_enough():
    targets = [target(f"{number}.o", "time") for number in range(50)]
    remedies, builder = run(targets, lambda key, changes: key.member != "7.o" and "TAR_OPTIONS" in changes.settings)
    assert sum(remedy.proved for remedy in remedies.values()) == 49
    assert len(builder.tried) > 1


def path_in_debug_information():
    one = target("", "build_path", location="ELF section .debug_line_str", kind="elf", tools=("ld", "cc"))
    return replace(one, values=(b"/one", b"/other"))


def test_what_was_tried_in_vain_is_told_with_the_advice_that_is_left():
    one = path_in_debug_information()
    stays = replace(one.place, control=b"/one/a.c", experiment=b"/other/a.c")
    remedies, builder = run([one], lambda key, changes: False, place=stays)
    assert (remedies[one].proved, remedies[one].tried) == (False, False)
    assert "the path stayed when wrappers in PATH did so" in remedies[one].summary
    assert remedies[one].also_tried == ("have the compiler map the build path: -ffile-prefix-map",)
    assert not any("CARGO_BUILD_RUSTFLAGS" in changes.settings for changes in builder.tried)


def test_a_remedy_that_removes_the_path_but_not_the_random_name_beside_it_is_not_called_in_vain():
    one = path_in_debug_information()
    follows = replace(one, key=one.key._replace(location="ELF section .debug_info, byte 0x8"), values=None)
    gone = replace(one.place, control=b"./tmp-5a/a.c", experiment=b"./tmp-c3/a.c")
    remedies, _ = run([one, follows], lambda key, changes: False, place=gone)
    for each in (one, follows):
        assert "-ffile-prefix-map" in remedies[each].summary
        assert (remedies[each].proved, remedies[each].tried, remedies[each].also_tried) == (False, True, ())


def test_what_removes_the_path_is_not_called_in_vain_for_a_place_whose_cause_is_known_later():
    one = path_in_debug_information()
    follows = replace(one, key=one.key._replace(location="ELF section .debug_info, byte 0x8"), values=None)
    builder = Builder(
        lambda key, changes: False, place=replace(one.place, control=b"./tmp-5a/a.c", experiment=b"./tmp-c3/a.c")
    )
    builder.keys = {one.key, follows.key}
    trials = RemedyTrials(builder.look, builder, EPOCH)
    trials.run([one], eager=False, beside=[follows])
    remedy = trials.run([follows], beside=[one, follows])[follows]
    assert (remedy.proved, remedy.tried, remedy.also_tried) == (False, True, ())


def test_what_is_proved_for_the_path_is_not_called_in_vain_where_the_same_file_still_differs():
    one = path_in_debug_information()
    order = replace(one, key=one.key._replace(location="ELF section .rela.debug_info, byte 0x40"), values=None)
    order = replace(order, place=replace(order.place, note=FOLLOWS))
    remedies, _ = run([one, order], lambda key, changes: key == one.key, place=one.place)
    assert remedies[one].proved
    assert "-ffile-prefix-map" in remedies[order].summary
    assert (remedies[order].proved, remedies[order].tried, remedies[order].also_tried) == (False, True, ())


def test_a_remedy_that_gives_both_sides_the_zone_of_the_control_is_not_called_in_vain():
    one = target("", "timezone", location="line 1", kind="text", tools=("date",))
    one = replace(one, values=(b"UTC", b"+14"))
    still = replace(one.place, control=b"05:03:35 UTC 2026", experiment=b"02:16:37 UTC 2028")
    remedies, _ = run([one], lambda key, changes: False, place=still)
    assert (remedies[one].settings, remedies[one].tried, remedies[one].proved) == ({"TZ": "UTC"}, True, False)


def test_what_may_have_healed_its_part_of_a_place_with_more_causes_is_named_first():
    one = target("", "locales", location="line 1", kind="text", tools=("date",))
    clock = replace(one, cause="time")
    together, _ = run([one, clock], lambda key, changes: False, place=one.place)
    assert "LC_ALL" in together[one].settings
    assert not together[clock].settings
    assert (together[one].tried, together[one].proved) == (True, False)
    alone, _ = run([one], lambda key, changes: False, place=one.place)
    assert not alone[one].settings


def test_places_with_one_cause_are_healed_though_others_of_their_kind_have_more():
    zone = [target(name, "timezone", location="zip entry mtime", kind="zip", tools=("python3",)) for name in "abcdef"]
    clock = [replace(one, cause="time") for one in zone[1:]]
    remedies, _ = run([*zone, *clock], lambda key, changes: key == zone[0].key and "TZ" in changes.settings)
    assert remedies[zone[0]].proved
    assert remedies[zone[0]].settings == {"TZ": "UTC"}
    assert not any(remedies[one].proved for one in zone[1:])


def test_it_is_not_said_that_the_path_stayed_where_that_was_not_seen():
    one = replace(path_in_debug_information(), values=None)
    remedies, _ = run([one], lambda key, changes: False, place=one.place)
    assert remedies[one].summary == "pass -ffile-prefix-map=$PWD=. to the compiler"


def test_no_advice_to_set_what_was_set_in_vain():
    one = target("", "time", location="line 1", kind="text", tools=("php",))
    ignored, _ = run([one], lambda key, changes: False)
    assert ignored[one].also_tried == ("set the time of the sources: SOURCE_DATE_EPOCH",)
    assert "it takes no time from SOURCE_DATE_EPOCH" in ignored[one].summary
    untried, _ = run([one], lambda key, changes: False, left=1)
    assert "SOURCE_DATE_EPOCH" in untried[one].settings
    assert (untried[one].tried, untried[one].also_tried) == (False, ())


def test_what_healed_in_builds_too_few_for_a_proof_is_told_as_that():
    one = replace(target("", "time", location="line 1", kind="text", tools=("php",)), luck=((1.0, 0.1),))
    remedies, _ = run([one], lambda key, changes: True, left=2)
    assert (remedies[one].proved, remedies[one].tried, remedies[one].equal_pairs) == (False, False, 1)
    assert "SOURCE_DATE_EPOCH" in remedies[one].settings


def test_a_remedy_that_breaks_the_build_is_told_as_that_with_the_reason():
    one = target("", "time", location="line 1", kind="text", tools=("php",))
    log = "reading\nSOURCE_DATE_EPOCH and --date exclude each other\nmake: *** [Makefile:2: all] Error 1\n"
    breaking = {"breaks": lambda changes: "SOURCE_DATE_EPOCH" in changes.settings, "log": log}
    remedies, _ = run([one], lambda key, changes: False, **breaking)
    assert remedies[one].also_tried == ()
    (rejected,) = remedies[one].rejected
    summary, _, reason = rejected.partition(": it breaks the build: ")
    assert summary == "set the time of the sources: SOURCE_DATE_EPOCH"
    assert reason == "exit status 1: SOURCE_DATE_EPOCH and --date exclude each other"


def test_a_step_of_a_remedy_that_fails_itself_did_not_break_the_build():
    one = target("a", "time", location="gzip header MTIME", kind="gzip", tools=("python3",))
    log = "ftc: out.tar: git cannot determine the time of the last commit\nftc: this step of the remedy failed\n"
    breaking = {"breaks": lambda changes: changes.after, "log": log}
    remedies, _ = run([one], lambda key, changes: False, **breaking)
    (reason,) = remedies[one].rejected
    assert reason.endswith("it could not be tried: ftc: out.tar: git cannot determine the time of the last commit")


def test_what_breaks_the_build_is_found_among_several_and_the_others_are_still_proved():
    stamp = target("", "time", location="line 1", kind="text", tools=("date",))
    mode = target("", "umask", location="mode", kind="text", tools=("sh",))
    mode = replace(mode, key=mode.key._replace(output="script", field=Field.MODE))
    remedies, _ = run(
        [stamp, mode],
        lambda key, changes: key == mode.key and "umask 022" in str(changes.before),
        breaks=lambda changes: "SOURCE_DATE_EPOCH" in changes.settings,
        left=12,
    )
    assert (remedies[mode].summary, remedies[mode].proved) == ("begin the build with: umask 022", True)
    assert not remedies[stamp].proved
    assert "breaks the build" in remedies[stamp].rejected[0]


def page_and_gzip():
    page = target("", "time", location="line 1", kind="text", tools=("python3", "sh"))
    page = replace(page, key=page.key._replace(output="page.html", field=Field.CONTENT))
    packed = target("", "time", location="gzip header MTIME", kind="gzip", tools=("python3", "sh"))
    return page, packed


def test_of_remedies_proved_together_the_one_that_did_it_is_credited():
    page, packed = page_and_gzip()
    remedies, builder = run([page, packed], lambda key, changes: "SOURCE_DATE_EPOCH" in changes.settings)
    assert any("GZIP" in changes.settings for changes in builder.tried)
    for each in (page, packed):
        assert (remedies[each].proved, remedies[each].settings.keys()) == (True, {"SOURCE_DATE_EPOCH"})


def test_each_of_two_that_are_both_needed_keeps_its_place():
    page, packed = page_and_gzip()
    needs = {page.key: "SOURCE_DATE_EPOCH", packed.key: "GZIP"}
    remedies, builder = run([page, packed], lambda key, changes: needs[key] in changes.settings)
    for each in (page, packed):
        assert (remedies[each].proved, remedies[each].settings.keys()) == (True, {needs[each.key]})
    assert len(builder.tried) == 2


def test_two_that_a_place_needs_both_are_both_proved():
    zone, clock = (target("", cause, location="line 1", kind="text") for cause in ("timezone", "time"))
    remedies, _ = run([zone, clock], lambda key, changes: {"TZ", "SOURCE_DATE_EPOCH"} <= changes.settings.keys())
    assert {one.cause: set(remedies[one].settings) for one in (zone, clock)} == {
        "timezone": {"TZ"},
        "time": {"SOURCE_DATE_EPOCH"},
    }
    assert all(remedy.proved for remedy in remedies.values())


def test_what_helps_in_part_stays_while_others_are_tried_for_the_other_cause_of_the_place():
    zone = replace(target("", "timezone", location="line 1", kind="text", tools=("date",)), values=(b"UTC", b"+14"))
    file = replace(zone, cause="source_mtime", values=(b"05:03:35", b"19:16:37"))

    def is_healed(key, changes):
        return "TZ" in changes.settings and any("touch" in step for step in changes.before)

    differs = replace(zone.place, control=b"05:03:35 UTC", experiment=b"19:16:37 UTC")
    remedies, builder = run([file, zone], is_healed, place=differs)
    assert (remedies[zone].proved, dict(remedies[zone].settings)) == (True, {"TZ": "UTC"})
    assert (remedies[file].proved, "touch" in remedies[file].before) == (True, True)
    assert len(builder.tried) <= 5


def test_what_was_tried_one_after_the_other_for_a_place_is_tried_together_in_the_end():
    file = target("", "source_mtime", location="line 1", kind="text", tools=("go-bindata",))
    file = replace(file, values=(b"17000", b"18000"))
    mode = replace(file, cause="source_mode", values=None)

    def is_healed(key, changes):
        return all(any(word in step for step in changes.before) for word in ("touch", "chmod"))

    builder = Builder(is_healed)
    builder.keys = {file.key}
    before = replace(file.place, control=b"420 17000", experiment=b"384 18000")
    after = replace(file.place, control=b"420 1", experiment=b"384 1")

    def look(one, other):
        touched = any("touch" in step for step in builder.tried[-1].before)
        return {} if is_healed(file.key, builder.tried[-1]) else {file.key: after if touched else before}

    remedies = RemedyTrials(look, builder, EPOCH).run([file, mode])
    assert (remedies[file].proved, "touch" in remedies[file].before) == (True, True)
    assert (remedies[mode].proved, "chmod" in remedies[mode].before) == (True, True)
    assert len(builder.tried) <= 6


def test_where_builds_are_too_few_to_tell_them_apart_it_is_said():
    page, packed = page_and_gzip()
    remedies, _ = run([page, packed], lambda key, changes: "SOURCE_DATE_EPOCH" in changes.settings, left=3)
    assert remedies[packed].proved
    assert remedies[packed].together_with == ("set the time of the sources: SOURCE_DATE_EPOCH",)


@pytest.mark.parametrize("where", ["line 1", "line 1 time zone"])
def test_a_zone_whose_time_may_have_been_healed_for_it_is_not_proved(where):
    time = target("", "time", location="line 1", kind="text", tools=("cc",))
    zone = target("", "timezone", location=where, kind="text", tools=("cc",))

    def is_healed(key, changes):
        return "SOURCE_DATE_EPOCH" in changes.settings

    few, _ = run([time, zone], is_healed, left=2)
    assert (few[time].proved, few[zone].proved, few[zone].tried) == (True, False, False)
    enough, _ = run([time, zone], is_healed)
    assert (enough[time].proved, "TZ" in enough[zone].settings) == (True, False)


def test_another_form_of_a_setting_that_broke_something_is_not_suggested():
    one = target("a", "source_mtime")
    breaking = {"breaks": lambda changes: "TAR_OPTIONS" in changes.settings, "left": 4}
    remedies, _ = run([one], lambda key, changes: False, **breaking)
    assert "TAR_OPTIONS" not in remedies[one].settings
    assert any("TAR_OPTIONS: it breaks the build" in text for text in remedies[one].rejected)


class Emptied(Builder):
    """With TAR_OPTIONS, nothing is left of the archive."""

    def look(self, one, other):
        emptied = Key("out.tar", "", "byte 0x0", Field.CONTENT)
        place = Place(field=Field.CONTENT, location="byte 0x0", control=b"1", experiment=b"2", format="tar")
        return super().look(one, other) | ({emptied: place} if "TAR_OPTIONS" in self.tried[-1].settings else {})


@pytest.mark.parametrize("fails", [True, False])
def test_what_broke_something_is_not_suggested_for_other_places_of_the_output(fails):
    one = target("a", "source_mtime")
    modes = target("b", "source_mode", location="tar member mode")
    place = replace(modes.place, field=Field.MODE)
    modes = replace(modes, key=modes.key._replace(field=Field.MODE), place=place, known=False)
    builder = Emptied(lambda key, changes: "TAR_OPTIONS" in changes.settings, left=4)
    builder.breaks = lambda changes: fails and "TAR_OPTIONS" in changes.settings
    builder.keys = {one.key, modes.key}
    control = BuildResult(id="control", role=Role.CONTROL, environment={}, status=BuildStatus.OK)
    trials = RemedyTrials(builder.look, builder, EPOCH, control=control)
    found = dict(trials.run([one]))
    assert any("TAR_OPTIONS: it " in text for text in found[one].rejected)
    assert not builder.left
    assert "TAR_OPTIONS" not in trials.run([modes])[modes].settings


@pytest.mark.parametrize("name", ["server.key", "ca.pem", "tls.p12"])
def test_no_seed_is_advised_for_keys(name):
    one = target("", "random", location="line 2", kind="text", tools=("python",))
    keys = replace(one, key=one.key._replace(output=name))
    remedies, _ = run([keys], lambda key, changes: False)
    assert remedies[keys].summary.startswith("make keys, certificates and signatures outside the build")


def test_what_failed_elsewhere_in_the_same_builds_may_have_done_it():
    owner = target("", "umask", location="mode", kind="text", tools=("sh",))
    owner = replace(owner, key=owner.key._replace(output="script", field=Field.MODE))
    stamp = target("", "time", location="line 1", kind="text", tools=("date",))
    remedies, _ = run([owner, stamp], lambda key, changes: key == owner.key and "SOURCE_DATE_EPOCH" in changes.settings)
    assert not remedies[owner].proved
    assert not remedies[stamp].proved


def test_options_of_one_variable_for_several_places_are_set_together():
    mode, time = (target(name, cause) for name, cause in (("a", "source_mode"), ("b", "source_mtime")))
    mode = replace(mode, key=mode.key._replace(output="a.tar", field=Field.MODE))
    mode = replace(mode, place=replace(mode.place, field=Field.MODE))
    needs = {mode.key: "--mode=u+rw,go=rX", time.key: "--mtime="}
    remedies, _ = run([mode, time], lambda key, changes: needs[key] in changes.settings.get("TAR_OPTIONS", ""))
    assert all(remedy.proved for remedy in remedies.values())
    assert "--mtime" not in remedies[mode].settings["TAR_OPTIONS"]


def test_the_smallest_of_several_that_suffice_for_the_output_is_tried_first():
    mode = target("a", "source_mode", location="tar member mode")
    mode = replace(mode, key=mode.key._replace(field=Field.MODE), place=replace(mode.place, field=Field.MODE))
    time = target("a", "source_mtime")
    for targets, options in (([mode], "--mode=u+rw,go=rX"), ([mode, time], "--mtime=@1600000000")):
        remedies, _ = run(targets, lambda key, changes: "TAR_OPTIONS" in changes.settings)
        assert options in remedies[mode].settings["TAR_OPTIONS"]
        assert ("--sort=name" in remedies[mode].settings["TAR_OPTIONS"]) == (time in targets)


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
    remedies = RemedyTrials(builder.look, builder, EPOCH).run([one, less_known])
    assert [remedies[each].proved for each in (one, less_known)] == [True, True]


def test_a_build_that_another_remedy_breaks_does_not_refute_one_that_is_proved():
    stamp = target("a", "time", location="zip entry mtime", kind="zip", tools=("jar",))
    # After so many equal pairs it is just proved: a pair that differs would refute it.
    stamp = replace(stamp, luck=((0.9, 0.0), (0.1, 0.1)))
    other = replace(target("b", "umask", tools=("tar",)), luck=((1.0, 0.5),))
    builder = Builder(lambda key, changes: "SOURCE_DATE_EPOCH" in changes.settings and key.member == "a")
    builder.breaks = lambda changes: len(builder.tried) > 2
    builder.keys = {stamp.key, other.key}
    remedies = RemedyTrials(builder.look, builder, EPOCH).run([stamp, other])
    assert len(builder.tried) > 2
    assert remedies[stamp].proved


def test_a_pair_that_differs_later_refutes_a_remedy_that_luck_may_have_proved():
    stamp = target("a", "time", location="zip entry mtime", kind="zip", tools=("jar",))
    stamp = replace(stamp, luck=((0.9, 0.0), (0.1, 0.1)))
    other = replace(target("b", "umask", tools=("tar",)), luck=((1.0, 0.5),))
    builder = Builder(lambda key, changes: key.member == "a" and len(builder.tried) <= 2, left=8)
    builder.keys = {stamp.key, other.key}
    remedies = RemedyTrials(builder.look, builder, EPOCH).run([stamp, other])
    assert len(builder.tried) > 2
    assert not remedies[stamp].proved


def parts_of_one_place():
    return tuple(
        replace(target("a", cause, location="line 3", kind="text", tools=("date",)), alone=False)
        for cause in ("time", "timezone")
    )


def test_parts_of_a_place_are_healed_by_their_remedies_together():
    clock, zone = parts_of_one_place()
    remedies, _ = run([clock, zone], lambda key, changes: {"SOURCE_DATE_EPOCH", "TZ"} <= changes.settings.keys())
    assert [remedies[one].proved for one in (clock, zone)] == [True, True]
    assert [*remedies[clock].settings] == ["SOURCE_DATE_EPOCH"]
    assert [*remedies[zone].settings] == ["TZ"]


def test_where_another_part_may_still_differ_nothing_is_called_in_vain_and_nothing_else_tried():
    clock, zone = parts_of_one_place()
    remedies, builder = run([clock, zone], lambda key, changes: False)
    for one in (clock, zone):
        assert (remedies[one].proved, remedies[one].tried, remedies[one].also_tried) == (False, False, ())
    assert len(builder.tried) == 1


@pytest.mark.parametrize(("still", "advice"), [(True, "takes no time from"), (False, "set the time of the sources")])
@pytest.mark.parametrize("alone", [True, False])
def test_values_tell_whether_a_time_beside_something_else_is_gone(still, advice, alone):
    clock = replace(target("a", "time", location="line 3", kind="text", tools=("php",)), is_told=True, alone=alone)
    builder = Builder(lambda key, changes: False, place=clock.place)
    builder.keys = {clock.key}
    found = [Suspicion(Cause.TIME, Strength.STRONG, "1", "2", "")] if still else []
    trials = RemedyTrials(builder.look, builder, EPOCH, suspect=lambda *_: found)
    remedy = trials.run([clock, replace(clock, cause="random", known=False, is_told=False)])[clock]
    assert advice in remedy.summary
    assert (remedy.proved, remedy.tried) == (False, not still)
    assert bool(remedy.also_tried) == still


def test_a_part_names_the_remedy_that_was_tried_for_it():
    clock, zone = parts_of_one_place()
    remedies, _ = run([replace(clock, alone=True), zone], lambda key, changes: False)
    assert remedies[zone].settings == {"TZ": "UTC"}


def test_advice_for_the_command_comes_before_a_general_setting_that_was_not_tried():
    one = target("", "time", location="line 1", kind="text", tools=("node", "build.js"))
    remedies, _ = run([one], lambda key, changes: False, left=0)
    assert "new Date(process.env.SOURCE_DATE_EPOCH" in remedies[one].summary
    assert not remedies[one].tried
    tried, _ = run([one], lambda key, changes: "SOURCE_DATE_EPOCH" in changes.settings)
    assert tried[one].proved


@pytest.mark.parametrize(("value", "proved"), [(b"", False), (b"x", True)])
def test_what_only_one_side_has_is_not_healed_where_the_rest_of_its_file_still_differs(value, proved):
    lone, other = target("", "time", location="line 3"), target("", "time", location="line 9")
    place = Place(field=Field.CONTENT, location="line 3", control=value, experiment=b"y")
    lone = replace(lone, place=place)
    remedies, _ = run([lone, other], lambda key, changes: key == lone.key and "TAR_OPTIONS" in changes.settings)
    assert remedies[lone].proved == proved


@pytest.mark.parametrize(
    ("before", "told"), [("ELF section .rodata, string 2, byte 0x13", False), ("ELF build id", True)]
)
def test_it_is_not_said_that_a_time_ignores_the_setting_where_it_may_only_have_moved(before, told):
    clock, other = (
        target("", cause, location=where, kind="elf", tools=("gcc",))
        for cause, where in (("time", "ELF section .rodata, byte 0x41"), ("user_group", before))
    )
    remedies, _ = run([clock, other], lambda key, changes: False, place=clock.place)
    assert ("takes no time from SOURCE_DATE_EPOCH" in remedies[clock].summary) == told


def strings(*texts, first=1):
    places = {}
    for number, (control, experiment) in enumerate(texts, first):
        where = f"ELF section .rodata, string {number}, byte {16 * number:#x}"
        places[Key("app", "", where, Field.CONTENT)] = Place(
            field=Field.CONTENT, location=where, control=control, experiment=experiment
        )
    return places


def test_a_string_is_the_same_in_builds_with_a_remedy_that_moves_it():
    texts = [(b"/build/a/main.c", b"/build/elsewhere/main.c"), (b"20:15:06", b"17:12:08"), (b"root", b"user-b")]
    known = strings(*texts)
    found = under_known_strings(known, strings((b"20:16:40", b"16:01:02"), texts[2], first=1))
    assert [(list(known).index(key) + 1, place.control) for key, place in found.items()] == [
        (2, b"20:16:40"),
        (3, b"root"),
    ]
    # What is like none of them is another place.
    other = strings((b"something else", b""), first=7)
    assert under_known_strings(known, other) == other


@pytest.mark.parametrize(("where", "proved"), [("string 3, byte 0x31", True), ("byte 0x31", False)])
def test_what_is_told_by_its_offset_is_not_healed_where_it_may_have_moved(where, proved):
    one, other, moved = (
        target("", "time", location=f"ELF section .rodata, {place}", kind="elf", tools=("gcc",))
        for place in ("string 2, byte 0x13", where, "byte 0x99")
    )
    builder = Builder(lambda key, changes: key == one.key or (key == other.key), place=one.place)
    builder.keys = {one.key, other.key, moved.key}
    remedies = RemedyTrials(builder.look, builder, EPOCH).run([one, other])
    assert (remedies[one].proved, remedies[other].proved) == (True, proved)


def test_what_is_computed_from_the_rest_of_its_file_is_worth_no_remedy_of_its_own():
    one = target("", "time", location="ELF section .rodata, string 2, byte 0x13", kind="elf", tools=("gcc",))
    computed = replace(one, key=one.key._replace(location="ELF build id"), place=replace(one.place, note=FOLLOWS))
    remedies, builder = run([one, computed], lambda key, changes: key == one.key, place=one.place)
    assert remedies[one].proved
    assert len(builder.tried) == 1
    assert remedies[computed].tried
    assert not remedies[computed].proved


def test_what_rewrites_an_output_is_not_taken_for_what_another_remedy_did():
    clock = target("a", "time", location="zip entry mtime", kind="zip", tools=("python3",))
    modes = [target(cause, cause, location="zip entry mode", kind="zip", tools=("python3",)) for cause in MODES]
    modes = [replace(one, key=one.key._replace(field=Field.MODE)) for one in modes]

    def equal(key, changes):
        if any("normalize" in command for command in changes.after):
            return True
        return any(MODES.get(key.member, "normalize") in command for command in changes.before)

    remedies, builder = run([clock, *modes], equal, left=40)
    for one in modes:
        own = remedies[one].before or remedies[one].after
        assert MODES[one.cause] in own or "normalize" in own
    assert builder.left > 20


MODES = {"umask": "umask 022", "source_mode": "chmod"}


def test_a_place_under_another_version_still_differs():
    old = Key("a-2026.11.whl", "a-2026.11.dist-info/WHEEL", "zip entry mode", Field.MODE)
    new = old._replace(output="a-2020.1.whl", member="a-2020.1.dist-info/WHEEL")
    place = Place(field=Field.MODE, location=old.location, member=new.member, control=b"0644", experiment=b"0600")
    assert under_other_numbers([old], {new: place}) == {old}
    assert under_other_numbers([old], {new._replace(location="zip entry mtime"): place}) == frozenset()
    assert under_other_numbers([old, new], {new: place}) == frozenset()
