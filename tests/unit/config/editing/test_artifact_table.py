"""Adding keys to a table in place: the rest of the file stays as it is written."""

from __future__ import annotations

import sys

import pytest

from pytest_ftc.config.editing.artifact_table import edit_table, name_table, quote, render_table, write_text
from pytest_ftc.model.errors import ConfigurationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PATH = ("tool", "ftc", "artifacts", "wheel")
KEYS = {"before": "umask 022\nx='a b'", "source_date_epoch": "git", "env": {"TZ": "UTC", "A": "2", "A.B": "x\ny"}}

FILE = """\
# first
[build-system]
requires = ["x"]   # pinned

[tool.ftc.artifacts.sdist]   # the sdist
preset = "sdist"

# about the wheel
[tool.ftc.artifacts.wheel]
preset = 'wheel'   # not a command
# no more

# about ruff
[tool.ruff]
line-length=100
"""

FORMS = {
    "a table of its own": FILE,
    "with a table below it": FILE.replace(
        "# no more\n", '\n# variables\n[tool.ftc.artifacts.wheel.env]\nA = "1" # a\n'
    ),
    "with an inline table": FILE.replace("# no more", 'env = {A = "1"} # a'),
    "with dotted keys": FILE.replace("# no more", 'env.A = "1" # a'),
    "inline": '[tool.ftc]\n# x\n[tool.ftc.artifacts]\nwheel = {preset = "wheel"} # a\n[tool.ruff]\n',
    "dotted": '[tool.ftc.artifacts]\nwheel.preset = "wheel" # a\nother.preset = "sdist"\n\n# b\n[tool.ruff]\n',
    "in two parts": (
        '[tool.ftc.artifacts.wheel]\npreset = "wheel" # a\n[tool.ruff]\n[tool.ftc.artifacts.wheel.env]\nA = "1"\n'
    ),
    "last, without a line end": '[tool.ftc.artifacts.wheel]\npreset = "wheel" # a',
    "with all of it": FILE.replace("# no more", 'before = "x" # a\nsource_date_epoch = 5 # b\nenv = {TZ = "x"}'),
    "absent": FILE.replace("artifacts.wheel", "artifacts.other"),
    "no file": "",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_keys_are_set_and_all_else_stays(text: str) -> None:
    new = edit_table(text, PATH, KEYS)
    expected = tomllib.loads(text)
    table = expected.setdefault("tool", {}).setdefault("ftc", {}).setdefault("artifacts", {}).setdefault("wheel", {})
    env = {**table.get("env", {}), **KEYS["env"]}  # type: ignore[dict-item]
    table.update({**KEYS, "env": env})
    assert tomllib.loads(new) == expected
    assert edit_table(new, PATH, KEYS) == new
    assert comments(new) == comments(text)
    changed = ("A = ", "env", "before", "source_date_epoch", "wheel = ")
    kept = [line for line in text.splitlines() if line and not line.startswith(changed)]
    assert [line for line in new.splitlines() if line in kept] == kept


def comments(text: str) -> list[str]:
    return [line[line.index("#") :] for line in text.splitlines() if "#" in line]


def test_keys_stand_behind_the_others_and_before_what_is_about_the_next_table() -> None:
    new = edit_table(FILE, PATH, {"after": "ftc normalize dist/*", "env": {"TZ": "UTC"}})
    assert new == FILE.replace(
        "# no more\n",
        '# no more\nafter = "ftc normalize dist/*"\n\n[tool.ftc.artifacts.wheel.env]\nTZ = "UTC"\n',
    )


def test_a_comment_about_the_table_below_stays_with_it() -> None:
    form = FORMS["with a table below it"]
    new = edit_table(form, PATH, {"before": "umask 022"})
    assert new == form.replace("\n\n# variables", '\nbefore = "umask 022"\n\n# variables')


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_marks_of_windows_stay(mark: str) -> None:
    windows = mark + FILE.replace("\n", "\r\n")
    new = edit_table(windows, PATH, KEYS)
    assert new == mark + edit_table(FILE, PATH, KEYS).replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[tool.ftc]\nartifacts.wheel = "x"\n', "it is no table"),
        ('[tool.ftc]\nartifacts = {other = {preset = "wheel"}}\n', "its form does not allow more keys"),
        ('[[tool.ftc.artifacts]]\nname = "wheel"\n', "it is no table"),
        ('[tool.ftc.artifacts.wheel]\nenv = "x"\n', "its env is no table"),
    ],
)
def test_what_cannot_be_extended_is_one_clear_error(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        edit_table(text, PATH, KEYS)
    assert str(raised.value) == f"[tool.ftc.artifacts.wheel] cannot be extended: {why}; add the keys by hand"


@pytest.mark.parametrize("text", ["a\"b\\c\n'x'", "tab\t", "\u202eright", "end'", "''' three\nx", "\x00", "\U000e0001"])
def test_every_text_is_read_back_and_shows_no_control_characters(text: str) -> None:
    for written in (quote(text), write_text(text)):
        assert tomllib.loads(f"x = {written}") == {"x": text}
        assert written.replace("\n", "").isprintable()


def test_names_that_are_no_bare_keys_are_quoted() -> None:
    assert name_table(("artifacts", "my app")) == 'artifacts."my app"'
    assert tomllib.loads(render_table(("a.b",), {"x": "1", "y": {"p.q": "2"}})) == {
        "a.b": {"x": "1", "y": {"p.q": "2"}}
    }
