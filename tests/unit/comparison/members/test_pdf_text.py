"""The text of pages in PDF files, and what follows from it."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.comparison.members.formats.text.pdf_text import show_text
from pytest_ftc.comparison.members.walk import walk

WORDS = st.text(alphabet="abo \\(", max_size=4).map(lambda text: text.replace("\\", "\\\\").replace("(", "\\("))
PARTS = st.lists(WORDS.map("({})".format) | st.integers(-400, 90).map(str), max_size=6)


def test_kerned_words_are_one_text_and_shifts_by_more_are_spaces():
    stream = b"BT\n/F8 9.9 Tf 0 -21.8 Td [(T)83(ext)-333(No)28(v)-334(30)]TJ\nET"
    assert show_text(stream) == (
        b"BT\n/F8 9.9 Tf 0 -21.8 Td [(Text Nov 30)]TJ\nET\nkerning (1) 83 (3) -333 (2) 28 (1) -334 (2)"
    )
    assert show_text(b"[(a\\)b)1.2.3(c)] TJ [1 2] 0 d") == b"[(a\\)bc)]TJ [1 2] 0 d\nkerning (4) 1.2.3 (1)"
    assert show_text(b"(plain) Tj") == b"(plain) Tj"


@given(st.lists(PARTS, max_size=3), st.lists(PARTS, max_size=3))
def test_different_streams_stay_different(one, other):
    streams = [b"\n".join(f"[{''.join(parts)}]TJ".encode() for parts in parts_of) for parts_of in (one, other)]
    if one != other and streams[0] != streams[1]:
        assert show_text(streams[0]) != show_text(streams[1])


def document(text: bytes, *, shift: int = 0, font: bytes = b"a", widths: bytes = b"[500 500.5]") -> bytes:
    page = b"BT\n/F8 9 Tf 0 -%d Td %s TJ\n1 0 0 1 0 %d Tm\nET" % (20, text, 10 + shift)
    streams = [(b"", page), (b"/Length1 %d" % len(font), b"%!PS-AdobeFont\ndup " + font)]
    objects = [
        b"<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (entries, len(packed), packed)
        for entries, content in streams
        for packed in [zlib.compress(content)]
    ]
    objects.append(
        b"<<\n/Rect [1 2 %d.5]\n/FontName /ABCD%s+CMR10\n/CharSet (/a%s)\n%s\n>>" % (shift, b"EF", font, widths)
    )
    numbered = (b"%d 0 obj\n%s\nendobj\n" % (number, each) for number, each in enumerate(objects, 1))
    return b"%PDF-1.5\n" + b"".join(numbered) + b"%%EOF\n"


def places(tmp_path, one: bytes, other: bytes) -> list[tuple[str, str]]:
    for name, data in (("one.pdf", one), ("other.pdf", other)):
        (tmp_path / name).write_bytes(data)
    found = walk(tmp_path / "one.pdf", tmp_path / "other.pdf", "x.pdf")
    return [(leaf.location, leaf.note) for leaf in found.leaves]


def test_positions_and_embedded_glyphs_follow_from_the_text(tmp_path):
    one = document(b"[(b)-20(y)-333(me)]")
    other = document(b"[(b)-20(y)-333(you)]", shift=3, font=b"yo", widths=b"[500 444 1]")
    found = places(tmp_path, one, other)
    assert found[0] == ("PDF object 1 0, line 5", "")
    assert {note for _, note in found[1:]} == {FOLLOWS}
    assert {where.partition(",")[0] for where, _ in found[1:]} == {"PDF object 1 0", "PDF object 2 0", "PDF object 3 0"}


@pytest.mark.parametrize("other", [document(b"[(by)-333(me)]", shift=3), document(b"[(b)-21(y)-333(me)]")])
def test_positions_alone_follow_from_nothing(tmp_path, other):
    found = places(tmp_path, document(b"[(by)-333(me)]"), other)
    assert found
    assert not any(note for _, note in found)


def test_numbers_in_a_text_are_no_positions(tmp_path):
    found = places(tmp_path, document(b"[(page)-333(1)]"), document(b"[(page)-333(2)]"))
    assert found == [("PDF object 1 0, line 5", "")]


@pytest.mark.parametrize("line", [b"%d 7 l", b"/MediaBox [0 0 %d.5 842]", b"/Build %d"])
def test_what_is_drawn_and_numbers_of_the_document_do_not_follow_from_its_text(tmp_path, line):
    one, other = (document(text, widths=line % number) for text, number in ((b"[(me)]", 1), (b"[(you)]", 2)))
    told = dict(places(tmp_path, one, other))
    assert told["PDF object 1 0, line 5"] == ""
    assert [note for where, note in told.items() if where.startswith("PDF object 3 0, ")] == [""]
