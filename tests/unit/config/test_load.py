"""Reading configuration: whatever stands in the file, there is a Config or one ConfigurationError."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.config.load import load_config
from pytest_ftc.config.location import find_line
from pytest_ftc.config.project import explain_hidden, load_project
from pytest_ftc.model import Artifact, Metadata
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations import CATALOGUE, PRESETS
from pytest_ftc.variations.specification import Vocabulary

KNOWN = Vocabulary(CATALOGUE, PRESETS)

keys = st.sampled_from(
    ["build", "outputs", "source", "timeout", "source_date_epoch", "metadata", "env", "pass_env", "variations", "x"]
)
values = st.sampled_from(
    ['"x"', '""', "0", "-1", "1.5", "inf", "nan", "true", "[]", '["x"]', "[1]", "{}", '{a = "b"}', "{a = 1}", "1979-05-27", '"../x"', '["/x"]', '"git"', '"none"', '"."', '"quick"', '"time.offset=7h"', '"time.offset=x"']
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.dictionaries(keys, values),
    st.dictionaries(st.sampled_from(["builds", "jobs", "report", "json", "x", "variations"]), values),
)
def test_no_file_gives_anything_but_a_config_or_one_error(
    tmp_path: Path, table: dict[str, str], top: dict[str, str]
) -> None:
    lines = [*(f"{key} = {value}" for key, value in top.items()), "[artifacts.app]"]
    lines += [f"{key} = {value}" for key, value in table.items()]
    (tmp_path / "ftc.toml").write_text("\n".join(lines))
    try:
        config = load_config(tmp_path, {}, KNOWN)
    except ConfigurationError as error:
        assert str(error).startswith("ftc.toml")
        assert "\n" not in str(error)
    else:
        assert config.artifacts[0].name == "app"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_no_bytes_give_anything_but_a_config_or_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ftc.toml").write_bytes(content)
    try:
        load_config(tmp_path, {}, KNOWN)
    except ConfigurationError as error:
        assert str(error).startswith("ftc.toml")


def test_a_number_that_python_refuses_to_read_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "ftc.toml").write_text(f"builds = {'9' * 5000}")
    with pytest.raises(ConfigurationError, match=r"^ftc.toml: cannot be read: Exceeds the limit"):
        load_config(tmp_path, {}, KNOWN)


def test_everything_that_can_be_declared(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        """
        [build-system]
        [tool.ftc]
        variations = "all,-umask"
        builds = 3
        jobs = 4
        report = "reports"
        [tool.ftc.artifacts.app]
        build = ["make", "app"]
        outputs = ["app", "dist/**"]
        source = "src"
        timeout = 1.5
        source_date_epoch = 7
        metadata = "strict"
        pass_env = ["CI_*"]
        variations = "+time"
        env = {CFLAGS = "-O2"}
        """
    )
    config = load_config(tmp_path, {"jobs": "1", "json": "r.json"}, KNOWN)
    assert (config.builds, config.jobs, config.variations) == (3, 1, "all,-umask")
    assert config.report == tmp_path / "reports"
    assert config.json == Path("r.json").absolute()
    assert config.build_file == tmp_path / "pyproject.toml"
    assert config.artifacts == (
        Artifact(
            id="pyproject.toml::ftc::app",
            name="app",
            build=("make", "app"),
            outputs=("app", "dist/**"),
            source=tmp_path / "src",
            timeout=1.5,
            source_date_epoch=7,
            metadata=Metadata.STRICT,
            env={"CFLAGS": "-O2"},
            pass_env=("CI_*",),
            variations="+time",
            declared=tmp_path,
        ),
    )


def test_a_preset_stands_in_the_place_of_a_command(tmp_path: Path) -> None:
    table = '[tool.ftc.artifacts.w]\npreset = "wheel"\nbefore = "umask 022"\n'
    (tmp_path / "pyproject.toml").write_text(table)
    (artifact,) = load_config(tmp_path, {}, KNOWN).artifacts
    assert (artifact.build, artifact.outputs, artifact.preset) == ((), ("dist/*.whl",), "python-wheel")
    assert (artifact.before, artifact.after) == ("umask 022", "")


@pytest.mark.parametrize(
    ("file", "keys", "told"),
    [
        ("pyproject.toml", 'preset = "whl"', "preset: expected 'sdist' or 'wheel', found 'whl'"),
        ("pyproject.toml", 'preset = "wheel"\nbuild = "make"', "build: expected only one of build and preset"),
        ("ftc.toml", 'preset = "wheel"', "preset: expected a Python project"),
    ],
)
def test_a_preset_that_cannot_be_used_is_one_clear_error(tmp_path: Path, file: str, keys: str, told: str) -> None:
    prefix = "tool.ftc." if file == "pyproject.toml" else ""
    (tmp_path / file).write_text(f"[{prefix}artifacts.w]\n{keys}\n")
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        load_config(tmp_path, {}, KNOWN)


def test_a_project_without_files_has_no_artifacts(tmp_path: Path) -> None:
    config = load_config(tmp_path, {}, KNOWN)
    assert (config.file, config.artifacts, config.build_file) == (None, (), None)


@pytest.mark.parametrize(("files", "build_file"), [(["setup.py"], "setup.py"), (["setup.py", "pyproject.toml"], "pyproject.toml"), (["pyproject.toml"], None)])  # fmt: skip
def test_a_python_project_from_before_pep_518_is_one_too(
    tmp_path: Path, files: list[str], build_file: str | None
) -> None:
    for name in files:
        (tmp_path / name).write_text("")
    found = load_config(tmp_path, {}, KNOWN).build_file
    assert found == (tmp_path / build_file if build_file else None)


def test_a_line_is_found_or_left_out_but_never_wrong() -> None:
    text = '[a]\nx = 1\n[a.b]\n# x = 0\n"x" = 2\ny.z = 3\n[[c]]\nx = 4\n'
    assert find_line(text, "a", "x") == 2
    assert find_line(text, "a.b", "x") == 5
    assert find_line(text, "a.b", "y") == 6
    assert find_line(text, "a", "b") == 3
    assert find_line(text, "a.b", "") == 3
    assert find_line(text, "a", "nothing") is None


PYTHON = '[build-system]\nrequires = []\nbuild-backend = "b"\n'
SDIST, WHEEL = (f'[tool.ftc.artifacts.{kind}]\npreset = "{kind}"\n' for kind in ("sdist", "wheel"))
DOCS = '[tool.ftc.artifacts.docs]\nbuild = "make"\noutputs = ["html"]\n'


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        ("", ["sdist", "wheel"]),
        (SDIST, ["sdist", "wheel"]),
        (WHEEL, ["wheel", "sdist"]),
        (SDIST + WHEEL, ["sdist", "wheel"]),
        ('[tool.ftc.artifacts.mine]\npreset = "wheel"\n', ["mine", "sdist"]),
        (DOCS, ["docs"]),
        (DOCS + SDIST, ["docs", "sdist", "wheel"]),
        ("[tool.ftc]\ndefaults = true\n" + DOCS, ["docs", "sdist", "wheel"]),
        ("[tool.ftc]\ndefaults = false\n" + SDIST, ["sdist"]),
        (SDIST + '[tool.ftc.artifacts.wheel]\nbuild = "make"\noutputs = ["w"]\n', ["sdist", "wheel"]),
        ('[tool.ftc.artifacts.part]\npreset = "sdist"\nsource = "part"\n', ["part"]),
    ],
)
def test_the_sdist_and_the_wheel_stay_beside_presets_unless_the_defaults_are_off(tmp_path, declared, names):
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "setup.py").write_text("")
    (tmp_path / "pyproject.toml").write_text(f"{PYTHON}{declared}")
    config = load_project(tmp_path, {})
    assert [artifact.name for artifact in config.artifacts] == names
    assert {artifact.id.partition("::")[0] for artifact in config.artifacts} == {"pyproject.toml"}


def test_defaults_beside_presets_of_ftc_toml_have_its_name_and_the_settings_of_the_session(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYTHON)
    (tmp_path / "ftc.toml").write_text('strict = true\n[artifacts.sdist]\npreset = "sdist"\n')
    config = load_project(tmp_path, {})
    assert [(one.id, one.strict) for one in config.artifacts] == [
        ("ftc.toml::ftc::sdist", True),
        ("ftc.toml::ftc::wheel", True),
    ]


def test_without_artifacts_and_defaults_it_is_said_why_there_is_nothing(tmp_path):
    (tmp_path / "pyproject.toml").write_text(f"{PYTHON}[tool.ftc]\ndefaults = false\n")
    with pytest.raises(ConfigurationError, match="defaults = false leaves out the sdist and the wheel"):
        load_project(tmp_path, {})


def test_a_key_defaults_that_is_no_flag_is_one_clear_error(tmp_path):
    (tmp_path / "pyproject.toml").write_text(f'{PYTHON}[tool.ftc]\ndefaults = "no"\n')
    with pytest.raises(ConfigurationError, match=r"\[tool.ftc\] defaults: expected true or false, found 'no'"):
        load_project(tmp_path, {})


@pytest.mark.parametrize(("switch", "told"), [("", True), ("defaults = false", False)])
def test_of_sdist_and_wheel_one_that_a_command_hides_is_named(tmp_path, switch, told):
    command = '[tool.ftc.artifacts.sdist]\nbuild = "make"\noutputs = ["x"]\n'
    (tmp_path / "pyproject.toml").write_text(f"{PYTHON}[tool.ftc]\n{switch}\n{command}")
    text = explain_hidden(load_project(tmp_path, {}))
    assert text.startswith("the wheel of this project is not verified") == told
    assert ('add [tool.ftc.artifacts.wheel] with preset = "wheel"' in text) == told


def test_the_table_of_a_hidden_wheel_is_that_of_the_file_that_declares(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYTHON)
    (tmp_path / "ftc.toml").write_text('[artifacts.sdist]\nbuild = "make"\noutputs = ["x"]\n')
    text = explain_hidden(load_project(tmp_path, {}))
    assert text.endswith('add [artifacts.wheel] with preset = "wheel"')
