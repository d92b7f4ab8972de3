"""Causes over all artifacts."""

from report_samples import finding, with_findings

from pytest_ftc.model import Remedy
from pytest_ftc.reporting.by_cause import group_by_cause


def test_the_cause_of_the_most_artifacts_comes_first() -> None:
    ones = [
        with_findings(finding(cause="umask"), finding(1, cause="umask"), finding(2, cause="umask"), name="a"),
        with_findings(finding(cause="time"), name="b"),
        with_findings(finding(cause="time", confirmed=False), finding(cause="user"), name="c"),
    ]
    assert [
        (one.cause, [artifact.name for artifact in one.artifacts], len(one.findings), one.confirmed)
        for one in group_by_cause(ones)
    ] == [("time", ["b", "c"], 2, 1), ("umask", ["a"], 3, 3), ("user", ["c"], 1, 1)]
    assert group_by_cause([with_findings()]) == []


def test_the_same_remedy_counts_once_and_a_proved_one_comes_first() -> None:
    remedies = [Remedy(summary="b"), Remedy(summary="a"), Remedy(summary="c", proved=True), Remedy(summary="a"), None]
    (one,) = group_by_cause([with_findings(*(finding(number, remedy=each) for number, each in enumerate(remedies)))])
    assert [(remedy.summary, remedy.proved) for remedy in one.remedies] == [("c", True), ("b", False), ("a", False)]
    again = [Remedy(summary="a"), Remedy(summary="a", proved=True)]
    (one,) = group_by_cause([with_findings(*(finding(number, remedy=each) for number, each in enumerate(again)))])
    assert [remedy.proved for remedy in one.remedies] == [True]
