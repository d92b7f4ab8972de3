"""Steps hold for later versions too: no version in them, and no time of a commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ftc.model import Artifact, Evidence, Finding, Remedy, Verdict, Verification
from pytest_ftc.model.support.epoch import FALLBACK_EPOCH
from pytest_ftc.verification.determinize import Step, settings_of
from pytest_ftc.verification.determinize.settings import apply_settings
from pytest_ftc.verification.determinize.steps import has_gone, name_lastingly, open_steps, proved_steps

COMMIT = 1_795_764_587


def make(**more) -> Artifact:
    fields = {"build": "make", "outputs": ("dist/*.tar.gz",), "source": Path("/s"), **more}
    return Artifact(id="ftc.toml::ftc::app", name="app", **fields)


@pytest.mark.parametrize(
    ("output", "globs", "lasting"),
    [
        ("dist/v-1.0.tar.gz", ("dist/*.tar.gz",), "dist/*.tar.gz"),
        ("dist/v-1.0.tar.gz", ("./dist/*.gz",), "dist/*.gz"),
        ("dist/v-1.0.tar.gz", ("dist/*",), "dist/v-*.tar.gz"),
        ("dist/v-1.0.tar.gz", ("**/*.tar.gz",), "dist/v-*.tar.gz"),
        ("dist/v-1.0.post1.tar.gz", ("dist",), "dist/v-*.tar.gz"),
        ("dist/v-1.0-py3-none-any.whl", ("dist/*.tar.gz", "dist"), "dist/v-*.whl"),
        ("out/app_2.0-1_amd64.deb", ("out",), "out/app_*.deb"),
        ("lib-3.1/share/x.zip", ("*",), "lib-*/share/x.zip"),
        ("app-20240101.zip", ("app-20240101.zip",), "app-*.zip"),
        ("x86_64.img", ("*",), "x86_64.img"),
        ("release.tar.gz", ("release.tar.gz",), "release.tar.gz"),
        ("dist/v-1.0.tar.gz", ("dist/[a-z]*.tar.gz",), "dist/v-*.tar.gz"),
    ],
)
def test_outputs_are_named_without_version(output: str, globs: tuple[str, ...], lasting: str) -> None:
    assert name_lastingly(output, globs) == lasting


def verified(*remedies: tuple[str, Remedy]) -> Verification:
    findings = tuple(
        Finding(
            output=output, member="", location="", cause="time", confirmed=True, evidence=Evidence(control="a", experiment="b"),
            remedy=remedy,
        )
        for output, remedy in remedies
    )  # fmt: skip
    return Verification(id="x", name="app", verdict=Verdict.UNREPRODUCIBLE, findings=findings)


def test_steps_are_those_of_proved_remedies_once_each() -> None:
    normal = [
        (name, Remedy(summary="", after=f"ftc normalize {name}", proved=True))
        for name in ("dist/a-1.0.tar.gz", "dist/b-1.0.tar.gz")
    ]
    rest = [
        ("x", Remedy(summary="", settings={"TZ": "UTC"}, before="umask 022", proved=True)),
        ("y", Remedy(summary="", settings={"LC_ALL": "C"}, tried=True)),
    ]
    assert proved_steps(verified(*normal, *rest), make()) == (
        Step("after", "", "ftc normalize dist/*.tar.gz"),
        Step("set", "TZ", "UTC"),
        Step("before", "", "umask 022"),
    )


def test_other_characters_of_a_name_are_quoted_and_the_wildcard_is_not() -> None:
    told = verified(("my dir/a-1.0.zip", Remedy(summary="", after="ftc normalize 'my dir/a-1.0.zip'", proved=True)))
    assert proved_steps(told, make(outputs=("my dir",))) == (Step("after", "", "ftc normalize 'my dir/a-'*.zip"),)


def test_the_time_of_the_commit_is_a_setting_or_a_variable_of_the_shell() -> None:
    steps = (
        Step("set", "SOURCE_DATE_EPOCH", str(COMMIT)),
        Step("set", "TAR_OPTIONS", f"--mtime=@{COMMIT} --owner=0"),
        Step("set", "GIT_AUTHOR_DATE", f"{COMMIT} +0000"),
        Step("set", "CFLAGS", "-ffile-prefix-map=$PWD=."),
        Step("set", "TZ", "UTC"),
    )
    settings = settings_of(make(), steps, COMMIT)
    assert (settings.of_commit, settings.env) == (True, {"TZ": "UTC"})
    assert settings.before == (
        'export TAR_OPTIONS="${TAR_OPTIONS-} --mtime=@$SOURCE_DATE_EPOCH --owner=0"',
        'export GIT_AUTHOR_DATE="$SOURCE_DATE_EPOCH +0000"',
        'export CFLAGS="${CFLAGS-} -ffile-prefix-map=$PWD=."',
    )


def test_options_come_behind_those_of_the_artifact_and_what_it_sets_of_the_time_stays() -> None:
    artifact = make(env={"GZIP": "-9"}, source_date_epoch=5, before="x", after="y")
    settings = settings_of(artifact, (Step("set", "GZIP", "-n"), Step("set", "SOURCE_DATE_EPOCH", "7")), None)
    changed = apply_settings(artifact, settings, None)
    assert (changed.env, changed.source_date_epoch, changed.before) == ({"GZIP": "-9 -n"}, 5, "x")


@pytest.mark.parametrize(("commit", "epoch"), [(COMMIT, "git"), (None, FALLBACK_EPOCH)])
def test_without_a_commit_a_fixed_time_stands_in_for_it(commit, epoch) -> None:
    steps = (Step("set", "SOURCE_DATE_EPOCH", str(commit or FALLBACK_EPOCH)), Step("after", "", "b"))
    artifact = make(after="a")
    changed = apply_settings(artifact, settings_of(artifact, steps, commit), commit)
    assert (changed.source_date_epoch, changed.after) == (epoch, "a\nb")


def test_what_was_not_tested_or_has_another_cause_beside_it_may_still_help() -> None:
    told = verified(
        ("a", Remedy(summary="", settings={"PYTHONHASHSEED": "0"})),
        ("b", Remedy(summary="", settings={"TZ": "UTC"}, tried=True)),
        ("c", Remedy(summary="", settings={"LC_ALL": "C"}, tried=True)),
        ("c", Remedy(summary="advice")),
        ("d", Remedy(summary="", settings={"LANG": "C"}, proved=True)),
    )
    options = open_steps(told, make())
    assert {step.name: [one.output for one in found] for step, found in options.items()} == {
        "PYTHONHASHSEED": ["a"],
        "LC_ALL": ["c"],
    }
    assert [has_gone(one, verified(("a", Remedy(summary="")))) for one in told.findings[:2]] == [False, True]
