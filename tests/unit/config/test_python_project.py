"""What a Python project that declares nothing is verified by."""

import pytest

from pytest_ftc.config.python_project import declare, is_python, outputs_of, preset_of
from pytest_ftc.model.errors import ConfigurationError


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.py"])
def test_its_sdist_and_its_wheel(tmp_path, name):
    (tmp_path / name).touch()
    assert is_python(tmp_path)
    artifacts = {one.name: one for one in declare(tmp_path / name)}
    assert list(artifacts) == ["sdist", "wheel"]
    assert artifacts["wheel"].id == f"{name}::ftc::wheel"
    assert (artifacts["wheel"].preset, artifacts["wheel"].source) == (preset_of("wheel"), tmp_path.resolve())
    assert artifacts["sdist"].outputs == (outputs_of("sdist"),)


def test_another_folder_is_refused(tmp_path):
    (tmp_path / "setup.py").mkdir()
    assert not is_python(tmp_path)
    with pytest.raises(ConfigurationError, match="is not a Python project"):
        declare(tmp_path / "pyproject.toml")
