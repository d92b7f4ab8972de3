"""Where a test that is an artifact writes."""

import pytest

from pytest_ftc.plugin.output_folder import OUTPUT, output_folder


def test_in_a_build_it_is_the_folder_of_the_build(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert output_folder({OUTPUT: "out"}, lambda: pytest.fail("asked")) == tmp_path / "out"
    assert (tmp_path / "out").is_dir()


def test_elsewhere_it_is_what_the_test_has_anyway(tmp_path):
    assert output_folder({}, lambda: tmp_path) == tmp_path
