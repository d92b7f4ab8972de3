"""Places that seemed to follow from others, after builds with remedies."""

import pytest

from pytest_ftc.diagnosis.conclude import FOLLOWS_BY_BUILDS
from pytest_ftc.diagnosis.following.refuted import without_refuted
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.trials.bench import Outcome
from pytest_ftc.diagnosis.trials.target import RemedyTarget
from pytest_ftc.diagnosis.try_remedies import RemedyTrials
from pytest_ftc.model import Evidence, Field, Finding, Place

ZONE, DIGEST = (Key("manual.pdf", "", location, Field.CONTENT) for location in ("PDF /CreationDate", "PDF object 4 0"))


def found(key: Key, *, known: bool, why: str) -> tuple[Finding, RemedyTarget]:
    place = Place(field=key.field, location=key.location, control=b"1", experiment=b"2")
    target = RemedyTarget(key=key, place=place, cause="timezone", known=known, tools=())
    evidence = Evidence(control="1", experiment="2")
    finding = Finding(
        member="",
        output=key.output,
        location=key.location,
        cause="timezone",
        confirmed=known,
        why=why,
        evidence=evidence,
    )
    return finding, target


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (Outcome(equal=frozenset({ZONE}), differing={DIGEST: found(DIGEST, known=False, why="")[1].place}), "unknown"),
        (Outcome(equal=frozenset({ZONE, DIGEST})), "timezone"),
        (Outcome(differing={key: found(key, known=False, why="")[1].place for key in (ZONE, DIGEST)}), "timezone"),
        (Outcome(failure="it breaks the build"), "timezone"),
    ],
)
def test_what_differs_though_what_it_seemed_to_follow_from_is_healed_has_no_known_cause(outcome, cause):
    given = [
        found(ZONE, known=True, why="it contains the time zone"),
        found(DIGEST, known=False, why=f"{FOLLOWS_BY_BUILDS}, whose cause is timezone"),
    ]
    trials = RemedyTrials(lambda *_: {}, None, 0, built=[(frozenset(), outcome)])
    (zone, _), (digest, _) = without_refuted(given, trials)
    assert (zone.cause, digest.cause) == ("timezone", cause)
    assert digest.confirmed is False
