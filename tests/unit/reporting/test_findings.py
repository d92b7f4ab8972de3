"""From differences to findings, and which of them are shown together."""

import subprocess
from dataclasses import replace

import pytest
from samples import verification

from pytest_ftc.model import Evidence, Finding, Remedy, Verdict
from pytest_ftc.reporting.findings import (
    describe_remedy_state,
    findings_of,
    fold,
    show_certainty,
    show_command,
    show_settings,
)

FOUND = Finding(
    output="dist/a.html",
    member="",
    location="line 3",
    cause="time",
    confirmed=True,
    evidence=Evidence(control="made 2026-11-23", experiment="made 2027-12-26"),
)


def test_a_difference_that_no_finding_covers_is_one_of_unknown_cause():
    given = verification(Verdict.UNREPRODUCIBLE, many=2)
    first = given.differences[0]
    known = replace(FOUND, output=first.output, member=first.member, location=first.location)
    findings = findings_of(replace(given, findings=(known,)))
    assert [(one.output, one.cause) for one in findings] == [
        (first.output, "time"),
        (given.differences[1].output, "unknown"),
    ]
    assert not findings[1].confirmed


def grouped(*findings: Finding) -> list[int]:
    return [len(group) for group in fold(findings)]


@pytest.mark.parametrize(
    ("changes", "together"),
    [
        ({"output": "dist/b.html"}, True),
        ({"location": "line 99", "evidence": Evidence(control="x", experiment="y")}, True),
        ({"output": "dist/b.js"}, False),
        ({"cause": "umask"}, False),
        ({"confirmed": False}, False),
        ({"command": ("sphinx-build",)}, False),
        ({"remedy": Remedy(summary="set it")}, False),
    ],
)
def test_findings_of_one_cause_and_remedy_in_files_of_one_format_are_grouped(changes, together):
    assert grouped(FOUND, replace(FOUND, **changes)) == ([2] if together else [1, 1])


UNKNOWN = replace(FOUND, cause="unknown", confirmed=False)


@pytest.mark.parametrize(
    ("changes", "together"),
    [
        ({"location": "line 7"}, True),
        ({"evidence": Evidence(control="made 2001-01-02", experiment="made 2002-02-03")}, True),
        ({"location": "zip entry mtime"}, False),
        ({"evidence": Evidence(control="made by a", experiment="made by b, c")}, False),
    ],
)
def test_without_a_cause_the_kind_of_place_and_of_change_count_too(changes, together):
    assert grouped(UNKNOWN, replace(UNKNOWN, **changes)) == ([2] if together else [1, 1])


def test_how_certain_a_finding_is():
    assert show_certainty(replace(FOUND, confirmed=False)) == "suspected"
    assert show_certainty(FOUND) == "confirmed"
    assert show_certainty(replace(FOUND, builds=7)) == "confirmed, 7 builds"


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"proved": True, "tried": True}, "proved by rebuilding"),
        ({"tried": True}, "tested, not sufficient"),
        ({"equal_pairs": 2}, "equal in 2 of 2 tests, too few to rule out luck"),
        ({}, "suggestion, not tested"),
    ],
)
def test_what_is_known_of_a_remedy(known, told):
    assert describe_remedy_state(Remedy(summary="x", **known)) == told


def test_a_command_is_shown_as_it_is_typed_and_a_hook_by_its_name():
    assert show_command(["gcc", "-o", "my file"]) == "gcc -o 'my file'"
    hook = ["python", "/x/pyproject_hooks/_in_process/_in_process.py", "build_wheel", "/tmp/c"]
    assert show_command(hook) == "build_wheel of the build backend (PEP 517)"
    far = f"/{'x' * 40}/bin/rustc"
    assert show_command([far, "/src/lib.rs"]) == "rustc /src/lib.rs"


def test_settings_are_shown_as_a_shell_sets_them(tmp_path):
    settings = {"FLAGS": "--remap=$PWD=. -D'A=\"$x\"'", "TZ": "UTC", "OTHER": "$HOME `id`"}
    script = f'{show_settings(settings)} && printf "%s|" "$FLAGS" "$TZ" "$OTHER"'
    shown = subprocess.check_output(["sh", "-c", script], cwd=tmp_path, text=True)
    assert shown == f"--remap={tmp_path}=. -D'A=\"$x\"'|UTC|$HOME `id`|"
    assert show_settings({"TZ": "UTC"}) == "TZ=UTC"


def test_remedies_of_the_same_builds_that_differ_in_their_output_are_told_together():
    others = tuple(f"end the build with: ftc normalize dist/{name}.jar" for name in "abcde")
    proved = Remedy(summary="x", proved=True, together_with=(*others, "fix the time zone: TZ=UTC"))
    assert describe_remedy_state(proved) == (
        "proved by rebuilding; these builds also had: end the build with: ftc normalize … (5 outputs); "
        "fix the time zone: TZ=UTC"
    )
    alone = replace(proved, together_with=others[:1])
    assert describe_remedy_state(alone).endswith(f"also had: {others[0]}")
