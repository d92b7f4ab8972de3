"""Builds that do what overlayfs does not, on a machine where sources are on overlayfs."""

from __future__ import annotations

import sys

import pytest

TOML = """\
[artifacts.app]
build = '''{build}'''
outputs = ["out"]
"""
RENAMED = "{python} -c \"import os; os.rename('d', 'e')\" && cat e/f > out"
LINKED = "mkdir t && ln d/f t/f && tar --mtime=@0 --owner=0 --group=0 --mode=go=rX -cf out t"


@pytest.mark.parametrize("build", [RENAMED, LINKED])
def test_a_build_that_fails_on_overlayfs_is_built_in_a_copy(verify, project, build):
    (project / "d").mkdir()
    (project / "d" / "f").write_text("x" * 100_000)
    run = verify(TOML.format(build=build.replace("{python}", sys.executable)))
    assert run.verdicts == {"app": "reproducible"}, run.text
    assert "0 reused, 0 retried" in run.text


def test_so_is_one_that_was_running_when_another_build_of_its_artifact_failed(verify, project):
    (project / "d").mkdir()
    (project / "d" / "f").write_text("x")
    renamed = RENAMED.replace("{python}", sys.executable)
    # Both are on overlayfs, and the second one starts about two seconds after the first one.
    run = verify(TOML.format(build=f"sleep 4; {renamed}"), "--ftc-variations=home", "--ftc-builds=2")
    assert run.verdicts == {"app": "reproducible"}, run.text


def test_a_build_that_fails_in_a_copy_too_has_failed(verify, project):
    run = verify(TOML.format(build="echo ln: Invalid cross-device link; exit 3"))
    assert run.verdicts == {"app": "failed"}
    assert "the control build failed: exit status 3" in run.text
