from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import DifferenceKind, Metadata, Output, OutputType

FILE = Output(path="a", type=OutputType.FILE, mode="0644", size=1, sha256="0" * 64)
FOLDER = Output(path="a", type=OutputType.DIR, mode="0755")
LINK = Output(path="a", type=OutputType.SYMLINK, mode="0777", target="x")


@pytest.mark.parametrize(
    ("control", "experiment", "content", "strict"),
    [
        (FILE, FILE, [], []),
        (FILE, replace(FILE, sha256="1" * 64), ["content"], ["content"]),
        (FILE, replace(FILE, size=2), ["content"], ["content"]),
        (FILE, replace(FILE, mode="0664"), [], ["mode"]),
        (FILE, replace(FILE, mode="0755"), ["mode"], ["mode"]),
        (replace(FILE, mode="0755"), replace(FILE, mode="0700"), [], ["mode"]),
        (replace(FILE, mode="0755"), replace(FILE, mode="0655"), ["mode"], ["mode"]),
        (FILE, replace(FILE, mode="0755", size=2), ["mode", "content"], ["mode", "content"]),
        (FILE, FOLDER, ["type"], ["type"]),
        (FILE, LINK, ["type"], ["type"]),
        (FOLDER, replace(FOLDER, mode="0700"), [], ["mode"]),
        (LINK, replace(LINK, target="y"), ["link"], ["link"]),
        (LINK, replace(LINK, mode="0755"), [], []),
        (FILE, None, ["missing"], ["missing"]),
        (None, FILE, ["extra"], ["extra"]),
    ],
)
def test_what_counts_as_parity(control, experiment, content, strict):
    one, other = ([output] if output else [] for output in (control, experiment))
    for metadata, kinds in ((Metadata.CONTENT, content), (Metadata.STRICT, strict)):
        found = compare_manifests(one, other, metadata)
        assert [difference.kind.value for difference in found] == kinds


outputs = st.builds(
    Output,
    path=st.sampled_from("abcd"),
    type=st.just(OutputType.FILE),
    mode=st.sampled_from(["0644", "0664", "0755"]),
    size=st.integers(0, 2),
    sha256=st.sampled_from(["0" * 64, "1" * 64]),
    target=st.just(""),
)
manifests = st.lists(outputs, unique_by=lambda output: output.path)


@given(manifests, manifests, st.sampled_from(Metadata))
def test_comparing_is_symmetric_and_sorted(one, other, metadata):
    forward = compare_manifests(one, other, metadata)
    backward = compare_manifests(other, one, metadata)
    swap = {DifferenceKind.MISSING: DifferenceKind.EXTRA, DifferenceKind.EXTRA: DifferenceKind.MISSING}
    assert [(d.output, swap.get(d.kind, d.kind)) for d in forward] == [(d.output, d.kind) for d in backward]
    assert [d.output for d in forward] == sorted(d.output for d in forward)
    assert compare_manifests(one, one, metadata) == ()


def test_what_needs_no_file_is_shown_at_once():
    (link,) = compare_manifests([LINK], [replace(LINK, target="\x1b[31m")], Metadata.CONTENT)
    assert (link.evidence.control, link.evidence.experiment) == ("x", r"\x1b[31m")
    (mode,) = compare_manifests([FILE], [replace(FILE, mode="0755")], Metadata.CONTENT)
    assert (mode.evidence.control, mode.evidence.experiment) == ("0644", "0755")
    (missing,) = compare_manifests([FILE], [], Metadata.CONTENT)
    assert (missing.evidence.control, missing.evidence.experiment) == ("present (file)", "absent")
    (content,) = compare_manifests([FILE], [replace(FILE, size=2)], Metadata.CONTENT)
    assert content.evidence is None
