"""``[secrets]`` and ``[vault]``: each mistake is one line, which never quotes what may be a secret."""

from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.secret_sources import SecretSource, VaultField, parse_source
from pytest_ftc.config.load import Config, load_config
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations import CATALOGUE, PRESETS
from pytest_ftc.variations.specification import Vocabulary

ARTIFACT = '[artifacts.app]\nbuild = "make"\noutputs = ["out"]\nsecrets = ["TOKEN", "env:OTHER", "file:.netrc"]\n'
LITERAL = "hunter2-is-the-password"


def load(folder: Path, text: str) -> Config:
    (folder / "ftc.toml").write_text(text)
    return load_config(folder, {}, Vocabulary(CATALOGUE, PRESETS))


def test_names_and_their_sources_are_read(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        'secrets = {TOKEN = "vault:secret/ci/x?version=3#f#g", A = "env:B", C = "file:~/d"}\n'
        '[vault]\nrole_id = "env:ROLE"\nsecret_id = "file:s"\napprole = "ci/roles"\nseconds = 2.5\nplain_http = true\n'
        + ARTIFACT,
    )
    field = VaultField(mount="secret", path="ci/x", version=3, field="f#g")
    assert config.secrets.sources == {
        "TOKEN": SecretSource(vault=field), "A": SecretSource(variable="B"), "C": SecretSource(file="~/d"),
    }  # fmt: skip
    assert config.secrets.vault.approle == "ci/roles"
    assert config.secrets.vault.seconds == 2.5
    assert config.artifacts[0].secrets == ("TOKEN", "env:OTHER", "file:.netrc")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('secrets = {TOKN = "env:B"}', "ftc.toml:5: [artifacts.app] secrets: [secrets] has no secret 'TOKEN'; did you mean 'TOKN'?"),
        ("", "has no secret 'TOKEN'; declare it there, or write 'env:TOKEN'"),
        ("secrets = 3", "ftc.toml:1: secrets: expected a table, found a value of the type int"),
        (f'secrets = "{LITERAL}"', "expected a table, found other text, which is not shown"),
        (f'[secrets]\nTOKEN = "{LITERAL}"', "ftc.toml:2: [secrets] TOKEN: expected 'env:VARIABLE', 'file:PATH' or"),
        (f'[secrets]\nTOKEN = "evn:{LITERAL}"', "found evn:; did you mean 'env:'?"),
        (f'[secrets]\nTOKEN = "vault:{LITERAL}"', "found vault: with something else behind it"),
        ('[secrets]\nTOKEN = ["env:B"]', "found a value of the type list"),
        ("[secrets]\nTOKEN = {}", "[secrets.TOKEN] source: expected 'env:VARIABLE', 'file:PATH' or"),
        ('[secrets]\nTOKEN = {source = "env:A", fil = true}', "[secrets.TOKEN] unknown key 'fil'; did you mean 'file'?"),
        ('[secrets]\nTOKEN = {source = "env:A", file = "x"}', "[secrets.TOKEN] file: expected true or false"),
        (f'[secrets]\nTOKEN = {{source = "{LITERAL}"}}', "[secrets.TOKEN] source: expected"),
        ('[secrets]\n"a-b" = "env:B"', "expected the name of a variable"),
        ('[secrets]\n"" = "env:B"', "expected the name of a variable"),
        (f'[vault]\ntoken = "{LITERAL}"', "[vault] token: expected 'env:VARIABLE' or 'file:PATH', found other text"),
        ('[vault]\ntoken = "vault:a/b#c"', "[vault] token: expected 'env:VARIABLE' or 'file:PATH'"),
        ('[vault]\ntokn = "env:A"', "[vault] unknown key 'tokn'; did you mean 'token'?  Valid keys: token, role_id"),
        ('[vault]\nsecret_id = "env:A"', "[vault] secret_id: expected role_id beside it"),
        ('[vault]\ntoken = "env:A"\nrole_id = "env:A"', "[vault] token: expected only one of token and role_id"),
        ('[vault]\napprole = "../sys"', "[vault] approle: expected where the AppRole method is mounted"),
        ("[vault]\nseconds = nan", "[vault] seconds: expected a number of seconds up to 3600"),
        ("[vault]\nseconds = true", "[vault] seconds: expected a number of seconds up to 3600"),
        ('[vault]\nplain_http = "yes"', "[vault] plain_http: expected true or false"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line_without_a_secret(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path, f"{text}\n{ARTIFACT}")
    message = str(raised.value)
    assert said in message
    assert "\n" not in message
    assert LITERAL not in message


@pytest.mark.parametrize(
    "text",
    [
        "", "env:", "env:A=B", "file:", "file: ", "file:a\0b", "vault:", "vault:secret#f", "vault:secret/x", "vault:/x#f",
        "vault:secret/x#", "vault:secret/../sys/x#f", "vault:secret/./x#f", "vault:secret//x#f", "vault:secret/x/#f",
        "vault:..%2Fsys/x#f", "vault:secret/x?version=0#f", "vault:secret/x?other=1#f", "vault:secret/a\nb#f", "other:x",
    ],
)  # fmt: skip
def test_what_names_no_source_is_none(text: str) -> None:
    assert parse_source(text) is None
