"""Policies and keyrings in files."""

from datetime import datetime, timedelta, timezone

import pytest

from pytest_ftc.attestation.keyring import load_keyring
from pytest_ftc.attestation.policy import load_policy
from pytest_ftc.model.errors import ConfigurationError

PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.pub").write_text(PEM)
    return tmp_path


def load(folder, text):
    (folder / "policy.toml").write_text(text)
    return load_policy(folder / "policy.toml")


KEY = '[keys.a]\nfile = "a.pub"\n'


def test_a_policy_trusts_the_keys_it_names(folder):
    policy = load(folder, KEY + 'operator = "us"\nbuilders = ["https://ci/"]\n')
    key = policy.trusted["a"]
    assert (key.operator, key.builders, key.pem) == ("us", ("https://ci/",), PEM.encode())
    assert (policy.keys, policy.builds, policy.refuses_negative) == (1, 2, True)


def test_an_operator_is_by_default_the_key_itself(folder):
    assert load(folder, KEY).trusted["a"].operator == "a"


def test_all_requirements(folder):
    policy = load(
        folder,
        KEY
        + """
        [require]
        keys = 2
        operators = 3
        builders = 4
        builds = 5
        machines = 6
        varied = ["time"]
        schemes = ["ed25519", "ml-dsa-65"]
        provenance = true
        max_age = "2w"
        negative = "ignore"
        """,
    )
    assert (policy.keys, policy.operators, policy.builders, policy.builds, policy.machines) == (2, 3, 4, 5, 6)
    assert policy.schemes == ("ed25519", "ml-dsa-65")
    assert policy.max_age == timedelta(weeks=2)
    assert policy.provenance
    assert not policy.refuses_negative


def test_keys_of_a_keyring_and_of_its_own(folder):
    (folder / "ring").mkdir()
    (folder / "ring/b.pub").write_text(PEM)
    (folder / "ring/keys.toml").write_text(
        '[keys.b]\nfile = "b.pub"\nuntil = 2030-01-01\n[keys.c]\nfile = "b.pub"\nretired = true'
    )
    policy = load(folder, 'keyring = "ring/keys.toml"\n' + KEY)
    assert set(policy.trusted) == {"a", "b", "c"}
    assert policy.trusted["b"].until == datetime(2030, 1, 1, tzinfo=timezone.utc)


def test_a_key_counts_until_its_end(folder):
    (folder / "keys.toml").write_text(KEY + "until = 2030-01-01T00:00:00Z")
    key = load_keyring(folder / "keys.toml")["a"]
    assert key.counts_at(datetime(2029, 12, 31, tzinfo=timezone.utc))
    assert not key.counts_at(datetime(2030, 1, 1, tzinfo=timezone.utc))


def test_a_retired_key_never_counts(folder):
    (folder / "keys.toml").write_text(KEY + "retired = true")
    assert not load_keyring(folder / "keys.toml")["a"].counts_at(datetime(2000, 1, 1, tzinfo=timezone.utc))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no key is trusted"),
        ("[require", "no valid TOML"),
        ("required = 1", "required: unknown key; did you mean 'require'"),
        ("keys = 1", "keys: expected a table, found 1"),
        ("[keys]\na = 1", "keys.a: expected a table, found 1"),
        ("[keys.a]", "keys.a.file: expected the path of a public key in PEM, found nothing"),
        ('[keys.a]\nfile = "b.pub"', "keys.a.file: b.pub: No such file"),
        ('[keys.a]\nfile = "policy.toml"', "expected a public key in PEM"),
        (KEY + "untill = 2030-01-01", "keys.a.untill: unknown key; did you mean 'until'"),
        (KEY + 'until = "soon"', "keys.a.until"),
        (KEY + "retired = 1", "keys.a.retired: expected true or false, found 1"),
        (KEY + "[require]\nbuild = 2", "require.build: unknown key; did you mean 'builds'"),
        (KEY + "[require]\nbuilds = 0", "require.builds: expected a whole number of at least 1, found 0"),
        (KEY + "[require]\nkeys = true", "require.keys: expected a whole number, found True"),
        (KEY + "[require]\nvaried = [1]", "require.varied: expected a list of texts"),
        (KEY + '[require]\nmax_age = "soon"', "require.max_age: expected an age"),
        (KEY + '[require]\nnegative = "maybe"', "require.negative: expected 'refuse' or 'ignore', found 'maybe'"),
        (KEY + "[require]\nprovenance = 1", "require.provenance: expected true or false"),
        ("keyring = 1", "keyring: expected text, found 1"),
        ('keyring = "none.toml"', "none.toml: No such file"),
    ],
)
def test_bad_input_gets_one_clear_error(folder, text, said):
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text)
    assert said in str(caught.value)
    assert str(folder) in str(caught.value)
