"""The catalogue of cures."""

import pytest

from pytest_ftc.diagnosis.remedies import catalogue, find_cures
from pytest_ftc.model import Field
from pytest_ftc.variations import CATALOGUE

CAUSES = {variation.name for variation in CATALOGUE} | {"random", "race"}


def test_its_causes_are_those_of_the_vocabulary():
    assert {cause for cure in catalogue() for cause in cure.causes} == CAUSES


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_has_advice_that_fits_everywhere(cause):
    assert list(find_cures(cause, Field.CONTENT, ["text"], ["unknown-tool"]))


def test_every_cure_says_what_it_rests_on():
    assert all(cure.source and cure.summary for cure in catalogue())


def test_what_can_be_tried_comes_first_and_the_most_specific_of_that():
    cures = list(find_cures("time", Field.MTIME, ["tar"], ["tar"]))
    assert "TAR_OPTIONS" in cures[0].settings
    tried = [cure.can_be_tried for cure in cures]
    assert tried == sorted(tried, reverse=True)


def test_a_cure_for_one_tool_is_not_offered_for_another():
    assert not any("TAR_OPTIONS" in cure.settings for cure in find_cures("time", Field.MTIME, ["zip"], ["zip"]))


def test_what_changes_a_header_field_of_a_container_is_not_offered_for_one_of_what_it_holds():
    inner = find_cures("time", Field.MTIME, ["tar", "gzip"], ["tar", "gzip"])
    assert not any("GZIP" in cure.settings for cure in inner)
    assert any("GZIP" in cure.settings for cure in find_cures("time", Field.MTIME, ["gzip"], ["gzip"]))


def test_a_flag_that_no_variable_sets_is_advice_before_what_is_general():
    advice = [cure for cure in find_cures("time", Field.CONTENT, ["text"], ["javadoc"]) if not cure.can_be_tried]
    assert "-notimestamp" in advice[0].summary


def test_a_compiler_of_another_language_is_not_advised():
    c, rust = (
        list(find_cures("build_path", Field.CONTENT, ["elf"], tools)) for tools in (["ld", "cc"], ["ld", "rustc"])
    )
    assert not any("RUSTFLAGS" in cure.settings for cure in c)
    assert any("RUSTFLAGS" in cure.settings for cure in rust)
