import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import verification

from pytest_ftc.model import Verdict
from pytest_ftc.printable import printable
from pytest_ftc.reporting.markup import fit_encoding
from pytest_ftc.reporting.terminal import failure_panel, summary_lines

AGAIN = "pytest --ftc-verify 'pyproject.toml::ftc::app'"
BAD = [verdict for verdict in Verdict if verdict is not Verdict.REPRODUCIBLE]


def panel(verdict: Verdict, width: int = 80, colour: bool = False, **sample: object) -> str:
    return failure_panel(verification(verdict, **sample), width=width, colour=colour, rerun=AGAIN)


@pytest.mark.parametrize("verdict", BAD)
def test_what_a_maintainer_needs_is_on_the_first_screen(verdict):
    text = panel(verdict)
    lines = text.splitlines()
    assert len(lines) <= 24
    assert verdict.value in lines[0]
    assert "app" in lines[0]
    assert AGAIN in text
    for needed in {
        Verdict.UNREPRODUCIBLE: ("dist/app.whl", "zip entry mtime", "2026-11-23", "2027-12-26", "full diff", "varied", "not varied"),
        Verdict.FAILED: ("exit status 3", "no such file", "app-control.log"),
        Verdict.FRAGILE: ("exit status 3", "no such file", "app-experiment.log", "varied"),
        Verdict.ERROR: ("exit status 3",),
    }[verdict]:  # fmt: skip
        assert needed in text


def test_the_two_values_stand_under_each_other():
    lines = panel(Verdict.UNREPRODUCIBLE, value="x" * 200).splitlines()
    control = next(line for line in lines if line.startswith("  control"))
    experiment = next(line for line in lines if line.startswith("  experiment"))
    assert control.index("2026-11-23") == experiment.index("2027-12-26")


def test_colour_is_never_the_only_carrier_and_can_be_left_out():
    coloured, plain = (panel(Verdict.UNREPRODUCIBLE, colour=colour) for colour in (True, False))
    assert "\x1b[" in coloured
    assert "\x1b" not in plain


def test_many_alike_are_folded():
    text = panel(Verdict.UNREPRODUCIBLE, many=412)
    assert "(and 411 more like it)" in text
    assert len(text.splitlines()) <= 24


@given(st.text(st.characters(), max_size=60), st.integers(40, 160), st.sampled_from(BAD))
def test_hostile_text_neither_reaches_the_terminal_nor_leaves_its_columns(hostile, width, verdict):
    text = panel(verdict, width, output=hostile or "x", value=hostile, tail=hostile)
    assert text.replace("\n", "").isprintable()
    for line in text.splitlines():
        copied = line.lstrip().startswith(("again", "full diff", "full log", "logs"))
        assert copied or sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) <= width


@given(st.text())
def test_printable_text_stays_as_it_is(text):
    shown = printable(text)
    assert printable(shown) == shown
    if text.isprintable() and text.isascii():
        assert shown == text


def test_the_summary_is_one_line_an_artifact_and_says_each_reason_once():
    entries = [replace(verification(v), id=v.value) for v in (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)]
    lines = summary_lines(entries, width=100, colour=False, verbose=False).splitlines()
    assert lines[0] == "✔ reproducible    app  2 builds, 9 of 10 variations, 3.5 s"
    assert lines[1] == "✘ unreproducible  app  2 builds, 9 of 10 variations, 3.5 s"
    assert lines[2:] == ["  not varied fileordering: namespaces are refused here; allow unshare(2)"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", None])
def test_what_a_terminal_cannot_show_is_spelled_out(encoding):
    text = fit_encoding(panel(Verdict.UNREPRODUCIBLE, output="dist/日本"), encoding)
    assert text.encode(encoding or "utf-8")
    assert ("✘" in text) == (encoding in ("utf-8", None))
    assert ("x unreproducible  app" in text) == (encoding in ("ascii", "latin-1"))
