"""The page: whole, harmless, and of bounded size."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import SESSION, TOOL, everything, finding, finding_of_its_own, with_findings
from samples import build, verification

from pytest_ftc.model import Evidence, Role, Verdict
from pytest_ftc.reporting.html.page import to_html


class Page(HTMLParser):
    """Collects the tags of a page and checks that they close."""

    EMPTY = ("meta", "input", "br", "link")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.names: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href", "action")]
        self.names += [value or "" for name, value in attributes if name == "id"]
        assert not [name for name, _ in attributes if name.startswith("on")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_harmless_and_loads_nothing():
    page = Page(to_html(everything(), TOOL, SESSION))
    assert page.tags.count("script") == 1
    assert all(link.startswith("#") for link in page.links)
    assert page.tags.count("details") >= len(everything())


@given(st.text(), st.text(), st.text())
def test_any_values_stay_values(one, other, place):
    text = to_html(
        [with_findings(finding(evidence=Evidence(control=one, experiment=other), location=place))], TOOL, SESSION
    )
    text.encode()
    assert Page(text).tags.count("script") == 1


def test_what_can_be_linked_to_is_there_once():
    twins = [
        with_findings(finding(), finding(), finding(1, cause="umask")),
        with_findings(name="a/b"),
        with_findings(name="a-b"),
    ]
    page = Page(to_html(twins, TOOL, SESSION))
    assert len(set(page.names)) == len(page.names)
    assert {link.removeprefix("#") for link in page.links} <= set(page.names)
    assert sum(name.startswith("finding-") for name in page.names) >= 2


def test_a_finding_is_linked_to_by_the_same_name_in_the_next_session():
    pages = [
        Page(to_html([with_findings(finding(evidence=Evidence(control=value, experiment="b")))], TOOL, SESSION))
        for value in ("a", "c")
    ]
    assert pages[0].names == pages[1].names


def test_the_first_screen_says_what_to_type_next():
    one = with_findings(finding(), name="it's")
    text = to_html([verification(Verdict.REPRODUCIBLE), one], TOOL, SESSION)
    top = unescape(text[: text.index("<main>")])
    for command in (
        "ftc determinize 'it'\"'\"'s'",
        "ftc explain time",
        "pytest --ftc-verify 'ftc.toml::ftc::it'\"'\"'s'",
    ):
        assert f"<code>{command}</code>" in top
    assert "Nothing to do" in to_html([verification(Verdict.REPRODUCIBLE)], TOOL, SESSION)


def test_files_beside_the_page_are_linked_to_and_others_only_named():
    (one,) = (verification(Verdict.REPRODUCIBLE),)
    logs = ("/out/logs/javascript:alert(1)?.log", "/elsewhere/x.log")
    builds = tuple(replace(each, log=log) for each, log in zip(one.builds, logs, strict=True))
    page = Page(to_html([replace(one, builds=builds)], TOOL, SESSION, folder="/out"))
    assert [link for link in page.links if not link.startswith("#")] == ["./logs/javascript%3Aalert%281%29%3F.log"]


def test_a_page_with_much_to_tell_opens_only_what_comes_first():
    text = to_html([with_findings(*map(finding_of_its_own, range(20)), name=f"a{n}") for n in range(4)], TOOL, SESSION)
    assert text.count('<details class="artifact" data-verdict="unreproducible" open>') == 2
    assert text.count('<details class="artifact" data-verdict="unreproducible">') == 2


def test_builds_tell_what_was_varied_in_them():
    builds = (build(Role.CONTROL), replace(build(Role.BISECT), environment={"time": "later", "umask": "0022"}))
    text = to_html([replace(with_findings(finding()), builds=builds)], TOOL, SESSION)
    assert '<small class="quiet">time ' in text
    assert "Timeline: 2 builds" in text
    assert "Timeline" not in to_html([replace(with_findings(finding()), builds=builds, cached=True)], TOOL, SESSION)


def test_no_build_is_left_out_without_a_word():
    one = replace(with_findings(finding()), builds=tuple(build(Role.REPEAT) for _ in range(2000)))
    assert "and 1,700 more in report.json" in to_html([one], TOOL, SESSION)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_from_what_is_behind_them(scheme):
    """As WCAG 2 asks of text, https://www.w3.org/TR/WCAG22/#contrast-minimum: 4.5 to 1."""
    style = files("pytest_ftc.reporting.html").joinpath("page.css").read_text()
    tables = [dict(re.findall(r"--(\w+): (#\w+)", part)) for part in re.findall(r":root \{.*?\}", style, re.DOTALL)]
    colours = tables[0] if scheme == "light" else tables[1]
    behind = {name: colours[name] for name in ("back", "panel", "mark")}
    for name in ("text", "quiet", "good", "bad", "odd", "warn", "one", "other"):
        for place, other in behind.items():
            if place != "mark" or name in ("text", "one", "other"):
                assert contrast(colours[name], other) >= 4.5, (name, place)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_page_about_nothing_says_so():
    assert "nothing was verified" in to_html([], TOOL, SESSION)


def test_a_diff_is_folded_in_and_cut(tmp_path):
    diff = tmp_path / "diff.txt"
    diff.write_text("--- a\n├── list\n│ │ -old <b>\n│ │ +new\n" + "x" * 500_000)
    one = with_findings(finding(location="zip entry mtime", output="dist/app.whl", member="app/__init__.py"))
    (difference,) = verification(Verdict.UNREPRODUCIBLE).differences
    text = to_html([replace(one, differences=(replace(difference, diff=str(diff)),))], TOOL, SESSION)
    assert '<div class="one"><mark>old &lt;b&gt;</mark></div><div class="other"><mark>new</mark></div>' in text
    assert "cut here" in text
    assert len(text) < 300_000


def test_of_many_findings_in_one_artifact_the_first_are_open():
    text = to_html([with_findings(*map(finding_of_its_own, range(32)))], TOOL, SESSION)
    assert '<details class="more"><summary>2 more findings</summary>' in text
    assert text.count('<section class="finding"') == 32


def test_the_head_has_the_commit_and_links_to_the_run():
    ci = {"service": "GitHub Actions", "run_id": "7", "run_url": "https://example.org/runs/7"}
    session = {**SESSION, "source": {"commit": "0123456789abcdef", "dirty": True}, "ci": ci}
    text = to_html([], TOOL, session)
    assert 'commit <span class="path">0123456789ab</span> with changes that are not committed' in text
    assert '<a href="https://example.org/runs/7" rel="noreferrer">GitHub Actions run 7</a>' in text
    unsafe = to_html([], TOOL, {**session, "ci": {**ci, "run_url": "javascript:alert(1)"}})
    assert "javascript:" not in unsafe
    assert "GitHub Actions run 7" in unsafe


def test_several_artifacts_are_summed_up_by_cause_and_can_be_filtered():
    ones = [
        *(with_findings(finding(), finding(1), name=f"a{number}") for number in range(7)),
        with_findings(finding(cause="umask", confirmed=False, remedy=None), name="b"),
        verification(Verdict.REPRODUCIBLE),
    ]
    text = to_html(ones, TOOL, SESSION, frozenset())
    (table,) = re.findall('<table class="causes">(.*?)</table>', text, re.DOTALL)
    rows = [" ".join(re.sub("<.*?>", " ", row).split()) for row in table.split("<tr>")[2:]]
    assert rows == [
        "time 7: a0 , a1 , a2 , a3 , a4 , 2 more 14 set it proved",
        "umask 1: b 1, 0 confirmed none is known",
    ]
    assert Page(text).names.count("new") == 1
    options = re.findall("<option[^>]*>(.*?)</option>", text)
    assert options == ["all verdicts", "reproducible", "unreproducible", "all causes", "time", "umask"]
    assert {*re.findall('data-cause="(.*?)"', text)} == {"time", "umask"}
    single = to_html(ones[:1], TOOL, SESSION)
    assert not re.search('<select|id="new"|class="causes"', single)
