"""The table ``[tool.ftc.traces]``."""

import pytest

from pytest_ftc.config.load import load_config
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.user_folders import written_by


def load(root, text):
    (root / "pyproject.toml").write_text(text)
    return load_config(root, {}, Vocabulary(()))


def test_without_the_table_there_is_no_file(tmp_path):
    assert load(tmp_path, "[tool.ftc]\n").traces is None


def test_the_file_is_in_the_project_and_is_no_source(tmp_path):
    config = load(tmp_path, '[tool.ftc.traces]\nfile = "out/traces.jsonl"\n')
    assert config.traces.file == tmp_path / "out/traces.jsonl"
    assert written_by(config).leave_out(tmp_path, ["a.c", "out/traces.jsonl"]) == ["a.c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.ftc.traces]\n", r"key 'file' is missing; expected a file such as 'traces\.jsonl'"),
        ("[tool.ftc.traces]\nfile = 3\n", r"file.*expected non-empty text on one line, found 3"),
        ('[tool.ftc.traces]\nfile = "."\n', r"file.*expected a file, found '\.', which is a folder"),
        ('[tool.ftc.traces]\nflie = "x"\n', r"unknown key 'flie'; did you mean 'file'\?"),
        ("[tool.ftc]\ntraces = true\n", r"traces.*expected a table, found True"),
    ],
)
def test_a_mistake_is_told(tmp_path, text, message):
    with pytest.raises(ConfigurationError, match=message):
        load(tmp_path, text)
