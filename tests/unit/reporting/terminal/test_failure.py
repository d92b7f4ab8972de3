import os
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import verification

from pytest_ftc.model import (
    BuildStatus,
    Difference,
    DifferenceKind,
    Evidence,
    Finding,
    NotVaried,
    Remedy,
    Role,
    Verdict,
    Verification,
)
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.verification import EXPECTED
from pytest_ftc.reporting.findings import show_command
from pytest_ftc.reporting.terminal.failure import failure_panel
from pytest_ftc.reporting.terminal.replay import Rerun, find_telling_build
from pytest_ftc.reporting.terminal.style import fit_encoding
from pytest_ftc.reporting.terminal.summary import summary_lines

AGAIN = Rerun("pytest --ftc-verify 'pyproject.toml::ftc::app'")
BAD = [verdict for verdict in Verdict if verdict not in EXPECTED]


def diagnosed() -> Verification:
    plain = verification(Verdict.UNREPRODUCIBLE)
    difference = replace(plain.differences[0], note="diffoscope timed out after 60 s")
    finding = Finding(
        output=difference.output,
        member=difference.member,
        location=difference.location,
        cause="time",
        confirmed=True,
        evidence=difference.evidence,
        command=("/usr/bin/python", "-m", "build", "--wheel", "--no-isolation"),
        given=("sed", "s/@YEAR/2026/"),
        remedy=Remedy(summary="set the time in the archive", settings={"SOURCE_DATE_EPOCH": "1700000000"}, proved=True),
    )
    return replace(plain, differences=(difference,), findings=(finding,))


def cells(line: str) -> int:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(unicodedata.category(c).startswith("M") for c in line)


def headlines(text: str) -> list[str]:
    """Return the lines of the panel that begin at its edge, without its title and paths to copy."""
    return [line for line in text.splitlines()[1:] if line and not line.startswith((" ", "/"))]


def pointers(text: str) -> str:
    return next(line + "\n" for line in text.splitlines() if line.strip().strip("^ ") == "" and "^" in line)


def panel(verdict: Verdict, width: int = 80, colour: bool = False, **sample: object) -> str:
    return failure_panel(verification(verdict, **sample), width=width, colour=colour, rerun=AGAIN)


@pytest.mark.parametrize("verdict", BAD)
def test_what_a_maintainer_needs_is_on_the_first_screen(verdict):
    text = panel(verdict)
    lines = text.splitlines()
    assert len(lines) <= 24
    assert verdict.value in lines[0]
    assert "app" in lines[0]
    assert AGAIN.command in text
    for needed in {
        Verdict.UNREPRODUCIBLE: ("dist/app.whl", "zip entry mtime", "2026-11-23", "2027-12-26", "full diff", "not varied"),
        Verdict.FAILED: ("exit status 3", "no such file", "app-control.log"),
        Verdict.FRAGILE: ("exit status 3", "no such file", "app-experiment.log", "varied"),
        Verdict.ERROR: ("exit status 3",),
    }[verdict]:  # fmt: skip
        assert needed in text


def test_the_way_of_a_value_is_shown_with_the_line_of_its_command():
    plain = diagnosed()
    argv = ("gcc", "-c", "a.c", "-D" + "x" * 80)
    finding = replace(
        plain.findings[0], command=argv, command_line="Makefile:3", chain=(argv, ("ar", "r", "\x1b[2J.a"))
    )
    text = failure_panel(replace(plain, findings=(finding,)), width=80, colour=False, rerun=AGAIN)
    joined = " ".join(text.split())
    assert "(Makefile:3) by way of gcc -c a.c" in joined
    assert "… → ar r" in joined
    assert "\x1b" not in text
    assert len(text.splitlines()) <= 26


def test_a_replay_is_of_no_build_that_the_diagnosis_broke():
    plain = verification(Verdict.UNREPRODUCIBLE)
    builds = [replace(build, recipe=object()) for build in plain.builds]
    for role in (Role.REMEDY, Role.BISECT):
        broken = replace(builds[0], id="app-broken", role=role, status=BuildStatus.FAILED)
        unreproducible = replace(plain, builds=(*builds, broken))
        assert find_telling_build(unreproducible) in builds
        assert unreproducible.broken is None
    fragile = replace(plain, verdict=Verdict.FRAGILE, builds=(*builds, broken))
    assert find_telling_build(fragile) is broken


def test_outputs_with_another_name_in_each_build_count_once():
    plain = verification(Verdict.UNREPRODUCIBLE)
    (output,) = plain.builds[0].outputs
    builds = [
        replace(build, outputs=(output, replace(output, path="same"), replace(output, path=f"cache/{number}.val")))
        for number, build in enumerate([*plain.builds, *plain.builds])
    ]
    renamed = replace(plain.differences[0], output="cache/0.val")
    only_there = replace(plain.differences[0], output="extra")
    texts = [
        failure_panel(replace(plain, builds=builds, differences=differences), width=80, colour=False, rerun=AGAIN)
        for differences in ((*plain.differences, renamed), (*plain.differences, only_there))
    ]
    assert "2 of 3 outputs differ" in texts[0]
    assert "2 of 4 outputs differ" in texts[1]


def test_a_finding_with_all_its_parts_fits_the_first_screen():
    text = failure_panel(diagnosed(), width=80, colour=False, rerun=AGAIN)
    assert len(text.splitlines()) <= 24
    for needed in (
        "dist/app.whl › app/__init__.py",
        "time (confirmed)",
        "python -m build",
        "given to sed s/@YEAR/2026/",
        "set the time in the archive (proved by rebuilding) SOURCE_DATE_EPOCH=1700000000",
        "diffoscope timed out",
        "full diff",
        "logs",
    ):
        assert needed in " ".join(text.split())


def test_remedies_without_effect_stand_below_the_suggestion():
    remedy = Remedy(summary="write no time", also_tried=("set the zone", "set the time"))
    plain = diagnosed()
    text = failure_panel(
        replace(plain, findings=(replace(plain.findings[0], remedy=remedy),)), width=80, colour=False, rerun=AGAIN
    )
    assert "write no time (suggestion, not tested) also tried set the zone; set the time (did not heal it)" in " ".join(
        text.split()
    )


@pytest.mark.parametrize(("verbosity", "is_told"), [(0, False), (1, True)])
def test_values_of_settings_that_the_remedy_names_are_told_in_a_verbose_session(verbosity, is_told):
    settings = {"SOURCE_DATE_EPOCH": "1700000000", "LC_ALL": "C.UTF-8"}
    remedy = Remedy(summary="set SOURCE_DATE_EPOCH and LC_ALL=C.UTF-8", settings=settings, tried=True, proved=True)
    plain = diagnosed()
    found = replace(plain, findings=(replace(plain.findings[0], remedy=remedy),))
    text = failure_panel(found, width=80, colour=False, rerun=AGAIN, verbosity=verbosity)
    assert ("SOURCE_DATE_EPOCH=1700000000" in text) is is_told
    assert text.count("LC_ALL=C.UTF-8") == 1


def test_the_two_values_stand_under_each_other():
    lines = panel(Verdict.UNREPRODUCIBLE, value="x" * 200).splitlines()
    control = next(line for line in lines if line.startswith("  control"))
    experiment = next(line for line in lines if line.startswith("  experiment"))
    assert control.index("2026-11-23") == experiment.index("2027-12-26")


def test_colour_is_never_the_only_carrier_and_can_be_left_out():
    coloured, plain = (panel(Verdict.UNREPRODUCIBLE, colour=colour) for colour in (True, False))
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    assert "^^^" in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain.replace(pointers(plain), "")


def test_many_alike_are_folded():
    text = panel(Verdict.UNREPRODUCIBLE, many=412)
    assert "dist/app.whl-0.txt › app/__init__.py: zip entry mtime, in 412 files: unknown\n" in text
    assert len(text.splitlines()) <= 24


@given(st.text(st.characters(), max_size=60), st.integers(40, 160), st.sampled_from(BAD))
def test_hostile_text_neither_reaches_the_terminal_nor_leaves_its_columns(hostile, width, verdict):
    text = panel(verdict, width, output=hostile or "x", value=hostile, tail=hostile)
    assert text.replace("\n", "").isprintable()
    for line in text.splitlines():
        assert line.startswith("    /project/") or cells(line) <= width


@given(st.text())
def test_printable_text_stays_as_it_is(text):
    shown = printable(text)
    assert printable(shown) == shown
    if text.isprintable() and text.isascii():
        assert shown == text


def test_the_summary_is_one_line_an_artifact_and_says_each_reason_once():
    entries = [replace(verification(v), id=v.value) for v in (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)]
    lines = summary_lines(entries, width=100, colour=False, verbose=False).splitlines()
    assert lines == [
        "✔ reproducible    app  2 builds  3.5 s  9 of 10 variations",
        "✘ unreproducible  app  2 builds  3.5 s  9 of 10 variations",
        "  varied      time, timezone, locales, build_path, home, temp_dir, exec_path, environment, umask",
        "  not varied  fileordering: namespaces are refused here; allow unshare(2)",
        "  builds      4 run, 0 reused, 0 retried; the cache saved 0 s",
        "  total       2 artifacts: 1 reproducible, 1 unreproducible",
    ]


def test_one_green_artifact_is_one_line_and_one_about_the_builds():
    entry = replace(verification(Verdict.REPRODUCIBLE), not_varied=())
    assert summary_lines([entry], width=80, colour=False, verbose=False).count("\n") == 2


def test_what_was_varied_is_listed_once_where_a_verdict_is_bad():
    good, bad = (verification(verdict) for verdict in (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE))
    more = [replace(bad, id=name, name=name, varied=(*bad.varied, "pid")) for name in ("one", "other")]
    failed = replace(verification(Verdict.FAILED), id="failed", varied=())
    entries = [good, *more, failed]
    text = summary_lines(entries, width=120, colour=False, verbose=False)
    assert text.count("time, timezone, locales, build_path") == 1
    assert "  also varied (one, other): pid\n" in text
    assert "  varied " not in "".join(failure_panel(one, width=80, colour=False, rerun=AGAIN) for one in (bad, failed))
    quiet, verbose = (summary_lines([good], width=120, colour=False, verbose=one) for one in (False, True))
    assert "\n  varied " not in quiet
    assert "\n  varied      time, timezone" in verbose


def test_a_reason_names_the_artifacts_it_is_about_unless_it_is_all():
    one, other = (replace(verification(Verdict.REPRODUCIBLE), id=name, name=name) for name in ("one", "other"))
    other = replace(other, not_varied=(*other.not_varied, NotVaried(variation="time", reason="no libfaketime")))
    text = summary_lines([one, other], width=80, colour=False, verbose=False)
    assert "not varied  fileordering: namespaces" in text
    assert "not varied  time (other): no libfaketime" in text


# Terminals and libraries disagree about the width of spacing combining marks, category Mc.
_NAMES = st.text(st.characters(exclude_categories=["Mc"]), max_size=200)


@given(st.lists(_NAMES, min_size=1, max_size=4), st.integers(40, 160))
def test_the_summary_stays_in_its_columns_and_harmless(names, width):
    entries = [
        replace(verification(verdict), id=str(number), name=name, notes=(name,))
        for number, name in enumerate(names)
        for verdict in Verdict
    ]
    text = summary_lines(entries, width=width, colour=False, verbose=True)
    assert text.replace("\n", "").isprintable()
    assert all(cells(line) <= width for line in text.split("\n"))


def test_the_summary_of_nothing_is_nothing():
    assert summary_lines([], width=80, colour=False, verbose=True).strip() == ""


def test_notes_are_shown_and_what_is_routine_only_in_verbose_sessions():
    notes = ("the whole folder was copied: dubious ownership", "build requirements: sha256 0123")
    entry = replace(verification(Verdict.REPRODUCIBLE), notes=notes)
    brief, verbose = (summary_lines([entry], width=80, colour=False, verbose=one) for one in (False, True))
    assert "dubious ownership" in brief
    assert "sha256 0123" not in brief
    assert "sha256 0123" in verbose


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", None])
def test_what_a_terminal_cannot_show_is_spelled_out(encoding):
    text = fit_encoding(panel(Verdict.UNREPRODUCIBLE, output="dist/日本"), encoding)
    assert text.encode(encoding or "utf-8")
    assert ("✘" in text) == (encoding in ("utf-8", None))
    assert ("x unreproducible  app" in text) == (encoding in ("ascii", "latin-1"))


def test_values_that_changed_otherwise_are_not_folded():
    first = verification(Verdict.UNREPRODUCIBLE).differences[0]
    date = replace(
        first, output="b.txt", location="line 1", evidence=Evidence(control="Mon 17:47", experiment="Tue 18:52")
    )
    path = replace(first, output="c.txt", location="line 2", evidence=Evidence(control="/a/b", experiment="/c/d/e"))
    alike = replace(path, output="d.txt", location="line 9", evidence=Evidence(control="/a/b", experiment="/x/y/z"))
    entry = replace(verification(Verdict.UNREPRODUCIBLE), differences=(date, path, alike))
    text = failure_panel(entry, width=80, colour=False, rerun=AGAIN)
    assert headlines(text) == ["b.txt › app/__init__.py: line 1: unknown", "c.txt › app/__init__.py: line 2: unknown"]
    assert "and 1 similar: line 9 (also in d.txt)\n" in text


def test_after_three_findings_the_rest_is_counted():
    first = verification(Verdict.UNREPRODUCIBLE).differences[0]
    many = tuple(replace(first, output=f"out.{number}") for number in range(9))
    entry = replace(verification(Verdict.UNREPRODUCIBLE), differences=many)
    text = failure_panel(entry, width=80, colour=False, rerun=AGAIN)
    assert len(headlines(text)) == 3
    assert "  more        and 6 more findings (-v shows all)\n" in text
    assert "further causes" not in text


@pytest.mark.parametrize("verbosity", [1, 2])
def test_a_verbose_session_shows_all_findings(verbosity):
    first = verification(Verdict.UNREPRODUCIBLE).differences[0]
    many = tuple(replace(first, output=f"out.{number}", location=f"key {number}") for number in range(90))
    entry = replace(verification(Verdict.UNREPRODUCIBLE), differences=many)
    text = failure_panel(entry, width=80, colour=False, rerun=AGAIN, verbosity=verbosity)
    assert len(headlines(text)) == 90
    assert " more" not in text
    assert "report.json" not in text


def test_a_very_verbose_session_names_all_similar_places():
    first = verification(Verdict.UNREPRODUCIBLE).differences[0]
    many = tuple(replace(first, location=f"line {number}") for number in range(90))
    entry = replace(verification(Verdict.UNREPRODUCIBLE), differences=many)
    brief, verbose, all_ = (
        failure_panel(entry, width=80, colour=False, rerun=AGAIN, verbosity=level) for level in range(3)
    )
    assert brief == verbose
    assert "and 89 similar: line 1, line 2, line 3, …\n" in brief
    assert all(re.search(rf"\bline {number}\b", " ".join(all_.split())) for number in range(90))


def test_findings_of_one_output_stand_together_under_its_name():
    plain = diagnosed()
    finding = plain.findings[0]
    found = tuple(
        replace(finding, output=output, location=place, cause=cause)
        for output, place, cause in (("a.whl", "x", "time"), ("b.whl", "y", "umask"), ("a.whl", "z", "locales"))
    )
    text = failure_panel(replace(plain, findings=found, differences=()), width=80, colour=False, rerun=AGAIN)
    assert headlines(text) == [
        "a.whl: 2 findings",
        "a.whl › app/__init__.py: x: time (confirmed)",
        "a.whl › app/__init__.py: z: locales (confirmed)",
        "b.whl › app/__init__.py: y: umask (confirmed)",
    ]
    assert all(f"\n\n{line}" in text for line in headlines(text))
    assert text.count("  as above    command and remedy\n") == 1


def test_the_name_is_cut_so_that_the_first_line_of_a_finding_is_one():
    plain = diagnosed()
    finding = replace(plain.findings[0], output="dist/" + "x" * 90 + ".whl")
    text = failure_panel(replace(plain, findings=(finding,), differences=()), width=80, colour=False, rerun=AGAIN)
    (line,) = headlines(text)
    assert cells(line) <= 80
    assert line.startswith("dist/x")
    assert line.endswith("/__init__.py: zip entry mtime: time (confirmed)")


def test_the_evidence_says_on_how_many_builds_it_rests():
    plain = diagnosed()
    for why, shown in (("the modes differ", "the modes differ (7 builds)"), ("", "7 builds")):
        finding = replace(plain.findings[0], why=why, builds=7)
        text = failure_panel(replace(plain, findings=(finding,)), width=80, colour=False, rerun=AGAIN)
        assert f"  why         {shown}\n" in text


def test_a_new_finding_is_marked_in_its_first_line():
    plain = diagnosed()
    for cause, shown in (("time", "time (confirmed, new)"), ("unknown", "unknown (new)")):
        finding = replace(plain.findings[0], cause=cause)
        entry = replace(plain, findings=(finding,), differences=())
        text = failure_panel(entry, width=80, colour=False, rerun=AGAIN, known=frozenset())
        assert headlines(text) == [f"dist/app.whl › app/__init__.py: zip entry mtime: {shown}"]


@pytest.mark.parametrize(
    ("control", "experiment", "marked"),
    [
        ("built 1204 files", "built 1304 files", "1304"),
        ("seed 0.7312 ok", "seed 0.7319 ok", "0.7319"),
        ("user mandy here", "user sandy here", "sandy"),
        ("a" * 65 + " x", "a" * 64 + "b x", "b"),
        ("2026-11-24 x 10", "2026-11-25 x 10", "25"),
    ],
)
def test_words_and_numbers_are_marked_as_a_whole(control, experiment, marked):
    evidence = Evidence(control=control, experiment=experiment)
    difference = replace(verification(Verdict.UNREPRODUCIBLE).differences[0], evidence=evidence)
    entry = replace(verification(Verdict.UNREPRODUCIBLE), differences=(difference,))
    text = failure_panel(entry, width=100, colour=False, rerun=AGAIN)
    line = next(line for line in text.splitlines() if line.startswith("  experiment"))
    below = pointers(text).rstrip("\n")
    assert line[len(below) - below.count("^") : len(below)] == marked


def test_a_hook_of_a_build_backend_is_told_by_its_name():
    backend = ("/v/bin/python", "/v/lib/pyproject_hooks/_in_process/_in_process.py", "build_wheel", "/tmp/tmpx1")
    assert show_command(backend) == "build_wheel of the build backend (PEP 517)"
    assert show_command(("sh", "-c", "date > out")) == "sh -c 'date > out'"


def test_causes_that_only_the_rest_has_are_named():
    first = verification(Verdict.UNREPRODUCIBLE).differences[0]
    found = tuple(
        Finding(
            output=f"out.{place}",
            member="",
            location=first.location,
            cause=cause,
            confirmed=True,
            evidence=Evidence(control="a", experiment="b"),
        )
        for place, cause in enumerate(["time", "locales", "umask", "pid", "home", "pid", "time"])
    )
    entry = replace(verification(Verdict.UNREPRODUCIBLE), differences=(), findings=found)
    text = failure_panel(entry, width=120, colour=False, rerun=AGAIN)
    assert "and 4 more findings (-v shows all); further causes: pid, home\n" in text


def test_an_output_nobody_looked_into_is_told_by_what_the_manifests_say():
    one, other = (build.outputs[0] for build in verification(Verdict.UNREPRODUCIBLE).builds)
    unseen = Difference(
        output=one.path, kind=DifferenceKind.CONTENT, control=one, experiment=other, note="not examined: no tool"
    )
    entry = replace(verification(Verdict.UNREPRODUCIBLE), differences=(unseen,))
    text = failure_panel(entry, width=80, colour=False, rerun=AGAIN)
    assert "7 bytes, sha256 aaaaaaaaaaaaaaaa\n" in text
    assert "not examined: no tool" in text


def test_a_long_difference_is_cut_to_the_place_that_differs():
    text = panel(Verdict.UNREPRODUCIBLE, value="日本語" * 100)
    assert "2026-11-23\n" in text
    assert all(cells(line) <= 80 for line in text.splitlines())


def test_the_log_keeps_its_tabs_and_loses_its_colours():
    text = panel(Verdict.FAILED, tail="make:\t\x1b[31mError\x1b[0m 1\n\x1b]0;owned\x07\n")
    assert "│ make:   Error 1\n" in text
    assert r"\x1b]0;owned\x07" in text


def test_the_log_takes_what_room_there_is():
    lines = panel(Verdict.FAILED, tail="\n".join(map(str, range(99)))).splitlines()
    assert lines.count("  │ 98") == 1
    assert len([line for line in lines if line.startswith("  │")]) == 15
    assert len(lines) <= 24


def test_an_error_says_why_and_what_could_not_be_varied():
    entry = replace(
        verification(Verdict.ERROR), builds=(), reason="no git repository\nSet source_date_epoch to a number."
    )
    text = failure_panel(entry, width=80, colour=False, rerun=AGAIN)
    assert "  why         no git repository\n              Set source_date_epoch to a number.\n" in text
    assert "allow unshare(2)" in text
    assert "  next  " in text


def test_a_fragile_build_says_what_it_met():
    assert "umask 0022" in panel(Verdict.FRAGILE)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_command_to_verify_again_can_be_pasted(width):
    rerun = "pytest --ftc-verify --ftc-variations=all 'some folder/pyproject.toml::ftc::app'"
    text = failure_panel(verification(Verdict.FAILED), width=width, colour=False, rerun=Rerun(rerun))
    pasted = re.split(r"^  again", text, flags=re.MULTILINE)[1].replace("\\\n", " ")
    assert " ".join(pasted.split()) == rerun


def test_a_panel_is_shown_where_the_current_folder_is_gone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.rmdir(tmp_path)
    assert "/project/.pytest_cache/d/ftc/logs" in panel(Verdict.UNREPRODUCIBLE)


def test_the_settings_of_a_remedy_are_never_cut():
    text = failure_panel(diagnosed(), width=40, colour=False, rerun=AGAIN)
    assert "SOURCE_DATE_EPOCH=1700000000\n" in text


@pytest.mark.parametrize("width", [-1, 0, 1, 14, 39])
def test_a_terminal_that_calls_itself_narrow_gets_a_report_too(width):
    assert "  again" in panel(Verdict.FRAGILE, width, tail="x" * 99)
    assert "app" in summary_lines([verification(v) for v in Verdict], width=width, colour=False, verbose=True)


def test_an_output_is_named_once_for_all_the_places_in_it():
    first = verification(Verdict.UNREPRODUCIBLE).differences[0]
    places = tuple(replace(first, location=place) for place in ("entry", "header", "comment"))
    entry = replace(verification(Verdict.UNREPRODUCIBLE), differences=places)
    text = failure_panel(entry, width=80, colour=False, rerun=AGAIN)
    assert headlines(text) == [
        "dist/app.whl: 3 findings",
        *(f"dist/app.whl › app/__init__.py: {place}: unknown" for place in ("entry", "header", "comment")),
    ]
    assert text.count("full diff") == 1
    assert len(text.splitlines()) <= 30


def test_what_leaks_from_a_fragile_build_besides_is_shown():
    leak = verification(Verdict.UNREPRODUCIBLE).differences
    found = replace(verification(Verdict.REPRODUCIBLE).builds[0], id="app-bisect", role=Role.BISECT)
    fragile = verification(Verdict.FRAGILE)
    entry = replace(fragile, builds=(*fragile.builds, found), differences=leak, reason="breaks under: umask=0002")
    text = failure_panel(entry, width=80, colour=False, rerun=AGAIN)
    assert "breaks under: umask=0002" in text
    assert "zip entry mtime" in text
    assert "time · timezone" not in text


def test_a_build_that_writes_elsewhere_is_told_where_it_can():
    plain = verification(Verdict.FAILED)
    builds = tuple(replace(build, log_tail="cp: cannot create ../x: Read-only file system\n") for build in plain.builds)
    text = failure_panel(replace(plain, builds=builds), width=80, colour=False, rerun=AGAIN)
    assert "next a build can write only below its source folder" in " ".join(text.split())


@pytest.mark.parametrize(
    ("log", "hint"),
    [
        ("/bin/sh: 1: ./configure: not found\n", "next ./configure is not among the sources"),
        ("bash: ./tools/gen.sh: No such file or directory\n", "next ./tools/gen.sh is not among the sources"),
        ("/bin/sh: 1: protoc: not found\n", "next a command was not found: install it"),
    ],
)
def test_a_command_that_was_not_found_is_one_of_the_project_or_of_the_machine(log, hint):
    plain = verification(Verdict.FAILED)
    builds = tuple(replace(build, exit_code=127, log_tail=log) for build in plain.builds)
    text = failure_panel(replace(plain, builds=builds), width=80, colour=False, rerun=AGAIN)
    assert hint in " ".join(text.split())


def test_other_files_members_and_commands_of_similar_findings_are_named():
    evidence = Evidence(control="1", experiment="2")
    first = Finding(output="", member="", location="", cause="time", confirmed=True, evidence=evidence)
    one, *others = (
        replace(first, output=f"lib/{name}", location="line 1", command=("gcc", "-c", f"{name}.c")) for name in "abcd"
    )
    text = {
        count: failure_panel(
            replace(verification(Verdict.UNREPRODUCIBLE), findings=(one, *others[:count])),
            width=80,
            colour=False,
            rerun=AGAIN,
        )
        for count in (1, 3)
    }
    assert "lib/a: line 1, also in lib/b: " in text[1]
    assert "gcc -c a.c\n              and 1 more command like it (-vv shows all)\n" in text[1]
    assert "lib/a: line 1, in 4 files: " in text[3]


def test_what_is_in_no_member_is_not_counted_as_one():
    evidence = Evidence(control="1", experiment="2")
    first = Finding(output="a.tgz", member="", location="mtime", cause="time", confirmed=True, evidence=evidence)
    members = [replace(first, member=name, location="tar member mtime") for name in ("x", "y")]
    told = replace(verification(Verdict.UNREPRODUCIBLE), findings=(first, *members))
    text = failure_panel(told, width=80, colour=False, rerun=AGAIN)
    assert "in 2 members" in text and "in 3 members" not in text


def test_a_reason_of_several_lines_is_told_to_its_end():
    names = ", ".join(f"'doc/html/_sources/a-page-with-a-long-name-{number}.txt'" for number in range(3))
    reason = f"13 outputs were in the source tree already, and the build did not touch them: {names}"
    text = failure_panel(replace(verification(Verdict.FAILED), reason=reason), width=80, colour=False, rerun=AGAIN)
    assert "and the build did not touch them" in " ".join(text.split())
