from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from report_samples import HOSTILE, finding, with_findings
from samples import verification

from pytest_ftc.model import Remedy, Verdict, Verification
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.terminal.overview.by_cause import table_by_cause


def table(*failed: Verification, width: int = 100) -> list[str]:
    entries = [(replace(one, id=str(number)), None) for number, one in enumerate(failed)]
    return table_by_cause(entries, in_full="", width=width, colour=False).splitlines()


def healed(name: str, cause: str, summary: str = "set it", *, proved: bool = True) -> Verification:
    remedy = Remedy(summary=summary, proved=proved, tried=proved)
    return with_findings(finding(output=f"{name}.tar", cause=cause, remedy=remedy), name=name)


def test_each_cause_has_a_line_with_the_number_of_its_artifacts_and_what_helps():
    assert table(healed("a", "time"), healed("b", "source_mtime"), healed("c", "source_mtime")) == [
        "  source_mtime  2 artifacts, one remedy: set it (proved by rebuilding)",
        "  time          1 artifact, one remedy: set it (proved by rebuilding)",
    ]


def test_a_remedy_that_names_the_output_is_one():
    failed = [healed(name, "time", f"end the build with: ftc normalize {name}.tar") for name in "abc"]
    assert table(*failed) == [
        "  time  3 artifacts, one remedy: end the build with: ftc normalize OUTPUT (proved by rebuilding)"
    ]


def test_what_helps_only_some_is_told_so():
    bare = with_findings(finding(cause="time", remedy=None))
    assert table(healed("a", "time"), bare) == [
        "  time  2 artifacts, one remedy for some: set it (proved by rebuilding)"
    ]
    assert table(bare) == ["  time  1 artifact, no remedy known"]
    other = healed("b", "time", "do not", proved=False)
    assert table(healed("a", "time"), healed("c", "time"), other) == [
        "  time  3 artifacts, 2 remedies, such as: set it (proved by rebuilding)"
    ]


def test_an_artifact_counts_once_for_a_cause_and_once_for_each():
    both = with_findings(*(finding(number, cause=cause) for number, cause in enumerate(("time", "umask", "time"))))
    assert [line.split(",")[0] for line in table(both)] == ["  time   1 artifact", "  umask  1 artifact"]


def test_other_verdicts_count_too():
    failed, fragile = (replace(verification(each), name=each.value) for each in (Verdict.FAILED, Verdict.FRAGILE))
    assert table(failed, failed, replace(fragile, reason="one\ntwo"), replace(fragile, reason="")) == [
        "  failed   2 artifacts: the build failed: exit status 3",
        "  fragile  2 artifacts: fragile, fragile",
    ]


def test_findings_that_the_baseline_accepts_do_not_count():
    one = with_findings(finding(cause="time"), finding(1, cause="umask"))
    known = frozenset({fingerprint(one.id, one.findings[0])})
    assert "time" not in table_by_cause([(one, known)], in_full="", width=80, colour=False)


def test_many_causes_are_cut():
    failed = [healed(str(number), f"variation-{number:02}") for number in range(40)]
    lines = table(*failed, width=80)
    assert len(lines) == 11
    assert lines[-1].startswith("  and 30 more causes: variation-10, variation-11")


@given(st.integers(1, 200), st.text(max_size=40))
def test_hostile_text_stays_harmless_and_in_its_columns(width, text):
    cause = text or "x"
    lines = table(
        with_findings(finding(output=HOSTILE, cause=cause, remedy=Remedy(summary=HOSTILE))),
        replace(verification(Verdict.FAILED), reason=HOSTILE, name=cause),
        width=width,
    )
    assert all(line.isprintable() for line in lines)
    assert len(lines) <= 4


def test_a_long_remedy_has_two_lines():
    lines = table(healed("a", "time", "word " * 40), width=80)
    assert len(lines) == 2
    assert lines[1].startswith("        word word")
    assert lines[1].endswith("…")
    assert all(len(line) <= 80 for line in lines)


def test_the_last_line_has_the_command_for_one_in_full():
    text = table_by_cause([(healed("a", "time"), None)], in_full="pytest x::y", width=80, colour=False)
    assert text.endswith("  in full     pytest x::y  (or all: -v)\n")


def test_what_goes_through_all_of_them_is_next():
    advised, tried = with_findings(finding(remedy=Remedy(summary="sort"))), healed("a", "time")
    both = table_by_cause([(advised, None), (tried, None)], in_full="", width=80, colour=False)
    assert both.endswith("  next        ftc determinize\n")
    assert "determinize" not in table_by_cause([(advised, None)], in_full="", width=80, colour=False)
