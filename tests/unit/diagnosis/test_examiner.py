"""The places in which two builds differ."""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.examiner import Examiner, files_of
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import (
    BuildResult,
    BuildStatus,
    Difference,
    DifferenceKind,
    Evidence,
    Field,
    Metadata,
    Output,
    OutputType,
    Role,
)
from pytest_ftc.model.support.limits import MOST_EXAMINED


@pytest.fixture
def build(tmp_path: Path):
    """Return a build that has left some outputs."""

    def build(outputs: Mapping[str, bytes], mode: str = "0644") -> BuildResult:
        rows = []
        for name, data in outputs.items():
            digest = hashlib.sha256(data).hexdigest()
            (tmp_path / digest).write_bytes(data)
            rows.append(Output(path=name, type=OutputType.FILE, mode=mode, size=len(data), sha256=digest))
        return BuildResult(
            id="1",
            role=Role.CONTROL,
            environment={},
            status=BuildStatus.OK,
            outputs=tuple(rows),
            blobs=str(tmp_path),
        )

    return build


class Asked:
    """A comparator that counts how often it is asked."""

    def __init__(self, *places: tuple[str, str]) -> None:
        self.places = places
        self.asked: list[str] = []

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        self.asked.append(difference.output)
        evidence = Evidence(control=control.read_text(), experiment=experiment.read_text())
        return [replace(difference, member=member, location=where, evidence=evidence) for member, where in self.places]


def look(one: BuildResult, other: BuildResult, *comparators: Asked, metadata: Metadata = Metadata.CONTENT):
    return Examiner(metadata, ComparatorChain(None, comparators)).look(one, other)


def test_the_walker_names_the_line_and_its_values(build):
    places = look(build({"a": b"same\none\n", "b": b"equal"}), build({"a": b"same\ntwo\n", "b": b"equal"}))
    assert list(places) == [Key("a", "", "line 2", Field.CONTENT)]
    (place,) = places.values()
    assert (place.control, place.experiment) == (b"one\n", b"two\n")


def test_equal_builds_have_no_places(build):
    assert look(build({"a": b"x"}), build({"a": b"x"})) == {}


def test_a_plugin_is_asked_first_and_once_for_two_contents(build):
    theirs = Asked(("m", "field 1"))
    examiner = Examiner(Metadata.CONTENT, ComparatorChain(None, [theirs]))
    one, other = build({"a": b"one"}), build({"a": b"two"})
    (first,) = examiner.look(one, other).values()
    assert (first.member, first.location, first.control, first.experiment) == ("m", "field 1", b"one", b"two")
    assert examiner.look(one, other) == examiner.look(one, other)
    assert theirs.asked == ["a"]
    examiner.look(one, build({"a": b"three"}))
    assert theirs.asked == ["a", "a"]


def test_what_no_plugin_knows_is_walked(build):
    theirs = Asked()
    (place,) = look(build({"a": b"one\n"}), build({"a": b"two\n"}), theirs).values()
    assert (theirs.asked, place.location) == (["a"], "line 1")


def test_modes_and_contents_of_one_output_are_places_of_their_own(build):
    places = look(build({"a": b"one\n"}), build({"a": b"two\n"}, mode="0600"), metadata=Metadata.STRICT)
    assert {(key.location, key.field) for key in places} == {
        ("permission bits", Field.MODE),
        ("line 1", Field.CONTENT),
    }


def test_an_output_that_was_renamed_has_its_name_as_a_place_and_its_contents_compared(build):
    places = look(build({"lib-123.so": b"one\n"}), build({"lib-456.so": b"two\n"}))
    assert list(places) == [
        Key("lib-123.so", "", "the output's name", Field.NAME),
        Key("lib-123.so", "", "line 1", Field.CONTENT),
    ]
    assert list(look(build({"lib-123.so": b"one"}), build({"lib-456.so": b"one"}))) == [
        Key("lib-123.so", "", "the output's name", Field.NAME)
    ]


def test_beyond_the_limit_an_output_is_one_place_that_says_so(build):
    names = [f"out-{number:03}" for number in range(MOST_EXAMINED + 3)]
    places = look(build(dict.fromkeys(names, b"one\n")), build(dict.fromkeys(names, b"two\n")))
    notes = [place.note for place in places.values()]
    assert notes[:MOST_EXAMINED] == [""] * MOST_EXAMINED
    assert set(notes[MOST_EXAMINED:]) == {f"not examined: only the first {MOST_EXAMINED} differing outputs are"}
    assert [key.output for key in places] == names


def test_the_same_outputs_are_examined_whichever_differ(build):
    names = [f"out-{number:03}" for number in range(MOST_EXAMINED + 3)]
    control = build(dict.fromkeys(names, b"one\n"))
    examiner = Examiner(Metadata.STRICT, ComparatorChain(()))
    everything = examiner.look(control, build(dict.fromkeys(names, b"two\n")))
    last = names[-3:]
    few = examiner.look(control, build({name: b"two\n" if name in last else b"one\n" for name in names}))
    assert list(few) == [key for key in everything if key.output in last]
    assert {place.location for place in few.values()} == {"the output itself"}


@pytest.mark.parametrize(("role", "is_noted"), [(Role.BISECT, True), (Role.REMEDY, False)])
def test_what_was_cut_off_is_noted_but_not_of_builds_with_a_remedy(build, role, is_noted):
    archives = []
    for year in (2001, 2002):
        with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
            for number in range(300):
                archive.writestr(zipfile.ZipInfo(f"m{number:03}", (year, 1, 1, 0, 0, 0)), "x")
        archives.append(build({"a.zip": file.getvalue()}))
    examiner = Examiner(Metadata.CONTENT, ComparatorChain())
    examiner.look(archives[0], replace(archives[1], role=role))
    assert bool(examiner.notes) is is_noted


def test_after_the_time_outputs_are_not_examined_and_that_is_said(build):
    one, other = build({"a": b"one\n", "b": b"equal"}), build({"a": b"two\n", "b": b"equal"})
    (place,) = Examiner(Metadata.CONTENT, ComparatorChain(), seconds=-1).look(one, other).values()
    assert place.note == "not examined: the time limit was reached"
    assert (place.location, place.control, place.experiment) == ("the output itself", b"", b"")


def test_what_the_walker_cut_is_noted_with_its_output(build):
    examiner = Examiner(Metadata.CONTENT, ComparatorChain())
    examiner.look(build({"a": bytes(1 << 16)}), build({"a": (b"\1" + bytes(255)) * 256}))
    assert list(examiner.notes) == ["a: more bytes differ in a member than are listed"]


def test_only_a_difference_of_contents_has_files(build):
    one, other = build({"a": b"one"}), build({"a": b"two"})
    control, experiment = one.outputs[0], other.outputs[0]
    given = Difference(output="a", kind=DifferenceKind.CONTENT, control=control, experiment=experiment)
    files = files_of(given, one, other)
    assert files and [file.read_bytes() for file in files] == [b"one", b"two"]
    assert files_of(replace(given, kind=DifferenceKind.MODE), one, other) is None
    assert files_of(replace(given, experiment=None), one, other) is None
