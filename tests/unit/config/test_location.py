"""Where in a file a mistake is."""

import pytest

from pytest_ftc.config.location import Place, find_headers, find_line
from pytest_ftc.model.errors import ConfigurationError

TEXT = """\
[project]
name = "x"

[tool.ftc]  # settings
builds = 3

[tool.ftc.artifacts.wheel]
build = "make"
"outputs" = ["x"]
env.A = "1"
[tool.ftc.artifacts.docs.env]
A = "1"
"""


@pytest.mark.parametrize(
    ("table", "key", "line"),
    [
        ("tool.ftc", "builds", 5),
        ("tool.ftc", "", 4),
        ("tool.ftc.artifacts.wheel", "build", 8),
        ("tool.ftc.artifacts.wheel", "outputs", 9),
        ("tool.ftc.artifacts.wheel", "env", 10),
        ("tool.ftc.artifacts.docs", "env", 11),
        ("tool.ftc", "name", None),
        ("tool.ftc", "build", None),
        ("other", "", None),
    ],
)
def test_the_line_of_a_key_is_found_in_its_own_table(table, key, line):
    assert find_line(TEXT, table, key) == line


def test_the_first_line_of_each_table():
    assert find_headers(TEXT) == {
        "project": 1,
        "tool.ftc": 4,
        "tool.ftc.artifacts.wheel": 7,
        "tool.ftc.artifacts.docs.env": 11,
    }


@pytest.mark.parametrize(
    ("key", "about", "message"),
    [
        ("builds", None, "pyproject.toml:5: [tool.ftc] builds: too few"),
        ("builds", "this", "pyproject.toml:5: [tool.ftc] this too few"),
        ("builds", "", "pyproject.toml:5: [tool.ftc] too few"),
        ("gone", None, "pyproject.toml: [tool.ftc] gone: too few"),
    ],
)
def test_the_message_names_file_line_table_and_key(key, about, message):
    with pytest.raises(ConfigurationError) as raised:
        Place("pyproject.toml", TEXT, "tool.ftc").fail(key, "too few", about=about)
    assert str(raised.value) == message


def test_a_table_below_another():
    assert Place("ftc.toml", "", "").below("artifacts").below("x").table == "artifacts.x"
