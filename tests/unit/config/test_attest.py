"""The table ``[tool.ftc.attest]``."""

import pytest

from pytest_ftc.config.attest import AttestSettings
from pytest_ftc.config.load import load_config
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.specification import Vocabulary


def load(root, text):
    (root / "pyproject.toml").write_text(text)
    return load_config(root, {}, Vocabulary(())).attest


def test_without_the_table_nothing_is_attested(tmp_path):
    assert load(tmp_path, "[tool.ftc]\n") is None


def test_defaults(tmp_path):
    settings = load(tmp_path, '[tool.ftc.attest]\nkeys = ["release"]\n')
    assert settings == AttestSettings(keys=("release",), builder="", required=False, folder=None, bundle=False)
    assert settings.folder_of(tmp_path, None) == tmp_path / "attestations"
    assert settings.folder_of(tmp_path, tmp_path / "report") == tmp_path / "report/attestations"


def test_a_key_signs_once_and_a_folder_is_relative_to_the_configuration(tmp_path):
    settings = load(tmp_path, '[tool.ftc.attest]\nkeys = ["a", "hv:b", "a"]\nfolder = "proofs"\nbundle = true\n')
    assert settings.keys == ("a", "hv:b")
    assert settings.folder_of(tmp_path, tmp_path / "report") == tmp_path / "proofs"
    assert settings.bundle


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[tool.ftc.attest]\nkeys = ['a']\nrequird = true", "pyproject.toml:3: [tool.ftc.attest] unknown key 'requird'; did you mean 'required'?"),
        ("[tool.ftc.attst]\nkeys = ['a']", "unknown key 'attst'; did you mean 'attest'?"),
        ("[tool.ftc]\nattest = 'a'", "attest: expected a table, found 'a'"),
        ("[tool.ftc.attest]\nfolder = 'x'", "[tool.ftc.attest] key 'keys' is missing; expected a list of keys"),
        ("[tool.ftc.attest]\nkeys = []", "keys: expected a list of keys such as ['release'] or ['hv:release'], found []"),
        ("[tool.ftc.attest]\nkeys = 'a'", "keys: expected a list of keys"),
        ("[tool.ftc.attest]\nkeys = ['a', 1]", "keys: expected a list of keys"),
        ("[tool.ftc.attest]\nkeys = ['a']\nbuilder = 'me'", "builder: expected a URI such as"),
        ("[tool.ftc.attest]\nkeys = ['a']\nrequired = 'yes'", "required: expected true or false, found 'yes'"),
        ("[tool.ftc.attest]\nkeys = ['a']\nfolder = ''", "folder: expected non-empty text"),
        ("[tool.ftc.attest]\nkeys = ['a']\nfolder = 'pyproject.toml'", "folder: expected a folder, found the file"),
        ("[tool.ftc.attest]\nkeys = ['a']\nfolder = 1", "folder: expected non-empty text on one line, found 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error(tmp_path, table, said):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, table)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
