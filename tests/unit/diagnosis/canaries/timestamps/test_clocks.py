"""Which clock two times follow."""

from planted import CONTROL, EXPERIMENT, LATER, NOW

from pytest_ftc.diagnosis.canaries.timestamps.clocks import Judge
from pytest_ftc.diagnosis.canaries.timestamps.text import Stamp
from pytest_ftc.model import Cause


def judge(one, other, control=CONTROL, experiment=EXPERIMENT):
    stamps = Stamp(0, 1, float(one), 1.0, zone=0), Stamp(0, 1, float(other), 1.0, zone=0)
    return {cause for cause, _, _ in Judge(control, experiment).judge(*stamps)}


def test_times_within_the_builds_follow_the_clock():
    assert Cause.TIME in judge(NOW + 5, LATER + 5)


def test_times_outside_of_the_builds_do_not():
    assert Cause.TIME not in judge(NOW - 10**7, LATER + 3 * 10**6)


def test_times_shifted_with_the_sources_follow_them():
    assert Cause.SOURCE_MTIME in judge(NOW - 100, NOW - 100 + EXPERIMENT.source_mtime_shift)
