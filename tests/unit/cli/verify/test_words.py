"""The words after ``ftc verify``."""

import pytest

from pytest_ftc.cli.verify.reprotest.flags import FLAGS
from pytest_ftc.cli.verify.words import Words, read_words
from pytest_ftc.model.errors import ConfigurationError


def test_words_are_sorted_wherever_they_stand():
    words = read_words(
        [
            "-v",
            "--vary=-time",
            "make all",
            "--vary",
            "+umask",
            "--ftc-json",
            "r.json",
            "out",
            "-n",
            "2",
            "--min-cpus=1",
            "-x",
        ]
    )
    assert words == Words(
        targets=["make all", "out"],
        flags={"--vary": ["-time", "+umask"], "--min-cpus": ["1"]},
        passed=["-v", "--ftc-json", "r.json", "-n", "2", "-x"],
    )


def test_what_stands_behind_two_dashes_is_the_virtual_server():
    assert read_words(["make", "--", "null", "-d"]) == Words(targets=["make"], server=["null", "-d"])


@pytest.mark.parametrize("given", [["-c", "make"], ["-cmake"], ["--build-command=make"], ["--build-command", "make"]])
def test_a_flag_has_its_value_in_the_same_word_or_in_the_next(given):
    assert read_words(given) == Words(flags={"--build-command": ["make"]})


def test_a_value_may_be_empty_or_begin_with_a_dash():
    assert read_words(["--extra-build=", "--vary", "-time"]).flags == {"--extra-build": [""], "--vary": ["-time"]}


def test_s_is_the_source_if_a_path_follows_and_else_an_option_of_pytest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_words(["-s", ".", "make"]) == Words(targets=["make"], flags={"--source-root": ["."]})
    assert read_words(["wheel", "-s"]) == Words(targets=["wheel"], passed=["-s"])
    assert read_words(["-s", "wheel"]) == Words(targets=["wheel"], passed=["-s"])


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.refused], ids=lambda flag: flag.name)
def test_a_flag_without_counterpart_is_refused_with_what_is_nearest(flag):
    with pytest.raises(ConfigurationError) as caught:
        read_words([flag.name, "value"])
    assert str(caught.value).startswith(f"{flag.name} has no counterpart; nearest: ")
    assert "`" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--vary"], "--vary: expected SPEC"),
        (["--varry=-time"], "there is no option --varry; did you mean '--vary'?"),
        (["--variation=-time"], "there is no option --variation; did you mean '--variations'?"),
    ],
)
def test_mistakes(given, message):
    with pytest.raises(ConfigurationError) as caught:
        read_words(given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "option", ["--verbose", "--version", "--collect-only", "--lf", "--durations=3", "--ftc-variations=time"]
)
def test_options_of_pytest_are_no_misspelt_flags(option):
    assert read_words([option]).passed == [option]
