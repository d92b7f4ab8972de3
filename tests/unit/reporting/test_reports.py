"""SARIF, code quality, annotations, the job summary and the page: valid, harmless, and of bounded size."""

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import build, verification

from pytest_ftc.model import Agreement, Cause, Evidence, Finding, Remedy, Role, Verdict, Verification
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.causes import all_causes, find_cause
from pytest_ftc.reporting.ci import code_quality, job_summary, to_annotations
from pytest_ftc.reporting.html.page import to_html
from pytest_ftc.reporting.sarif import to_sarif

TOOL = {"name": "pytest-ftc", "version": "0.1"}
SESSION = {"started": 1e9, "seconds": 3.0, "python": "3.12", "platform": "Linux", "root": "/project"}
NOTHING: frozenset[str] = frozenset()
SCHEMAS = Path(__file__).parents[2] / "schemas"
SARIF = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text())
CODE_QUALITY = json.loads((SCHEMAS / "gitlab-code-quality.json").read_text())
HOSTILE = "<script>alert(1)</script>\n::error::x\x1b[31m|*`%0A\udce9\u202e"


def finding(number: int = 0, **more: object) -> Finding:
    values: dict[str, object] = {
        "output": f"dist/file-{number}.txt",
        "member": "",
        "location": f"line {number}",
        "cause": "time",
        "confirmed": True,
        "evidence": Evidence(control=f"one {number}", experiment=f"other {number}"),
        "command": ("date", "-u"),
        "remedy": Remedy(summary="set it", settings={"SOURCE_DATE_EPOCH": "0"}, proved=True, tried=True),
    }
    return Finding(**{**values, **more})  # type: ignore[arg-type]


def with_findings(*findings: Finding, name: str = "app") -> Verification:
    one = verification(Verdict.UNREPRODUCIBLE)
    return replace(one, name=name, id=f"ftc.toml::ftc::{name}", findings=findings, differences=())


def everything() -> list[Verification]:
    hostile = finding(
        output=HOSTILE,
        member=HOSTILE,
        location=HOSTILE,
        command=(HOSTILE,),
        given=(HOSTILE,),
        why=HOSTILE,
        remedy=Remedy(summary=HOSTILE, also_tried=(HOSTILE,)),
    )
    return [
        *(replace(verification(verdict), reason=HOSTILE) for verdict in Verdict),
        with_findings(finding(), finding(1), name=HOSTILE.replace("\n", "")),
        replace(
            with_findings(hostile),
            leaks=(HOSTILE,),
            notes=(HOSTILE,),
            agreement=Agreement(builds=2, machines=1, days=1),
        ),
    ]


def test_sarif_is_valid():
    document = to_sarif(everything(), TOOL, {"ftc.toml::ftc::app": 7}, NOTHING)
    jsonschema.Draft4Validator(SARIF).validate(json.loads(json.dumps(document)))
    results = document["runs"][0]["results"]
    assert {result["ruleId"] for result in results} == {
        rule["id"] for rule in document["runs"][0]["tool"]["driver"]["rules"]
    }
    assert any(result["locations"][0]["physicalLocation"]["region"]["startLine"] == 7 for result in results)


def test_each_rule_of_sarif_says_what_code_scanning_shows():
    strange = with_findings(finding(cause="phase_of_the_moon"))
    rules = to_sarif([*everything(), strange], TOOL, {}, NOTHING)["runs"][0]["tool"]["driver"]["rules"]
    assert {"failed", "fragile", "error", "time", "phase_of_the_moon"} <= {rule["id"] for rule in rules}
    assert all(rule[key]["text"] for rule in rules for key in ("shortDescription", "fullDescription", "help"))


def test_the_schema_of_sarif_refuses_what_is_not():
    document = to_sarif(everything(), TOOL, {}, NOTHING)
    del document["runs"][0]["tool"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(SARIF).validate(document)


def test_code_quality_is_as_gitlab_describes_it():
    entries = code_quality([*everything(), with_findings(*map(finding, range(9)))], {}, NOTHING)
    jsonschema.validate(json.loads(json.dumps(entries)), CODE_QUALITY)
    marks = [entry["fingerprint"] for entry in entries]
    assert len(set(marks)) == len(marks)


def test_what_is_known_is_told_in_a_low_voice():
    one = with_findings(finding())
    known = frozenset({fingerprint(one.id, one.findings[0])})
    assert to_sarif([one], TOOL, {}, known)["runs"][0]["results"][0]["level"] == "note"
    assert code_quality([one], {}, known)[0]["severity"] == "info"
    assert to_annotations([one], {}, known)[0].startswith("::notice ")
    assert 'class="finding known"' in to_html([one], TOOL, SESSION, known)


def test_annotations_are_one_command_a_line_whatever_is_in_them():
    lines = to_annotations(everything(), {}, NOTHING)
    assert 0 < len(lines) <= 10
    for line in lines:
        assert re.fullmatch(r"::(error|notice) file=[^,:]*,line=\d+,title=[^,:]{1,600}::.*", line)
        assert line.isprintable()


def test_many_lines_of_a_reason_are_one_command():
    one = replace(verification(Verdict.FAILED), reason="first, 100%\r\nsecond: ::error::third")
    (line,) = to_annotations([one], {}, NOTHING)
    assert line.endswith("::first, 100%25\\r%0Asecond: ::error::third")


def test_known_findings_take_no_room_from_new_ones_and_the_last_annotation_counts_the_rest():
    one = with_findings(*(finding_of_its_own(number) for number in range(40)))
    known = frozenset(fingerprint(one.id, each) for each in one.findings[:20])
    lines = to_annotations([one], {}, known)
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 10 + ["::notice"] * 10
    assert lines[9].endswith("::and 11 more in the job's summary")
    assert lines[19].endswith("::and 11 more in the job's summary")


def test_the_summary_stays_below_what_github_takes():
    long = "\U0001f600" * 5000
    many = [
        with_findings(*(finding(n, output=f"{long}.k{n}") for n in range(30)), name=f"{long}{n}") for n in range(600)
    ]
    text = job_summary(many)
    assert 100_000 < len(text.encode()) < 1 << 20
    assert re.search(r"\| and \d+ more \|", text)
    assert "- and 20 more in the report" in job_summary(many[:1])


def test_the_summary_is_a_table_of_harmless_text():
    text = job_summary(everything())
    rows = [line for line in text.split("\n") if line.startswith("|")]
    assert len(rows) == 2 + len(everything())
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)
    assert "<script>" not in text.replace("\\<script\\>", "")


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
    assert "Nothing is to be done" in to_html([verification(Verdict.REPRODUCIBLE)], TOOL, SESSION)


def test_files_beside_the_page_are_linked_to_and_others_only_named():
    (one,) = (verification(Verdict.REPRODUCIBLE),)
    logs = ("/out/logs/javascript:alert(1)?.log", "/elsewhere/x.log")
    builds = tuple(replace(each, log=log) for each, log in zip(one.builds, logs, strict=True))
    page = Page(to_html([replace(one, builds=builds)], TOOL, SESSION, folder="/out"))
    assert [link for link in page.links if not link.startswith("#")] == ["./logs/javascript%3Aalert%281%29%3F.log"]


def test_a_page_with_much_to_tell_opens_only_what_comes_first():
    text = to_html([with_findings(*map(finding_of_its_own, range(20)), name=f"a{n}") for n in range(4)], TOOL, SESSION)
    assert text.count('<details class="artifact" open>') == 2
    assert text.count('<details class="artifact">') == 2


def finding_of_its_own(number: int) -> Finding:
    return finding(number, output=f"out.kind-{chr(ord('A') + number)}")


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
    assert '<span class="del">│ │ -old &lt;b&gt;</span>' in text
    assert "cut here" in text
    assert len(text) < 300_000


def test_of_many_findings_in_one_artifact_the_first_are_open():
    text = to_html([with_findings(*map(finding_of_its_own, range(32)))], TOOL, SESSION)
    assert '<details class="more"><summary>2 more findings</summary>' in text
    assert text.count('<section class="finding"') == 32


def test_a_finding_keeps_its_fingerprint_when_lines_and_versions_change():
    before = finding(output="dist/app-1.2.whl", location="line 12", evidence=Evidence(control="a", experiment="b"))
    after = finding(output="dist/app-1.3.whl", location="line 15", evidence=Evidence(control="c", experiment="d"))
    assert fingerprint("i", before) == fingerprint("i", after)
    for change in ({"cause": "umask"}, {"output": "dist/other.whl"}, {"member": "m"}, {"location": "byte 0x2c"}):
        assert fingerprint("i", finding(**change)) != fingerprint("i", finding())
    assert fingerprint("i", before) != fingerprint("j", before)


def test_every_cause_that_a_finding_may_have_is_explained():
    assert {cause.name for cause in all_causes()} == {cause.value for cause in Cause}
    assert find_cause("nothing") is None
    assert all(cause.remedies and cause.source.startswith("https://") for cause in all_causes())
