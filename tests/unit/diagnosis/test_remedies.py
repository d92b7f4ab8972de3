"""The catalogue of templates."""

import pytest

from pytest_ftc.diagnosis.remedies import catalogue, find_remedies
from pytest_ftc.model import Field
from pytest_ftc.variations import CATALOGUE

CAUSES = {variation.name for variation in CATALOGUE} | {"random", "race", "duration"}


def test_its_causes_are_those_of_the_vocabulary():
    assert {cause for template in catalogue() for cause in template.causes} == CAUSES


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_has_advice_that_fits_everywhere(cause):
    assert list(find_remedies(cause, Field.CONTENT, ["text"], ["unknown-tool"]))


def test_every_cure_says_what_it_rests_on():
    assert all(template.source and template.summary for template in catalogue())


def test_what_can_be_tried_comes_first_and_the_most_specific_of_that():
    templates = list(find_remedies("time", Field.MTIME, ["tar"], ["tar"]))
    assert "TAR_OPTIONS" in templates[0].settings
    tried = [template.can_be_tried for template in templates]
    assert tried == sorted(tried, reverse=True)


def test_a_cure_for_one_tool_is_not_offered_for_another():
    assert not any(
        "TAR_OPTIONS" in template.settings for template in find_remedies("time", Field.MTIME, ["zip"], ["zip"])
    )


def test_what_changes_a_header_field_of_a_container_is_not_offered_for_one_of_what_it_holds():
    inner = find_remedies("time", Field.MTIME, ["tar", "gzip"], ["tar", "gzip"])
    assert not any("GZIP" in template.settings for template in inner)
    assert any("GZIP" in template.settings for template in find_remedies("time", Field.MTIME, ["gzip"], ["gzip"]))


def test_a_flag_that_no_variable_sets_is_advice_before_what_is_general():
    advice = [
        template
        for template in find_remedies("time", Field.CONTENT, ["text"], ["javadoc"])
        if not template.can_be_tried
    ]
    assert "-notimestamp" in advice[0].summary


@pytest.mark.parametrize("formats", [["data"], ["data", "zip"], ["text", "image"], ["image"]])
@pytest.mark.parametrize("cause", ["build_path", "random"])
def test_no_compiler_is_advised_where_none_has_written(cause, formats):
    """A pickle or an image of a file system holds bytes too, but those of other programs."""
    assert not any("compiler" in template.summary for template in find_remedies(cause, Field.CONTENT, formats, ["cc"]))
    assert any("compiler" in template.summary for template in find_remedies(cause, Field.CONTENT, ["binary"], ["cc"]))


def test_a_compiler_of_another_language_is_not_advised():
    c, rust = (
        list(find_remedies("build_path", Field.CONTENT, ["elf"], tools)) for tools in (["ld", "cc"], ["ld", "rustc"])
    )
    assert not any("CARGO_BUILD_RUSTFLAGS" in template.settings for template in c)
    assert any("CARGO_BUILD_RUSTFLAGS" in template.settings for template in rust)


@pytest.mark.parametrize(("ran", "helps"), [((), True), (("make", "tar", "gzip"), True), (("make", "cpack"), False)])
def test_the_options_of_a_program_help_only_builds_that_ran_it(ran, helps):
    remedies = find_remedies("time", Field.MTIME, ["tar"], ["make"], ran)
    assert any("TAR_OPTIONS" in template.settings for template in remedies) == helps


def test_a_build_without_a_compiler_of_c_is_given_none_of_its_options():
    first = next(find_remedies("build_path", Field.CONTENT, ["binary"], ["rustc", "cargo"], ["rustc", "cargo"]))
    assert "CARGO_BUILD_RUSTFLAGS" in first.settings
    called = find_remedies("build_path", Field.CONTENT, ["binary"], ["rustc"], ["rustc", "sh"])
    assert next(called).summary == "pass --remap-path-prefix=$PWD=. to rustc"


@pytest.mark.parametrize(
    ("cause", "tools", "setting"),
    [
        ("time", ["mkfs.vfat", "sh"], "--invariant -i"),
        ("random", ["mkdosfs"], "--invariant -i"),
        ("pid", ["pre-grohtml"], "-P-I"),
        ("time", ["node", "svg2ttf"], "--ts"),
        ("time", ["perl", "MExtUtils::Command::MM"], "NO_PERLLOCAL=1"),
        ("random", ["mkfs.ext4"], "hash_seed="),
        ("time", ["genisoimage"], "xorriso -as mkisofs"),
        ("time", ["java", "mvn"], "project.build.outputTimestamp"),
        ("random", ["uuidgen"], "--sha1"),
    ],
)
def test_a_setting_of_the_tools_own_is_the_first_advice_and_only_for_it(cause, tools, setting):
    def advice(given):
        return [one.summary for one in find_remedies(cause, Field.CONTENT, ["data"], given) if not one.can_be_tried]

    assert setting in advice(tools)[0]
    assert not any(setting in one for one in advice(["perl", "node", "sh"]))


def test_an_archive_of_gradle_has_its_own_advice():
    advice = [one.summary for one in find_remedies("time", Field.MTIME, ["zip"], ["java", "gradlew"])]
    assert any("preserveFileTimestamps" in one for one in advice)


@pytest.mark.parametrize(("tool", "offered"), [("libQtCore", True), ("pyrcc5", True), ("python3", False)])
def test_the_seed_of_qt_is_fixed_where_a_program_of_qt_wrote(tool, offered):
    found = find_remedies("random", Field.ORDER, ["text"], ["python3", tool])
    assert any(template.settings == {"QT_HASH_SEED": "0"} for template in found) == offered


def test_a_random_order_is_to_be_sorted_and_is_no_identifier():
    order, content = (
        next(iter(find_remedies("random", field, ["text"], ["make"]))) for field in (Field.ORDER, Field.CONTENT)
    )
    assert "sort" in order.summary
    assert "identifiers" not in order.summary
    assert "identifiers" in content.summary


def test_a_temporary_folder_is_given_a_name_and_its_generator_no_seed():
    by_compiler, by_script = (
        next(iter(find_remedies("random", Field.CONTENT, [kind], ["make", "gcc", "temporary name"], ran)))
        for kind, ran in (("elf", ["cc1"]), ("text", ["cc1"]))
    )
    assert "-ffile-prefix-map" in by_compiler.summary
    assert by_script.summary.startswith("give the folder or file a fixed name")
    assert "seed" not in by_compiler.summary + by_script.summary
