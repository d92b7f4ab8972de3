"""The keyring of `ftc keys`."""

import stat
from datetime import datetime, timezone

import pytest

from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.model.errors import ConfigurationError

SOON = datetime(2030, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def ring(tmp_path):
    return KeyFolder(tmp_path / "keys")


def test_an_empty_keyring(ring):
    assert ring.keys() == {}


def test_a_private_key_is_for_its_user_alone(ring):
    ring.new("a", "ed25519", "us")
    assert stat.S_IMODE((ring.folder / "a.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700
    assert b"PRIVATE" not in ring.keys()["a"].pem


def test_a_name_is_given_once(ring):
    ring.new("a", "ed25519", "us")
    before = (ring.folder / "a.pem").read_bytes()
    with pytest.raises(ConfigurationError, match="there is a key 'a' already"):
        ring.new("a", "ed25519", "us")
    assert (ring.folder / "a.pem").read_bytes() == before


@pytest.mark.parametrize("name", ["", "../a", "a b", "-a", "a.pem", "ä"])
def test_names_are_plain(ring, name):
    with pytest.raises(ConfigurationError, match="expected a name"):
        ring.new(name, "ed25519", "us")


@pytest.mark.parametrize("scheme", ["ed25519", "ml-dsa-65"])
def test_a_successor_is_of_the_same_kind_and_operator(ring, scheme):
    from pytest_ftc.integrations.signing import facts_of

    ring.new("a", scheme, "us")
    assert ring.rotate("a", SOON).name == "a-2"
    assert ring.rotate("a-2", SOON).name == "a-3"
    keys = ring.keys()
    assert [keys[name].until for name in ("a", "a-2", "a-3")] == [SOON, SOON, None]
    assert {key.operator for key in keys.values()} == {"us"}
    assert {facts_of(key).scheme for key in keys.values()} == {scheme}


def test_a_retired_key_stays_in_the_list(ring):
    ring.new("a", "ed25519", "us")
    ring.retire("a")
    assert ring.keys()["a"].retired


def test_comments_are_kept(ring):
    ring.new("a", "ed25519", "us")
    ring.file.write_text(ring.file.read_text() + "# ours\n")
    ring.new("b", "ed25519", "us")
    ring.retire("a")
    assert "# ours" in ring.file.read_text()


@pytest.mark.parametrize("act", [lambda ring: ring.retire("b"), lambda ring: ring.rotate("b", SOON), lambda ring: ring.private("b")])  # fmt: skip
def test_an_unknown_key_is_one_clear_error(ring, act):
    ring.new("a", "ed25519", "us")
    with pytest.raises(ConfigurationError, match="no key 'b'"):
        act(ring)
