"""A badge that says how many of the artifacts of a report are reproducible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from pytest_ftc.model.verification import EXPECTED, Verdict

LABEL = "reproducible builds"
_COLOURS = {"brightgreen": "#267a00", "yellow": "#8a6d00", "red": "#b3261e", "lightgrey": "#5f6368"}
"""The names that badge services know, and colours on which white text has a contrast of at least 4.5."""
_LETTER = 6.6
"""Width of a letter of the font below, in pixels, rounded up."""
_GAP = 8


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says."""

    message: str
    colour: str

    def to_endpoint(self) -> dict[str, Any]:
        """Return it in the form that badge services fetch: https://shields.io/badges/endpoint-badge."""
        return {"schemaVersion": 1, "label": LABEL, "message": self.message, "color": self.colour}

    def to_svg(self) -> str:
        """Return it as an image."""
        left, right = (round(len(text) * _LETTER) + 2 * _GAP for text in (LABEL, self.message))
        said = f"{escape(LABEL)}: {escape(self.message)}"
        texts = "".join(
            f'<text x="{middle}" y="14">{escape(text)}</text>'
            for text, middle in ((LABEL, left / 2), (self.message, left + right / 2))
        )
        size = f'width="{left + right}" height="20"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{said}"><title>{said}</title>'
            f'<clipPath id="r"><rect {size} rx="3"/></clipPath>'
            f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444"/>'
            f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[self.colour]}"/></g>'
            '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
            f"{texts}</g></svg>\n"
        )


def make_badge(verdicts: Sequence[Verdict]) -> Badge:
    """Return the badge for a report with these `verdicts`: green only if there are some, and all are reproducible."""
    count = sum(verdict is Verdict.REPRODUCIBLE for verdict in verdicts)
    if not verdicts:
        return Badge("nothing verified", "lightgrey")
    passed = all(verdict in EXPECTED for verdict in verdicts)
    colour = "brightgreen" if count == len(verdicts) else "yellow" if passed else "red"
    return Badge(f"{count} of {len(verdicts)}", colour)
