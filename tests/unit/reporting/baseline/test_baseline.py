"""What is known does not fail, until it expires; what is new does."""

import datetime
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from samples import verification

from pytest_ftc.model import Evidence, Finding, Verdict, Verification
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.notes import is_in_published, locate_in_published
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.reporting.baseline.baseline import Baseline, describe_new, find_stale, forgives
from pytest_ftc.reporting.baseline.entry import Known
from pytest_ftc.reporting.baseline.file import load_baseline
from pytest_ftc.reporting.baseline.fingerprint import fingerprint

TODAY = datetime.date(2026, 11, 24)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


VARIED = ("time", "umask", "home", "hash_seed")


def finding(
    cause: str, *, output: str = "out", member: str = "", location: str = "line 1", confirmed: bool = True
) -> Finding:
    evidence = Evidence(control="a", experiment="b")
    return Finding(output=output, member=member, location=location, cause=cause, confirmed=confirmed, evidence=evidence)


def found(*findings: str | Finding, confirmed: bool = True) -> Verification:
    told = tuple(finding(one, confirmed=confirmed) if isinstance(one, str) else one for one in findings)
    return replace(verification(Verdict.UNREPRODUCIBLE), findings=told, differences=(), varied=VARIED)


GOOD = replace(verification(Verdict.REPRODUCIBLE), varied=VARIED)


def test_what_is_known_is_accepted_and_what_is_new_is_not():
    baseline = Baseline().updated([found("time")], TODAY)
    assert baseline.judge(found("time"), TODAY).accepted
    standing = baseline.judge(found("time", "umask"), TODAY)
    assert (standing.accepted, standing.known, len(standing.new)) == (False, 1, 1)


def many(number: int, *, place: str = "line 1") -> Verification:
    return found(*(finding("time", output="out", member=f"file{one}.txt", location=place) for one in range(number)))


def test_places_may_become_fewer_and_more_of_them_are_new():
    baseline = Baseline().updated([many(10)], TODAY)
    assert (baseline.render().count("[[known]]"), "count = 10" in baseline.render()) == (1, True)
    assert baseline.judge(many(8), TODAY).accepted
    assert "count = 8" in baseline.updated([many(8)], TODAY).render()
    standing = baseline.judge(many(12), TODAY)
    assert (standing.accepted, standing.known, standing.fixed) == (False, 0, ())
    assert describe_new(standing.new[0], standing).endswith("at line 0: 12 places, the baseline allows 10")
    assert baseline.fingerprints([many(12)], TODAY) == frozenset()
    assert baseline.updated([many(12)], TODAY).judge(many(12), TODAY).accepted


@pytest.mark.parametrize(
    "place", ["tar member mtime", "tar member gname", "zip entry mode", locate_in_published("ar member owner")]
)
def test_what_every_member_has_is_known_of_a_new_member_too(place):
    baseline = Baseline().updated([many(1, place=place)], TODAY)
    assert baseline.judge(many(3, place=place), TODAY).accepted
    assert not baseline.judge(many(3), TODAY).accepted


def test_a_member_under_another_name_is_known():
    one, other = (found(finding("time", output=name, member=f"{name}.txt")) for name in ("before", "after"))
    assert Baseline().updated([one], TODAY).judge(other, TODAY).accepted


def test_tables_of_earlier_versions_become_one_with_all_they_say(tmp_path):
    table = "[[known]]\nfingerprint = '{0}'\nartifact = '{1}'\noutput = 'out › file.txt'\nlocation = 'line {0}'\n"
    tables = [f"# note {one}\n{table.format(one, GOOD.id)}cause = 'time'  # why {one}\n{{}}\n" for one in (1, 2)]
    file = tmp_path / "b.toml"
    file.write_text(tables[0].format("expires = 2027-01-01\nowner = 'me'") + tables[1].format("expires = 2026-12-01"))
    baseline = load_baseline(file)
    text = baseline.render()
    assert (text.count("[[known]]"), "count = 2" in text, "fingerprint" in text) == (1, True, False)
    assert all(told in text for told in ("# note 1", "# why 1", "# note 2", "# why 2", "owner = 'me'"))
    assert "expires = 2026-12-01" in text
    assert baseline.judge(many(2), TODAY).accepted
    file.write_text(text)
    assert load_baseline(file).render() == text


def test_what_is_fixed_is_told_and_removed_on_update():
    baseline = Baseline().updated([found("time", "umask")], TODAY)
    assert [entry.cause for entry in baseline.judge(found("time"), TODAY).fixed] == ["umask"]
    assert len(baseline.judge(GOOD, TODAY).fixed) == 2
    assert baseline.judge(verification(Verdict.ERROR), TODAY).fixed == ()
    assert "umask" not in baseline.updated([found("time")], TODAY).render()
    assert "[[known]]" not in baseline.updated([GOOD], TODAY).render()


def test_what_was_not_verified_stays():
    baseline = Baseline().updated([found("time")], TODAY)
    assert baseline.updated([replace(GOOD, id="other")], TODAY).render() == baseline.render()


def test_what_has_expired_fails_from_the_day_after(tmp_path):
    text = Baseline().updated([found("time")], TODAY).render()
    (tmp_path / "b.toml").write_text(f'{text}expires = 2026-11-24\nowner = "me"\nreason = "later"\n')
    baseline = load_baseline(tmp_path / "b.toml")
    assert baseline.judge(found("time"), TODAY).accepted
    later = baseline.judge(found("time"), TODAY + datetime.timedelta(1))
    assert (later.accepted, [entry.owner for entry in later.expired]) == (False, ["me"])
    assert len(baseline.fingerprints([found("time")], TODAY)) == 1
    assert baseline.fingerprints([found("time")], TODAY + datetime.timedelta(1)) == frozenset()
    assert 'reason = "later"' in baseline.updated([found("time", "umask")], TODAY).render()


@given(
    st.lists(
        st.builds(
            Known, artifact=texts, place=texts, cause=texts, count=st.integers(1), outputs=st.lists(texts).map(tuple),
            confirmed=st.booleans(), diagnose=st.sampled_from(DiagnosisMode), owner=texts, reason=texts, expires=st.none() | st.dates(),
        ),
        unique_by=lambda known: known.key,
    )
)  # fmt: skip
def test_a_baseline_is_read_as_it_is_written(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("b") / "b.toml"
    entries = [entry for entry in entries if entry.artifact and entry.cause]
    text = Baseline(entries).render()
    path.write_text(text, encoding="utf-8")
    assert load_baseline(path).render() == text
    assert all(line.isprintable() for line in text.split("\n"))
    assert set(load_baseline(path)._entries.values()) == set(entries)


def test_hostile_names_are_escaped_and_found_again(tmp_path):
    evil = finding("time", output='a"\n[[known]]\n\u202e\x1b[31m\udcff\x7f', member="\u2066b")
    text = Baseline().updated([found(evil)], TODAY).render()
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.count("\n[[known]]") == 1
    (tmp_path / "b.toml").write_text(text, encoding="utf-8")
    assert load_baseline(tmp_path / "b.toml").judge(found(evil), TODAY).accepted


SAME = [
    ("dist/app-1.0-py3-none-any.whl", "dist/app-1.2.1rc3-py3-none-any.whl"),
    ("dist/app-1.0.tar.gz", "dist/app-2.0.0.dev5+g1a2b3c4.tar.gz"),
    ("app_1.0-1_amd64.deb", "app_1.0.2-1_amd64.deb"),
    ("lib/libfoo.so.1.2", "lib/libfoo.so.1.2.3"),
    ("target/app-1.0-SNAPSHOT.jar", "target/app-1.1.jar"),
    ("static/main.3f2a9c1b.js", "static/main.0d4e5f6a.js"),
    ("tmp/ftc-build-bcdfgh/x", "tmp/ftc-build-zxwvtr/x"),
    ("on-host-bcdfgh.txt", "on-host-zxwvtr.txt"),
    ("6a204bd8-9f1c-4b3e-8a77-0c1d2e3f4a5b.log", "7b315ce9-0a2d-4c4f-9b88-1d2e3f4a5b6c.log"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
@pytest.mark.parametrize("key", ["output", "member"])
def test_a_new_version_number_or_token_is_no_new_finding(key, one, other):
    assert fingerprint("i", finding("time", **{key: one})) == fingerprint("i", finding("time", **{key: other}))


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.txt", "b.txt"), ("app.whl", "app.tar.gz"), ("decade", "facade"), ("src/a.o", "lib/a.o"), ("cafe", "face")],
)
def test_another_name_is_another_finding(one, other):
    assert fingerprint("i", finding("time", output=one)) != fingerprint("i", finding("time", output=other))


PLACES = ["line {}", "byte {:#x}", "lines {}, order only", "entry {} of [{}]", ".debug_str+{:#x}"]


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from(PLACES))
def test_what_moves_is_the_same_finding(one, other, place):
    first, second = (place.format(number, number) for number in (one, other))
    assert fingerprint("i", finding("time", location=first)) == fingerprint("i", finding("time", location=second))


def test_an_output_that_is_named_at_random_has_one_fingerprint():
    def name(one: str, other: str) -> str:
        shown = finding("random", output=one, location="the output's name")
        return fingerprint("i", replace(shown, evidence=Evidence(control=one, experiment=other)))

    same = name("out-kqxz.txt", "out-wvty.txt")
    assert same == name("out-wabc.txt", "out-wdef.txt") != name("log-kqxz.txt", "log-wvty.txt")


causes = st.sampled_from(["time", "umask", "home", "hash_seed", "random", "unknown"])
things = st.builds(
    finding, causes, output=st.sampled_from(["a", "b.whl"]), member=st.sampled_from(["", "m"]), confirmed=st.booleans(),
    location=st.sampled_from(["line 1", "line 2", "zip entry mtime", locate_in_published("line 3")]),
)  # fmt: skip
LEVELS = st.sampled_from(DiagnosisMode)


@given(st.lists(things, min_size=1, max_size=5), st.lists(things, min_size=1, max_size=3), LEVELS)
def test_what_was_written_is_known_whatever_else_is_found(known, more, diagnose):
    baseline = Baseline(diagnose=diagnose).updated([found(*known)], TODAY)
    assert baseline.judge(found(*known), TODAY).accepted
    assert baseline.judge(found(*known, *more), TODAY).fixed == ()
    both = baseline.updated([found(*known, *more)], TODAY)
    assert both.judge(found(*known, *more), TODAY).accepted
    assert both.judge(found(*known), TODAY).accepted
    assert both.updated([found(*known, *more)], TODAY).render() == both.render()
    assert "[[known]]" not in both.updated([GOOD], TODAY).render()


@example([finding("unknown", output="a", member=name, location="line 1", confirmed=False) for name in ("", "m")])
@given(st.lists(things, min_size=1, max_size=5))
def test_less_diagnosis_makes_nothing_new_and_nothing_fixed(known):
    builds = [one for one in known if not is_in_published(one.location)] or [finding("time")]
    full = found(*(replace(one, confirmed=one.cause != "unknown") for one in builds))
    outputs = dict.fromkeys(one.output for one in builds)
    off = found(*(finding("unknown", output=one, location="line 9", confirmed=False) for one in outputs))
    fast = found(*(replace(one, cause="unknown", confirmed=False) for one in builds))
    by_full = Baseline().updated([full], TODAY)
    for diagnose, seen in ((DiagnosisMode.OFF, off), (DiagnosisMode.FAST, fast)):
        standing = by_full.diagnosed(diagnose).judge(seen, TODAY)
        assert (standing.accepted, standing.new, standing.fixed) == (True, (), ())
        assert by_full.diagnosed(diagnose).updated([seen], TODAY).render() == by_full.render()
        by_less = Baseline(diagnose=diagnose).updated([seen], TODAY).diagnosed(DiagnosisMode.FULL)
        assert by_less.judge(full, TODAY).accepted
        assert by_less.updated([full], TODAY).judge(full, TODAY).renamed == 0


def test_a_cause_that_is_suspected_is_known_under_its_confirmed_name():
    baseline = Baseline().updated([found("source_mtime")], TODAY)
    fast = baseline.diagnosed(DiagnosisMode.FAST)
    assert fast.judge(found("time", confirmed=False), TODAY).accepted
    assert not fast.judge(found("source_mtime", "umask", confirmed=False), TODAY).accepted
    assert not baseline.judge(found("time"), TODAY).accepted
    assert not baseline.judge(found("source_mtime", finding("unknown", confirmed=False)), TODAY).accepted


def test_owner_reason_and_expiry_stay_when_the_diagnosis_finds_more(tmp_path):
    text = Baseline(diagnose=DiagnosisMode.OFF).updated([found("unknown", confirmed=False)], TODAY).render()
    (tmp_path / "b.toml").write_text(f'{text}owner = "me"\nexpires = 2027-01-01\n')
    fast = (
        load_baseline(tmp_path / "b.toml")
        .diagnosed(DiagnosisMode.FAST)
        .updated([found("unknown", confirmed=False)], TODAY)
        .render()
    )
    assert (fast.count('diagnose = "fast"'), fast.count('diagnose = "off"'), fast.count('owner = "me"')) == (1, 0, 1)
    after = load_baseline(tmp_path / "b.toml").updated([found("time", "umask")], TODAY).render()
    assert (after.count('owner = "me"'), after.count("expires = 2027-01-01"), "unknown" in after) == (2, 2, False)


def test_what_was_not_varied_or_not_compared_is_not_fixed():
    baseline = Baseline().updated([found("time")], TODAY)
    assert baseline.judge(replace(GOOD, varied=("umask",)), TODAY).fixed == ()
    published = Baseline().updated([found(finding("unknown", location=locate_in_published("line 1")))], TODAY)
    assert published.judge(found("time"), TODAY).fixed == ()
    assert not published.judge(found("unknown"), TODAY).accepted
    assert len(published.judge(GOOD, TODAY).fixed) == 1


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.FRAGILE, Verdict.ERROR])
def test_a_baseline_forgives_nothing_but_differences(verdict):
    broken = replace(found("time"), verdict=verdict)
    baseline = Baseline().updated([found("time")], TODAY)
    assert (forgives(broken), baseline.judge(broken, TODAY).accepted) == (False, False)
    assert baseline.updated([broken], TODAY).render() == baseline.render()
    assert "[[known]]" not in Baseline().updated([broken], TODAY).render()
    assert not forgives(replace(found("time"), leaks=("TOKEN appears in out",)))
    assert not forgives(replace(found("time"), strict=True, hermeticity=("reads /x",)))
    assert not baseline.judge(replace(found(), differences=()), TODAY).accepted


def test_an_artifact_that_is_gone_is_stale_and_goes_on_update():
    baseline = Baseline().updated([found("time"), replace(found("umask"), id="gone")], TODAY)
    stale = find_stale(baseline, lambda name: name != "gone")
    assert stale == ("gone",)
    after = baseline.updated([found("time")], TODAY, stale)
    assert (after.artifacts, baseline.artifacts - after.artifacts) == (frozenset({GOOD.id}), frozenset({"gone"}))


EARLIER = """\
# Our own words above.

# why this one stays
[[known]]  # ticket 7
cause = 'time'  # odd order, odd quotes
fingerprint = "FINGERPRINT"
artifact = "ARTIFACT"
output = "out"
location = "line 1"

# of a thing that is fixed
[[known]]
fingerprint = "x"
artifact = "ARTIFACT"
output = "out"
location = "line 1"
cause = "umask"
"""


def test_what_a_person_has_written_stays(tmp_path):
    text = EARLIER.replace("FINGERPRINT", fingerprint(GOOD.id, finding("time"))).replace("ARTIFACT", GOOD.id)
    (tmp_path / "b.toml").write_text(text)
    after = load_baseline(tmp_path / "b.toml").updated([found("time", "home")], TODAY).render()
    for kept in (
        "# Our own words above.\n",
        "# why this one stays\n[[known]]  # ticket 7\ncause = 'time'  # odd order, odd quotes\nartifact = ",
    ):
        assert kept in after
    assert "of a thing that is fixed" not in after
    assert 'cause = "home"' in after
    (tmp_path / "b.toml").write_text(after)
    assert load_baseline(tmp_path / "b.toml").render() == after


def test_text_that_looks_like_a_table_confuses_nobody(tmp_path):
    mark = fingerprint(GOOD.id, finding("time"))
    text = EARLIER.replace("FINGERPRINT", mark).replace("ARTIFACT", GOOD.id)
    (tmp_path / "b.toml").write_text(text.replace('"out"', "'''\n[[known]]\n'''", 1))
    baseline = load_baseline(tmp_path / "b.toml")
    after = baseline.updated([found("time")], TODAY).render()
    assert ('cause = "time"' in after, "umask" in after) == (True, False)
    (tmp_path / "b.toml").write_text(baseline.render())
    assert load_baseline(tmp_path / "b.toml")._entries == baseline._entries


FULL = "fingerprint = 'x'\nartifact = 'a'\noutput = 'o'\nlocation = 'l'\ncause = 'time'\n"
ONE = f"[[known]]\n{FULL}"
NEW = "[[known]]\nartifact = 'a'\nplace = 'l'\ncause = 'time'\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("known = 1", "b.toml:1: expected tables [[known]] and nothing else"),
        ("# x\n[[knwon]]\n", "b.toml:2: expected tables [[known]] and nothing else, found 'knwon'"),
        ("[[known]]\nfingerprint = 1\n", "b.toml:2: [[known]] number 1: fingerprint: expected text, found 1"),
        (
            f"{ONE}\n[[known]]\nowners = 'x'\n",
            "b.toml:9: [[known]] number 2: unknown key 'owners'; did you mean 'owner'?",
        ),
        ("\n[[known]]\nfingerprint = 'x'\n", "b.toml:2: [[known]] number 1: key 'artifact' is missing"),
        (ONE.replace("fingerprint = 'x'\n", ""), "b.toml:1: [[known]] number 1: key 'fingerprint' is missing"),
        (ONE.replace("'x'", "''"), "b.toml:1: [[known]] number 1: key 'fingerprint' is missing"),
        (f"{ONE}expires = 'soon'\n", "b.toml:7: [[known]] number 1: expires: expected a date such as 2027-01-31"),
        (f"{ONE}expires = 2027-01-01T00:00:00\n", "expected a date"),
        (f"{ONE}expires = 2027-13-01\n", "b.toml:7: not valid TOML"),
        (f"{ONE}confirmed = 'no'\n", "b.toml:7: [[known]] number 1: confirmed: expected true or false"),
        (f"{ONE}diagnose = 'deep'\n", "b.toml:7: [[known]] number 1: diagnose: expected 'off', 'fast' or 'full'"),
        (f"{ONE}\n{ONE}", "b.toml:8: fingerprint 'x' is duplicated, first in line 1"),
        ("known = [1]", "number 1: expected a table"),
        (f"{NEW}{NEW}", "b.toml:5: artifact 'a', place 'l' and cause 'time' are duplicated, first in line 1"),
        (f"{NEW}count = 0\n", "b.toml:5: [[known]] number 1: count: expected a number of places, 1 or more, found 0"),
        (f"{NEW}outputs = 'o'\n", "b.toml:5: [[known]] number 1: outputs: expected a list of names, found 'o'"),
        ("[[known]]\n[[known", "b.toml:2: not valid TOML"),
    ],
)
def test_a_mistake_is_one_clear_error(tmp_path, text, told):
    (tmp_path / "b.toml").write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load_baseline(tmp_path / "b.toml")
    assert told in str(raised.value)


def entry(cause: str, confirmed: str = "", above: str = "") -> str:
    where = f'artifact = "{GOOD.id}"\nplace = "line 0"\ncause = "{cause}"\noutputs = ["out"]\n'
    return f"{above}[[known]]\n{where}{confirmed}"


def test_an_entry_that_changes_keeps_its_comments(tmp_path):
    text = "# ours\n\n" + entry("time", 'diagnose = "off"  # for now\nowner = "me"  # ask her\n', "# see ticket 7\n")
    (tmp_path / "b.toml").write_text(text)
    off = load_baseline(tmp_path / "b.toml")
    fast = off.diagnosed(DiagnosisMode.FAST).updated([found("time")], TODAY).render()
    assert fast == text.replace('"off"  # for now', '"fast"  # for now')
    full = off.updated([found("time")], TODAY).render()
    assert full == text.replace('diagnose = "off"  # for now\n', "")


def test_an_entry_under_a_new_name_keeps_its_place_and_comments(tmp_path):
    text = "# ours\n\n" + entry("unknown", "confirmed = false\n", "# a riddle\n") + "\n" + entry("home", "", "# last\n")
    (tmp_path / "b.toml").write_text(text)
    after = load_baseline(tmp_path / "b.toml").updated([found("time", "home")], TODAY).render()
    assert after == "# ours\n\n" + entry("time", "", "# a riddle\n") + "\n" + entry("home", "", "# last\n")


def test_entries_stay_in_the_order_a_person_gave_them(tmp_path):
    text = "# ours\n\n" + "\n".join(map(entry, ("umask", "home")))
    (tmp_path / "b.toml").write_text(text)
    baseline = load_baseline(tmp_path / "b.toml")
    assert baseline.updated([found("umask", "home")], TODAY).render() == text
    after = baseline.updated([found("umask", "home", "time")], TODAY).render()
    assert [after.index(f'cause = "{cause}"') for cause in ("time", "umask", "home")] == sorted(
        after.index(f'cause = "{cause}"') for cause in ("time", "umask", "home")
    )
