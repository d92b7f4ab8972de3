"""Sizes and durations on the command line."""

from argparse import ArgumentTypeError

import pytest

from pytest_ftc.cli.quantities import count, duration, rate, size


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("2m", 120), ("12h", 43200), ("30d", 2592000), ("1w", 604800)]
)
def test_a_duration_has_a_unit(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "3", "3x", "-1d", "1.5h", "٣d"])
def test_an_invalid_duration_is_named(text):
    with pytest.raises(ArgumentTypeError, match=f"invalid duration '{text}'"):
        duration(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("10", 10), ("1k", 1024), ("2M", 2 << 20), ("10G", 10 << 30)])
def test_a_size_may_have_a_unit(text, number):
    assert size(text) == number


@pytest.mark.parametrize("text", ["", "G", "-1", "1T", "1.5G", "much"])
def test_an_invalid_size_is_named(text):
    with pytest.raises(ArgumentTypeError, match=f"invalid size '{text}'"):
        size(text)


@pytest.mark.parametrize(
    ("text", "number"), [("20MB/s", 20 << 20), ("500K", 500 << 10), ("1G/s", 1 << 30), ("7B/s", 7)]
)
def test_a_rate_is_in_bytes_a_second(text, number):
    assert rate(text) == number


@pytest.mark.parametrize("text", ["", "0", "-1M", "fast", "20Mb/s", "20MB/h"])
def test_an_invalid_rate_is_named(text):
    with pytest.raises(ArgumentTypeError, match=f"invalid rate '{text}'"):
        rate(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "many", "1001", "9" * 5000])
def test_an_invalid_number_is_named(text):
    assert count("1000") == 1000
    with pytest.raises(ArgumentTypeError, match="invalid number"):
        count(text)
