"""One list of causes, and everything that speaks of causes agrees with it."""

import json
from pathlib import Path

import pytest

from pytest_ftc.diagnosis.remedies import catalogue
from pytest_ftc.model import Cause
from pytest_ftc.model.cause import GUESSES, INHERENT, NO_VARIATIONS
from pytest_ftc.reporting.causes import all_causes
from pytest_ftc.variations import CATALOGUE

NAMES = {cause.value for cause in Cause}
DOCS = Path(__file__).parents[3] / "docs"


def test_every_variation_is_a_cause_and_every_other_cause_is_no_variation():
    variations = [variation.name for variation in CATALOGUE]
    assert [cause.value for cause in Cause if cause not in NO_VARIATIONS] == variations


def test_every_cause_is_explained_once():
    names = [cause.name for cause in all_causes()]
    assert len(names) == len(set(names))
    assert set(names) == NAMES


def test_remedies_are_for_causes_that_exist():
    assert {name for template in catalogue() for name in template.causes} <= NAMES


def test_every_cause_that_a_build_can_confirm_has_a_remedy():
    without = {Cause.MACHINE, Cause.UNKNOWN}
    assert {name for template in catalogue() for name in template.causes} == NAMES - without


def test_groups_of_causes_lie_within_each_other():
    assert set(INHERENT) < set(GUESSES) < set(NO_VARIATIONS)


@pytest.mark.parametrize("cause", Cause)
def test_a_cause_reads_and_compares_as_its_name(cause):
    assert f"{cause}" == str(cause) == cause.value
    assert f"{cause:>20}" == cause.value.rjust(20)
    assert type(str(cause)) is str
    assert json.dumps([cause, {"cause": cause}]) == json.dumps([cause.value, {"cause": cause.value}])
    assert {cause: 1}[cause.value] == 1


def test_the_documentation_has_a_section_for_every_cause():
    lines = (DOCS / "causes.md").read_text(encoding="utf-8").splitlines()
    assert [line[4:-1] for line in lines if line.startswith("## `")] == [cause.name for cause in all_causes()]
