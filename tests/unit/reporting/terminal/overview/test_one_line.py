from dataclasses import replace

import pytest
from report_samples import HOSTILE, finding, with_findings
from samples import verification

from pytest_ftc.model import Verdict
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.terminal.overview.one_line import brief_panel, why_not_passed

ONE = "dist/x.whl"


def test_causes_and_the_output_are_named():
    found = [finding(output=ONE, location=place, cause=cause) for place, cause in enumerate(("time", "umask", "time"))]
    assert why_not_passed(with_findings(*found)) == "time, umask in dist/x.whl"


def test_of_many_causes_and_outputs_the_first_are_named():
    found = [finding(number, cause=cause) for number, cause in enumerate(("time", "umask", "home", "pid"))]
    assert why_not_passed(with_findings(*found)) == "time, umask, home, … in dist/file-0.txt and 3 more"


def test_what_the_baseline_accepts_does_not_count_unless_it_is_all():
    found = [finding(output=ONE, cause=cause) for cause in ("time", "umask")]
    one = with_findings(*found)
    known = frozenset({fingerprint(one.id, found[0])})
    assert why_not_passed(one, known) == "umask in dist/x.whl"
    assert why_not_passed(replace(one, findings=found[:1]), known) == "time in dist/x.whl"


@pytest.mark.parametrize(
    ("verdict", "more", "why"),
    [
        (Verdict.FAILED, {}, "the build failed: exit status 3"),
        (Verdict.FAILED, {"reason": ""}, "failed"),
        (Verdict.FRAGILE, {"reason": "breaks under: umask=0002\nand more"}, "fragile: breaks under: umask=0002"),
        (Verdict.ERROR, {"reason": "no git"}, "error: no git"),
        (Verdict.UNREPRODUCIBLE, {"differences": (), "reason": "differs from b"}, "unreproducible: differs from b"),
        (Verdict.REPRODUCIBLE, {"leaks": ("TOKEN is in out",)}, "reproducible, leaks a secret"),
        (
            Verdict.REPRODUCIBLE,
            {"strict": True, "hermeticity": ("it read /etc/x",)},
            "reproducible, not hermetic: it read /etc/x",
        ),
    ],
)
def test_other_verdicts_have_their_reason(verdict, more, why):
    assert why_not_passed(replace(verification(verdict), **more)) == why


def test_a_leak_stands_before_the_causes():
    one = replace(with_findings(finding(output=ONE)), leaks=("TOKEN is in out",))
    assert why_not_passed(one) == "leaks a secret; time in dist/x.whl"


def test_hostile_text_is_one_printable_and_short_line():
    for one in (
        with_findings(finding(output=HOSTILE * 99, cause=HOSTILE)),
        replace(verification(Verdict.FAILED), reason=HOSTILE * 99),
    ):
        text = why_not_passed(one)
        assert text.isprintable()
        assert len(text) <= 300


def brief(one, width=80, **more):
    return brief_panel(one, width=width, colour=False, **more)


def test_in_brief_there_is_the_first_finding_and_the_causes_of_others():
    found = [finding(output=ONE, location="line 1", cause=cause) for cause in ("time", "umask", "home", "umask")]
    assert brief(with_findings(found[0])) == "✘ dist/x.whl: line 1: time (confirmed)\n"
    assert brief(with_findings(*found)) == "✘ dist/x.whl: line 1: time (confirmed); also umask, home\n"
    known = frozenset({fingerprint("ftc.toml::ftc::app", found[0])})
    assert (
        brief(with_findings(*found), known=known) == "✘ dist/x.whl: line 1, in 2 places: umask (confirmed); also home\n"
    )


def test_in_brief_other_verdicts_have_their_reason():
    assert brief(verification(Verdict.FAILED)) == "✘ the build failed: exit status 3\n"


@pytest.mark.parametrize("width", [0, 40, 80])
def test_in_brief_nothing_is_longer_than_a_line(width):
    found = [finding(output=HOSTILE * 9, cause=f"{HOSTILE}{number}", location=HOSTILE) for number in range(9)]
    (line,) = brief(with_findings(*found), width).splitlines()
    assert line.isprintable()
    assert len(line) <= max(40, width)
