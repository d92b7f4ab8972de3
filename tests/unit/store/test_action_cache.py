"""An entry is answered only as it was written, for the action it was written for, by whoever has the key."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.store.action_cache import Entry, SealedCache, open_entry, read_blob_names, seal_entry
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.secret_key import load_key

KEY = bytes(32)
ACTION = "ab" * 32
names = st.text(max_size=8)


def entry(action: str = ACTION, **more: object) -> Entry:
    values: dict[str, object] = {
        "action": action,
        "asked": {"time": "{}"},
        "facilities": "f",
        "environment": "",
        "builds": 2,
        "machine": "m",
        "made": 1.5,
        "traced": False,
        "diagnose": "full",
        "verification": {"verdict": "reproducible"},
    }
    return Entry(**{**values, **more})  # type: ignore[arg-type]


entries = st.builds(
    entry,
    asked=st.dictionaries(names, names),
    made=st.floats(allow_nan=False, allow_infinity=False),
    builds=st.integers(0, 99),
    machine=names,
    verification=st.dictionaries(names, st.recursive(names | st.booleans(), st.lists, max_leaves=5)),
    blobs=st.lists(names).map(tuple),
)


@pytest.fixture
def store(tmp_path):
    store = LocalStore(tmp_path / "store")
    yield store
    store.close()


@given(entries)
def test_an_entry_is_read_as_it_was_written(one):
    assert open_entry(seal_entry(one, KEY), ACTION, KEY) == one


@given(entries, st.data())
def test_an_entry_with_any_bit_flipped_is_refused(one, data):
    sealed = bytearray(seal_entry(one, KEY))
    position = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[position // 8] ^= 1 << position % 8
    assert open_entry(bytes(sealed), ACTION, KEY) is None


@given(entries, st.data())
def test_an_entry_that_was_cut_is_refused(one, data):
    sealed = seal_entry(one, KEY)
    assert open_entry(sealed[: data.draw(st.integers(0, len(sealed) - 1))], ACTION, KEY) is None


@given(st.binary(max_size=300))
def test_what_is_no_entry_is_refused(data):
    assert open_entry(data, ACTION, KEY) is None


def test_an_entry_of_another_key_or_action_is_refused():
    sealed = seal_entry(entry(), KEY)
    assert open_entry(sealed, ACTION, b"\1" * 32) is None
    assert open_entry(sealed, "cd" * 32, KEY) is None


def test_an_authentic_entry_of_another_shape_is_refused():
    import hashlib
    import hmac

    for body in (b"[]", b"{}", b'{"action": 1}', b"[" * 100_000, b"nonsense"):
        code = hmac.new(KEY, b"pytest-ftc entry\0" + ACTION.encode() + b"\0" + body, hashlib.sha256).hexdigest()
        assert open_entry(code.encode() + b"\n" + body, ACTION, KEY) is None


def test_the_cache_counts_what_it_refuses_and_takes_a_better_one(store):
    cache = SealedCache(store, KEY)
    assert cache.get(ACTION) is None
    assert cache.refused == 0
    cache.put(entry())
    assert cache.get(ACTION) == entry()
    assert SealedCache(store, b"\1" * 32).get(ACTION) is None
    path = Path(store.layout.action(ACTION))
    path.write_bytes(path.read_bytes()[:-5])
    assert cache.get(ACTION) is None
    assert cache.refused == 1
    cache.put(entry(builds=3))
    assert cache.get(ACTION) == entry(builds=3)
    assert os.listdir(store.layout.parts) == []


@pytest.mark.parametrize("what", ["symlink", "folder", "fifo"])
def test_what_is_no_file_is_refused(store, what):
    cache = SealedCache(store, KEY)
    cache.put(entry())
    path = Path(store.layout.action(ACTION))
    path.unlink()
    if what == "symlink":
        path.symlink_to("/dev/zero")
    elif what == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert cache.get(ACTION) is None
    assert cache.refused == 1


def test_an_entry_beyond_all_bounds_is_not_kept(store, monkeypatch):
    monkeypatch.setattr("pytest_ftc.store.action_cache.LARGEST", 1000)
    cache = SealedCache(store, KEY)
    assert cache.put(entry(machine="m" * 2000)) is False
    assert cache.get(ACTION) is None


def test_the_outputs_that_an_entry_needs_are_read_from_any_entry(tmp_path):
    (tmp_path / "good").write_bytes(seal_entry(entry(blobs=("a", "b")), KEY))
    (tmp_path / "bad").write_bytes(b"nonsense")
    assert read_blob_names(str(tmp_path / "good")) == ["a", "b"]
    assert read_blob_names(str(tmp_path / "bad")) == []
    assert read_blob_names(str(tmp_path / "none")) == []


def test_a_key_is_made_once_for_its_user_alone(tmp_path):
    file = tmp_path / "data" / "key"
    key = load_key(file, {})
    assert len(key) == 32
    assert load_key(file, {}) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(file.parent) == ["key"]


def test_a_short_key_is_refused(tmp_path):
    with pytest.raises(StoreUnavailableError, match="FTC_STORE_KEY has 4 characters, expected at least 32"):
        load_key(tmp_path / "key", {"FTC_STORE_KEY": "abcd"})


def test_a_key_from_the_environment_is_the_same_on_every_machine(tmp_path):
    assert load_key(tmp_path / "a", {"FTC_STORE_KEY": "x" * 32}) == load_key(
        tmp_path / "b", {"FTC_STORE_KEY": "x" * 32}
    )
    assert load_key(tmp_path / "a", {"FTC_STORE_KEY": "y" * 32}) != load_key(
        tmp_path / "b", {"FTC_STORE_KEY": "x" * 32}
    )
    assert not (tmp_path / "a").exists()


def test_a_damaged_key_is_one_clear_error(tmp_path):
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(StoreUnavailableError, match="has 5 bytes, expected 32"):
        load_key(tmp_path / "key", {})
