"""The page where there is much to tell, as benchmarks/report.py makes it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from report import SESSION, TOOL, make

from pytest_ftc.reporting.html.page import to_html


@pytest.mark.parametrize("artifacts", [1, 50])
def test_five_hundred_findings_and_two_thousand_builds_are_no_burden(artifacts: int) -> None:
    made = make(artifacts)
    assert sum(len(one.builds) for one in made) == 2000
    begin = time.perf_counter()
    text = to_html(made, TOOL, SESSION)
    assert time.perf_counter() - begin < 2
    assert len(text.encode()) < 5_000_000
    assert text.count('<section class="finding"') == 500
