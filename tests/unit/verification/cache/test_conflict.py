"""Builds that agree with each other, and not with a record."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.model import (
    Artifact,
    BuildResult,
    BuildStatus,
    Difference,
    Evidence,
    Metadata,
    Output,
    OutputType,
    Role,
    Verdict,
    Verification,
)
from pytest_ftc.model.support.limits import MOST_EXAMINED
from pytest_ftc.verification.cache.conflict import Examination, dispute
from pytest_ftc.verification.cache.context import Disagreement

ARTIFACT = Artifact(id="a", name="a", build="make", outputs=("out",), source=Path("/project"))


class Writer:
    def write(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        return replace(difference, diff=f"{control.read_text()}|{experiment.read_text()}")


class Case:
    """What was recorded, what was built now, and a store that has the recorded contents."""

    def __init__(self, folder: Path) -> None:
        self.store, self.blobs, self.scratch = (folder / name for name in ("store", "blobs", "scratch"))
        for each in (self.store, self.blobs, self.scratch):
            each.mkdir()

    def dispute(self, recorded: Sequence[Output], built: Sequence[Output], **changes: object) -> Verification:
        build = BuildResult(
            id="1",
            role=Role.CONTROL,
            environment={},
            status=BuildStatus.OK,
            outputs=tuple(built),
            blobs=str(self.blobs),
        )
        given = Verification(id="a", name="a", verdict=Verdict.REPRODUCIBLE, builds=(build,), notes=("before",))
        disagreement = Disagreement(
            differences=compare_manifests(recorded, built, Metadata.CONTENT),
            machine="buildbox",
            elsewhere=True,
            made=0,
        )
        disagreement = replace(disagreement, **changes)  # type: ignore[arg-type]
        examination = Examination(ComparatorChain(Writer()), ARTIFACT)
        return dispute(given, disagreement, self.fetch, examination, self.scratch)

    def fetch(self, output: Output, path: Path) -> bool:
        stored = self.store / output.sha256
        if stored.exists():
            shutil.copyfile(stored, path)
        return stored.exists()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def put(folder: Path, name: str, data: bytes) -> Output:
    digest = hashlib.sha256(data).hexdigest()
    (folder / digest).write_bytes(data)
    return Output(path=name, type=OutputType.FILE, mode="0644", size=len(data), sha256=digest)


def test_the_place_comes_from_the_walker_and_the_diff_stands_beside_it(case):
    found = case.dispute([put(case.store, "out", b"x\nold\n")], [put(case.blobs, "out", b"x\nnew\n")])
    assert found.verdict is Verdict.UNREPRODUCIBLE
    (difference,) = found.differences
    assert (difference.location, difference.diff) == ("line 2", "x\nold\n|x\nnew\n")
    (finding,) = found.findings
    assert (finding.cause, finding.confirmed, finding.location) == ("machine", False, "line 2")
    assert finding.evidence == Evidence(control="old", experiment="new")
    assert "buildbox" in finding.why
    assert list(case.scratch.iterdir()) == []


def test_without_the_recorded_content_the_digests_are_shown(case, tmp_path):
    recorded = put(tmp_path, "out", b"old")
    built = put(case.blobs, "out", b"new")
    found = case.dispute([recorded], [built])
    assert [difference.note for difference in found.differences] == [
        "not examined: the store no longer has what was recorded, only its digest"
    ]
    (finding,) = found.findings
    assert finding.location == "the output itself"
    assert finding.evidence == Evidence(control=recorded.sha256, experiment=built.sha256)


def test_an_output_that_one_side_lacks_is_a_finding(case):
    (finding,) = case.dispute([], [put(case.blobs, "out", b"new")]).findings
    assert finding.evidence == Evidence(control="absent", experiment="present (file)")


def test_this_machine_is_not_called_by_its_name(case):
    found = case.dispute([put(case.store, "o", b"1")], [put(case.blobs, "o", b"2")], elsewhere=False)
    assert "this machine" in found.findings[0].why and "buildbox" not in found.findings[0].why


def test_beyond_the_limit_outputs_are_not_examined_and_that_is_said(case):
    names = [f"out-{number:03}" for number in range(MOST_EXAMINED + 2)]
    recorded = [put(case.store, name, b"old\n") for name in names]
    found = case.dispute(recorded, [put(case.blobs, name, b"new\n") for name in names])
    notes = [difference.note for difference in found.differences]
    assert notes == [""] * MOST_EXAMINED + [f"not examined: only the first {MOST_EXAMINED} differing outputs are"] * 2
    assert found.differences[-1].diff == ""
    assert len(found.findings) == len(names)


def test_what_the_walker_cut_is_noted(case):
    recorded = put(case.store, "out", b"\0" * (1 << 16))
    built = put(case.blobs, "out", (b"x" + bytes(255)) * 256)
    assert case.dispute([recorded], [built]).notes == (
        "before",
        "out: more bytes differ in a member than are listed",
    )
