"""Errors for the user."""

import pytest

from pytest_ftc.model import errors


def test_the_advice_stands_on_a_line_of_its_own():
    assert str(errors.FtcError("it failed", advice="Do this.")) == "it failed\nDo this."
    assert str(errors.FtcError("it failed")) == "it failed"


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error")])
def test_each_is_caught_with_the_others(name):
    with pytest.raises(errors.FtcError) as raised:
        raise getattr(errors, name)("it failed", advice="Do this.")
    assert (raised.value.message, raised.value.advice) == ("it failed", "Do this.")
