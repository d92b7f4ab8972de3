"""Settings that all artifacts of a configuration share."""

import pytest

from pytest_ftc.config.project import load_project
from pytest_ftc.model import Metadata
from pytest_ftc.model.errors import ConfigurationError

SHARED = """
[defaults]
timeout = 30
metadata = "strict"
owner = "all"
tags = ["t"]
strict = true
variations = "umask"
[defaults.env]
A = "shared"
B = "shared"
"""
TWO = """
[artifacts.plain]
build = "true"
outputs = ["out"]
[artifacts.own]
build = "true"
outputs = ["out"]
timeout = 5
tags = []
strict = false
variations = "time"
env = { B = "own", C = "own" }
"""


def load(root, toml):
    (root / "ftc.toml").write_text(toml)
    return load_project(root, {})


def test_an_artifact_has_what_is_shared_unless_it_says_otherwise(tmp_path):
    plain, own = load(tmp_path, SHARED + TWO).artifacts
    assert (plain.timeout, plain.metadata, plain.owner, plain.tags) == (30, Metadata.STRICT, "all", ("t",))
    assert (plain.strict, plain.variations, plain.env) == (True, "umask", {"A": "shared", "B": "shared"})
    assert (own.timeout, own.metadata, own.owner, own.tags) == (5, Metadata.STRICT, "all", ())
    assert (own.strict, own.variations, own.env) == (False, "time", {"A": "shared", "B": "own", "C": "own"})


def test_the_sdist_and_the_wheel_without_a_table_have_it_too(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\n[tool.ftc.defaults]\ntimeout = 30\nsource_date_epoch = "git"\nenv = { A = "1" }\n'
    )
    sdist, wheel = load_project(tmp_path, {}).artifacts
    for one in (sdist, wheel):
        assert (one.timeout, one.source_date_epoch, one.env, one.strict) == (30, "git", {"A": "1"}, False)


@pytest.mark.parametrize(
    ("presets", "names"), [("", ["one"]), ("presets = true", ["one", "sdist", "wheel"]), ("presets = false", ["one"])]
)
def test_the_table_says_whether_a_python_projects_presets_are_verified(tmp_path, presets, names):
    (tmp_path / "setup.py").touch()
    one = '[artifacts.one]\nbuild = "true"\noutputs = ["out"]\n'
    assert [artifact.name for artifact in load(tmp_path, f"[defaults]\n{presets}\n{one}").artifacts] == names


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[defaults]\nbuild = 'make'\n", "ftc.toml:2: [defaults] unknown key 'build'"),
        ("[defaults]\nsource = 'x'\n", "ftc.toml:2: [defaults] unknown key 'source'"),
        ("[defaults]\ntimout = 5\n", "ftc.toml:2: [defaults] unknown key 'timout'; did you mean 'timeout'?"),
        ("[defaults]\ntimeout = 0\n", "ftc.toml:2: [defaults] timeout: expected a number of seconds above 0, found 0"),
        ("[defaults]\npresets = 1\n", "ftc.toml:2: [defaults] presets: expected true or false, found 1"),
        ("defaults = 'x'\n", "ftc.toml:1: defaults: expected true or false, found 'x'"),
        ("[defaults.env]\nA = 1\n", "env: expected text for A, in quotes"),
        ("[defaults]\nenv = { A = '1' }\n[artifacts.x]\nbuild = 'true'\noutputs = ['o']\nenv = 5\n", "ftc.toml:6: [artifacts.x] env: expected a table"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, toml, message):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, toml + TWO)
    assert message in str(caught.value)
