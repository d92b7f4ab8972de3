"""Code quality, annotations and the job summary: valid, harmless, and of bounded size."""

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
from report_samples import NOTHING, SESSION, TOOL, everything, finding, finding_of_its_own, with_findings
from samples import verification

from pytest_ftc.model import Verdict
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.ci import code_quality, job_summary, to_annotations
from pytest_ftc.reporting.html.page import to_html
from pytest_ftc.reporting.sarif import to_sarif

SCHEMAS = Path(__file__).parents[2] / "schemas"


CODE_QUALITY = json.loads((SCHEMAS / "gitlab-code-quality.json").read_text())


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
