"""The table of ``ftc objectives``."""

import math
from dataclasses import replace

import pytest

from pytest_ftc.model.objectives.standing import Objective, Standing, Unit
from pytest_ftc.reporting.terminal.objectives import describe_spent, render_objectives, show_seconds, sparkline
from pytest_ftc.reporting.terminal.style import fit_encoding

GOOD = Standing(
    objective=Objective(name="build_success", unit=Unit.SHARE, target=0.995, formula="…"),
    target=0.995,
    value=0.99999,
    window=3 * 86400.0,
    budget_left=0.998,
    burn={"1h": None, "6h": 0.25, "3d": 1234.5},
    daily=(None, 0.5, 1.0),
    unit="share",
)
SPENT = replace(GOOD, value=0.9, budget_left=-math.inf, burn={"1h": math.inf, "6h": 0.0, "3d": 0.0})
UNKNOWN = replace(
    GOOD,
    objective=Objective(name="cost_per_artifact", unit=Unit.MONEY, target=None, formula="…"),
    target=None,
    value=None,
    budget_left=None,
    note="no prices: [tool.ftc.cost]",
)


def test_the_table():
    assert render_objectives([GOOD, SPENT, UNKNOWN], width=100, colour=False).splitlines() == [
        "  objective            value    target   left  burn 1h   6h    3d  days",
        "✔ build_success      99.99 %  ≥ 99.5 %  100 %        -  0.2  1234  ·▁█",
        "✘ build_success         90 %  ≥ 99.5 %  spent      inf  0.0   0.0  ·▁█",
        "  cost_per_artifact  no data      none               -  0.2  1234  ·▁█",
        "  cost_per_artifact: no prices: [tool.ftc.cost]",
    ]


def test_a_narrow_page_leaves_out_the_oldest_days():
    text = render_objectives([replace(GOOD, window=28 * 86400.0, daily=(0.5,) * 27 + (1.0,))], width=70, colour=False)
    assert max(map(len, text.splitlines())) <= 70
    assert text.splitlines()[1].endswith("▁█")


def test_it_can_be_written_in_ascii():
    fit_encoding(render_objectives([GOOD, SPENT], width=100, colour=False), "ascii").encode("ascii")
    assert "\\u" not in fit_encoding(render_objectives([GOOD, SPENT], width=100, colour=False), "ascii")


def test_the_last_line():
    assert describe_spent([UNKNOWN]) == "no data: nothing is recorded of this project in the window"
    assert describe_spent([GOOD, UNKNOWN]) == "no budget of 1 is spent"
    assert describe_spent([GOOD, SPENT]) == "budget spent: build_success"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.023, "0.02 s"), (59.94, "59.9 s"), (90, "1 min 30 s"), (120, "2 min"), (7199.9, "2 h"), (86400 * 2 + 3600, "2 d 1 h")],
)  # fmt: skip
def test_durations(seconds, shown):
    assert show_seconds(seconds) == shown


def test_bars():
    assert sparkline([0.0, 1.0, None, 0.5]) == "▁█·▅"
    assert sparkline([3.0, 3.0]) == "▄▄"
    assert sparkline([None]) == "·"
