"""What each cause means."""

from pytest_ftc.model import Cause
from pytest_ftc.reporting.causes import all_causes, find_cause


def test_every_cause_that_a_finding_may_have_is_explained():
    assert {cause.name for cause in all_causes()} == {cause.value for cause in Cause}
    assert find_cause("nothing") is None
    assert all(cause.remedies and cause.source.startswith("https://") for cause in all_causes())
