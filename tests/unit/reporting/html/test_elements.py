"""What is not markup by type is escaped, whoever forgets it."""

from markupsafe import Markup
from report_samples import HOSTILE

from pytest_ftc.reporting.html.elements import folded, line, link_file, link_here, text


def test_a_plain_string_in_place_of_markup_is_escaped():
    (opened, *_) = folded(HOSTILE, [], style='"><script>')
    assert "<script>" not in opened
    assert "<script>" not in link_here(HOSTILE, HOSTILE)
    assert "<script>" not in link_file(f"/out/{HOSTILE}", "/out")


def test_every_element_is_markup_by_type():
    elements = (text(HOSTILE), line(HOSTILE), link_here("a", "b"), link_file("a", ""), *folded("a", [Markup()]))
    assert all(isinstance(each, Markup) for each in elements)
    assert line(HOSTILE).isprintable()
