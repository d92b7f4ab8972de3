"""What stands between an artifact's secrets and what is shown of its builds."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.secrets import read_secrets
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.model import (
    Action,
    BuildResult,
    BuildStatus,
    Difference,
    DifferenceKind,
    Evidence,
    Output,
    OutputType,
    Role,
    Verdict,
    Verification,
)
from pytest_ftc.verification.confidential.guard import GuardedComparators, GuardedExecutor, SecretGuard
from pytest_ftc.verification.confidential.mask_record import NOT_SHOWN

VALUE = "s3cr3t-value"
SECRETS = read_secrets(["env:TOKEN"], {"TOKEN": VALUE}, Path())


class Theirs:
    """A comparator, and a writer of diffs, that both show the whole output."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        return [replace(difference, evidence=Evidence(control=control.read_text(), experiment="x"))]

    def write(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        (self._folder / f"{VALUE}.txt").write_text(f"-{VALUE}\n+other\n")
        return replace(difference, diff=str(self._folder / f"{VALUE}.txt"))


def output_of(folder: Path, name: str, text: str) -> Output:
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / digest).write_text(text)
    return Output(path=name, type=OutputType.FILE, mode="0644", size=len(text), sha256=digest)


def build_of(folder: Path, *outputs: Output) -> BuildResult:
    return BuildResult(
        id="1", role=Role.CONTROL, environment={}, status=BuildStatus.OK, outputs=outputs, blobs=str(folder)
    )


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Difference, Path, Path]:
    one, other = (output_of(tmp_path, "out", f"{VALUE} {number}") for number in (1, 2))
    difference = Difference(output="out", kind=DifferenceKind.CONTENT, control=one, experiment=other)
    return difference, tmp_path / one.sha256, tmp_path / other.sha256


def test_an_output_that_holds_a_secret_is_neither_examined_nor_shown(tmp_path, pair):
    guard = SecretGuard(SECRETS, None)
    comparators = GuardedComparators(ComparatorChain(Theirs(tmp_path), [Theirs(tmp_path)]), guard)
    guard.admit(build_of(tmp_path, pair[0].control))
    assert guard.hides("out")
    assert comparators.ask(*pair) == ()
    assert comparators.write_diff(*pair) == replace(pair[0], note=NOT_SHOWN)
    assert not (tmp_path / f"{VALUE}.txt").exists()


def test_of_an_output_without_a_secret_the_diff_is_masked_and_moved(tmp_path, pair):
    guard = SecretGuard(SECRETS, None, tmp_path / "diffs")
    guard.admit(build_of(tmp_path, output_of(tmp_path, "out", "harmless")))
    assert not guard.hides("out")
    found = GuardedComparators(ComparatorChain(Theirs(tmp_path)), guard).write_diff(*pair)
    assert found.diff == str(tmp_path / "diffs" / "***.txt")
    assert Path(found.diff).read_text() == "-***\n+other\n"
    assert not (tmp_path / f"{VALUE}.txt").exists()
    asked = GuardedComparators(ComparatorChain(None, [Theirs(tmp_path)]), guard).ask(*pair)
    assert [one.output for one in asked] == ["out"]


def test_a_difference_without_a_diff_stays_as_it_is(tmp_path, pair):
    guard = SecretGuard(SECRETS, None, tmp_path / "diffs")
    assert GuardedComparators(ComparatorChain(), guard).write_diff(*pair) == pair[0]


def test_each_build_is_searched_before_it_is_handed_on(tmp_path):
    class Runs:
        cancelled = False

        def run(self, action: Action, *_: object) -> BuildResult:
            return replace(build_of(tmp_path, output_of(tmp_path, "out", VALUE)), log_tail=f"token {VALUE}")

        def cancel(self) -> None:
            self.cancelled = True

    inner, guard = Runs(), SecretGuard(SECRETS, None)
    executor = GuardedExecutor(inner, guard)
    assert executor.run(None, lambda _: None).log_tail == "token ***"  # type: ignore[arg-type]
    assert guard.hides("out")
    executor.cancel()
    assert inner.cancelled


def test_leaks_are_named_and_the_values_are_not(tmp_path, pair):
    guard = SecretGuard(SECRETS, None)
    build = guard.admit(build_of(tmp_path, pair[0].control))
    shown = replace(pair[0], evidence=Evidence(control=VALUE, experiment="x"), diff="/d")
    verification = Verification(
        id="a", name="a", verdict=Verdict.UNREPRODUCIBLE, builds=(build,), differences=(shown,), reason=f"has {VALUE}"
    )
    masked = guard.mask(verification)
    assert masked.leaks == ("env:TOKEN (verbatim) appears in out",)
    assert masked.reason == "has ***"
    (difference,) = masked.differences
    assert (difference.evidence, difference.diff, difference.note) == (None, "", NOT_SHOWN)
    assert VALUE not in str(masked)
