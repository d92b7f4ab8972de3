"""XML by the paths of its elements and attributes."""

import io
import zipfile

import pytest


def places(compare, one, other, name="x.xml"):
    found = compare(one.encode(), other.encode(), name).leaves
    return [(leaf.field.value, leaf.location, leaf.control.decode(), leaf.experiment.decode()) for leaf in found]


def test_texts_attributes_and_comments_have_a_place_each(compare):
    text = '<?xml version="1.0"?>\n<!-- made {} -->\n<svg width="{}"><date>{}</date><g id="{}"/><g>a<b/>{}</g></svg>\n'
    assert places(compare, text.format(1, 2, 3, 4, 5), text.format(6, 7, 8, 9, 0)) == [
        ("content", "element /comment()", " made 1 ", " made 6 "),
        ("content", "attribute /svg/@width", "2", "7"),
        ("content", "element /svg/date", "3", "8"),
        ("content", "attribute /svg/g[1]/@id", "4", "9"),
        ("content", "element /svg/g[2]/text()[2]", "5", "0"),
    ]


def test_two_values_in_one_line_are_two_places(compare):
    text = '<testsuite time="{}" hostname="{}"/>'
    assert [place[1] for place in places(compare, text.format(1, 2), text.format(3, 4))] == [
        "attribute /testsuite/@time",
        "attribute /testsuite/@hostname",
    ]


def test_a_property_list_by_its_keys(compare):
    text = "<plist><dict><key>Name</key><string>a</string><key>Date</key><string>{}</string></dict></plist>"
    assert places(compare, text.format(1), text.format(2)) == [
        ("content", "element /plist/dict/string[Date]", "1", "2")
    ]


def test_the_order_of_elements_and_of_attributes_is_one_place_each(compare):
    one = "<r>\n <a>1</a>\n <b>2</b>\n <a>3</a>\n</r>\n"
    other = "<r>\n <a>3</a>\n <b>2</b>\n <a>1</a>\n</r>\n"
    listed = "<a>1</a>\n<b>2</b>\n<a>3</a>", "<a>3</a>\n<b>2</b>\n<a>1</a>"
    assert places(compare, one, other) == [("order", "order of elements in /r", *listed)]
    assert places(compare, '<r a="1" b="2"/>', '<r b="2" a="1"/>') == [
        ("order", "order of attributes of /r", "a\nb", "b\na")
    ]


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ("<r><a/>{}<c/></r>", "<b>1</b>", "element before /r/c"),
        ("<r><a/><c/>{}</r>", "<b>1</b>", "element at the end of /r"),
    ],
)
def test_an_element_that_one_build_lacks_does_not_move_the_others(compare, one, other, place):
    assert places(compare, one.format(""), one.format(other)) == [("content", place, "", other)]
    (gone,) = places(compare, one.format(other), one.format(""))
    assert gone == ("content", "element /r/b", other, "")


def test_an_attribute_that_one_build_lacks(compare):
    assert places(compare, "<r/>", '<r a="1"/>') == [("content", "attribute /r/@a", "", "1")]


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;{}</a>",
        "<!DOCTYPE html><html><p>{}</p></html>",
        "<a><b></a>{}",
        "<a>" * 150 + "{}" + "</a>" * 150,
        "<a b={}1{}/>",
    ],
    ids=["entities", "html", "broken", "deep", "quotes"],
)
def test_what_is_not_read_as_xml_is_told_by_line(compare, text):
    quotes = text.replace("{}", "'"), text.replace("{}", '"')
    assert [place[1] for place in places(compare, *quotes)] == ["line 1"]


def test_members_of_documents_are_read_too(compare):
    sides = []
    for date in ("2020", "2021"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            info = zipfile.ZipInfo("docProps/core.xml")
            made.writestr(info, f"<?xml version='1.0'?><c:core xmlns:c='urn:c'><c:made>{date}</c:made></c:core>")
        sides.append(file.getvalue())
    (leaf,) = compare(*sides, "x.docx").leaves
    assert (leaf.member, leaf.location) == ("docProps/core.xml", "element /c:core/c:made")


def test_one_of_each_kind_is_listed_before_more_of_one_kind(compare):
    text = "<r>" + "".join(f'<g id="{{0}}{number}"/>' for number in range(40)) + "<date>{1}</date></r>"
    found = compare(text.format("a", 1).encode(), text.format("b", 2).encode(), "x.svg")
    assert len(found.leaves) == 16
    assert found.leaves[0].location == "attribute /r/g[1]/@id" and found.leaves[-1].location == "element /r/date"
    assert found.cut == ("more elements differ in a member than are listed",)
