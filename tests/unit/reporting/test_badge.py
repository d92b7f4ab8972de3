"""The badge of a report."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pytest_ftc.model.verification import Verdict
from pytest_ftc.reporting.badge import make_badge

GOOD, NEAR = Verdict.REPRODUCIBLE, Verdict.EQUIVALENT


@pytest.mark.parametrize(
    ("verdicts", "message", "colour"),
    [
        ([], "nothing verified", "lightgrey"),
        ([GOOD, GOOD], "2 of 2", "brightgreen"),
        ([GOOD, NEAR], "1 of 2", "yellow"),
        *[([GOOD, bad], "1 of 2", "red") for bad in Verdict if bad not in (GOOD, NEAR)],
    ],
)
def test_it_is_green_only_if_all_are_reproducible(verdicts: list[Verdict], message: str, colour: str) -> None:
    badge = make_badge(verdicts)
    assert badge.to_endpoint() == {
        "schemaVersion": 1,
        "label": "reproducible builds",
        "message": message,
        "color": colour,
    }
    image = ElementTree.fromstring(badge.to_svg())
    assert [one.text for one in image.findall(".//{*}text")] == ["reproducible builds", message]
    assert image.get("aria-label") == f"reproducible builds: {message}"
