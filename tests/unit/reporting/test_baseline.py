"""What is known does not fail, until it expires; what is new does."""

import datetime
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import verification

from pytest_ftc.errors import ConfigurationError
from pytest_ftc.model import Evidence, Finding, Verdict, Verification
from pytest_ftc.reporting.baseline import Baseline, Known, load_baseline

TODAY = datetime.date(2026, 11, 24)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


def found(*causes: str, output: str = "out") -> Verification:
    findings = tuple(
        Finding(output=output, member="", location="line 1", cause=cause, confirmed=True, evidence=Evidence(control="a", experiment="b"))
        for cause in causes
    )  # fmt: skip
    return replace(verification(Verdict.UNREPRODUCIBLE), findings=findings, differences=())


GOOD = verification(Verdict.REPRODUCIBLE)


def test_what_is_known_is_accepted_and_what_is_new_is_not():
    baseline = Baseline().updated([found("time")], TODAY)
    assert baseline.judge(found("time"), TODAY).accepted
    standing = baseline.judge(found("time", "umask"), TODAY)
    assert (standing.accepted, standing.known, standing.new) == (False, 1, 1)


def test_what_is_fixed_is_told_and_removed_on_update():
    baseline = Baseline().updated([found("time", "umask")], TODAY)
    assert [entry.cause for entry in baseline.judge(found("time"), TODAY).fixed] == ["umask"]
    assert len(baseline.judge(GOOD, TODAY).fixed) == 2
    assert baseline.judge(verification(Verdict.ERROR), TODAY).fixed == ()
    assert "umask" not in baseline.updated([found("time")], TODAY).render()
    assert "[[known]]" not in baseline.updated([GOOD], TODAY).render()


def test_what_was_not_verified_stays():
    baseline = Baseline().updated([found("time")], TODAY)
    assert baseline.updated([replace(GOOD, id="other")], TODAY).render() == baseline.render()


def test_what_has_expired_fails_from_the_day_after(tmp_path):
    text = Baseline().updated([found("time")], TODAY).render()
    (tmp_path / "b.toml").write_text(f'{text}expires = 2026-11-24\nowner = "me"\nreason = "later"\n')
    baseline = load_baseline(tmp_path / "b.toml")
    assert baseline.judge(found("time"), TODAY).accepted
    later = baseline.judge(found("time"), TODAY + datetime.timedelta(1))
    assert (later.accepted, [entry.owner for entry in later.expired]) == (False, ["me"])
    assert baseline.fingerprints(TODAY) != baseline.fingerprints(TODAY + datetime.timedelta(1)) == frozenset()
    assert 'reason = "later"' in baseline.updated([found("time", "umask")], TODAY).render()


@given(
    st.lists(
        st.builds(
            Known, fingerprint=texts, artifact=texts, output=texts, location=texts, cause=texts, owner=texts,
            reason=texts, expires=st.none() | st.dates(),
        ),
        unique_by=lambda known: known.fingerprint,
    )
)  # fmt: skip
def test_a_baseline_is_read_as_it_is_written(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("b") / "b.toml"
    entries = [entry for entry in entries if entry.fingerprint and entry.artifact and entry.cause]
    path.write_text(Baseline(entries).render(), encoding="utf-8")
    assert load_baseline(path).render() == Baseline(entries).render()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("known = 1", "expected tables [[known]]"),
        ("[[knwon]]\n", "expected tables [[known]]"),
        ("[[known]]\nfingerprint = 1\n", "fingerprint: expected text, found 1"),
        ("[[known]]\nowners = 'x'\n", "unknown key 'owners'; valid keys: fingerprint, artifact"),
        ("[[known]]\nfingerprint = 'x'\n", "key 'artifact' is missing"),
        ("[[known]]\nexpires = 'soon'\n", "expires: expected a date such as 2027-01-31, found 'soon'"),
        ("[[known]]\nexpires = 2027-01-01T00:00:00\n", "expected a date"),
        ("[[known", "not valid TOML"),
    ],
)
def test_a_mistake_is_one_clear_error(tmp_path, text, told):
    (tmp_path / "b.toml").write_text(text)
    with pytest.raises(ConfigurationError, match="b.toml") as raised:
        load_baseline(tmp_path / "b.toml")
    assert told in str(raised.value)
