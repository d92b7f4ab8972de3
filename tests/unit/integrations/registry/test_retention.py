"""When what is published expires."""

from datetime import datetime, timedelta, timezone

import pytest

from pytest_ftc.integrations.registry.documents import EXPIRES
from pytest_ftc.integrations.registry.retention import expire_after, expiry_of, is_past

DAY = 86400


def test_it_is_the_end_of_a_day_so_that_publishing_again_changes_nothing():
    morning = datetime(2026, 11, 27, 8, 0, 1, tzinfo=timezone.utc)
    assert expire_after(90 * DAY, morning) == expire_after(90 * DAY, morning.replace(hour=23)) == "2027-02-26T00:00:00Z"
    elsewhere = morning.replace(hour=23).astimezone(timezone(timedelta(hours=5)))
    assert expire_after(90 * DAY, elsewhere) == "2027-02-26T00:00:00Z"
    assert expiry_of({EXPIRES: expire_after(0, morning)}) == datetime(2026, 11, 28, tzinfo=timezone.utc)


@pytest.mark.parametrize("text", ["", "soon", "2026-11-27", "2026-11-27T00:00:00+01:00", "9999-99-99T00:00:00Z"])
def test_what_does_not_say_well_when_it_expires_does_not(text):
    assert expiry_of({EXPIRES: text}) is None
    assert expiry_of({}) is None


def test_the_time_itself_is_past():
    assert is_past(datetime.now(timezone.utc))
    assert not is_past(datetime.now(timezone.utc) + timedelta(minutes=1))
