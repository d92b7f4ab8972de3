"""Named secrets are read once, when they are needed; what cannot be given is one line without a value."""

import sys
from dataclasses import replace

import pytest

from pytest_ftc.builds.inputs.secret_sources import NamedSecrets, parse_source
from pytest_ftc.builds.inputs.secrets import read_secrets, secret_names
from pytest_ftc.config.load import load_config
from pytest_ftc.model.errors import FtcError
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.confidential.named import NamedReader, open_named


class Vault:
    """Counts what it is asked."""

    problem = ""

    def __init__(self, answer="of-the-vault"):
        self.asked = []
        self.closed = 0
        self.answer = answer

    def read(self, field):
        self.asked.append(field.field)
        if isinstance(self.answer, FtcError):
            raise self.answer
        return self.answer

    def close(self):
        self.closed += 1


def reader(root, vault=None, environ=None, **sources):
    parsed = {name: parse_source(text) for name, text in sources.items()}
    return NamedReader(NamedSecrets(sources=parsed), environ or {}, root, lambda: vault or Vault())


def test_each_source_gives_the_variable_of_its_name(tmp_path):
    (tmp_path / "key").write_bytes(b"of-the-file\r\n")
    named = reader(tmp_path, None, {"B": "of-the-variable"}, A="env:B", C="file:key", D="vault:m/p#f")
    secrets = read_secrets(["A", "C", "D"], {}, tmp_path, named.read)
    assert secrets.variables == {"A": "of-the-variable", "C": "of-the-file", "D": "of-the-vault"}
    assert secrets.mask("it is of-the-file, of-the-vault") == "it is ***, ***"
    assert secret_names(["A", "env:X", "file:.netrc"], tmp_path) == ("A", "X", "NETRC")


def test_each_is_read_once_and_only_if_it_is_needed(tmp_path):
    vault = Vault()
    named = reader(tmp_path, vault, A="vault:m/p#one", B="vault:m/p#two")
    assert [named.read("A").text, named.read("A").text] == ["of-the-vault"] * 2
    assert vault.asked == ["one"]
    named.close()
    assert vault.closed == 1


def test_a_value_may_be_given_as_a_file(tmp_path):
    sources = {"A": replace(parse_source("vault:m/p#f"), as_file=True)}
    named = NamedReader(NamedSecrets(sources=sources), {}, tmp_path, Vault)
    secrets = read_secrets(["A"], {}, tmp_path, named.read)
    assert (secrets.variables, secrets.files) == ({"A": "/ftc-secrets/A"}, {"/ftc-secrets/A": b"of-the-vault"})
    assert secrets.mask("of-the-vault in /ftc-secrets/A") == "*** in /ftc-secrets/A"


def test_a_failure_is_not_repeated(tmp_path):
    vault = Vault(FtcError("it is sealed"))
    named = reader(tmp_path, vault, A="vault:m/p#one")
    for _ in range(2):
        with pytest.raises(FtcError, match="^secret A: it is sealed$"):
            named.read("A")
    assert vault.asked == ["one"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("env:NONE", "secret A: the variable NONE is not set"),
        ("file:none", "none: No such file or directory"),
        ("file:.", "Is a directory"),
        ("file:/dev/zero", "its value has more than 65535 bytes"),
        ("file:zero", "its value holds a zero byte"),
        ("file:short", "its value is shorter than 6 bytes"),
    ],
)
def test_what_cannot_be_given_is_one_line(tmp_path, source, said):
    (tmp_path / "zero").write_bytes(b"p4ssword\0more")
    (tmp_path / "short").write_bytes(b"p4s\n")
    with pytest.raises(FtcError) as raised:
        read_secrets(["A"], {}, tmp_path, reader(tmp_path, A=source).read)
    assert said in str(raised.value)
    assert "p4s" not in str(raised.value)


def test_a_name_that_nobody_declares_is_refused(tmp_path):
    with pytest.raises(FtcError, match="secret B: no secret of this name is declared"):
        read_secrets(["B"], {}, tmp_path, reader(tmp_path, A="env:A").read)


def test_without_the_extra_one_line_names_it(tmp_path, monkeypatch):
    (tmp_path / "ftc.toml").write_text('secrets = {A = "vault:m/p#f"}\n')
    monkeypatch.setenv("VAULT_ADDR", "https://vault.example.org")
    monkeypatch.setitem(sys.modules, "hvac", None)
    named = open_named(load_config(tmp_path, {}, Vocabulary(CATALOGUE)), lambda: False)
    with pytest.raises(FtcError) as raised:
        named.read("A")
    assert str(raised.value) == "secret A: secrets in Vault need the extra 'vault': pip install 'pytest-ftc[vault]'"
    named.close()
