"""The store that sessions share in a farm, on a server that can be made to fail."""

import time

import pytest
from farms import QUICK, address_of, serving, wait_until

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError
from pytest_ftc.integrations.reapi.shared_store import SharedStore, open_shared_store
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError
from pytest_ftc.model.protocols import Store
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.remote_tier import TierLimits
from pytest_ftc.store.tiered import TieredStore

ACTION, OTHER = "a" * 64, "b" * 64
KEY = bytes(32)


@pytest.fixture
def shared(connection):
    return SharedStore(connection, KEY)


def test_entries_and_contents_come_back(shared, farm, tmp_path):
    assert isinstance(shared, Store)
    assert shared.get_entry(ACTION) is None
    shared.put_entry(ACTION, b"one")
    shared.put_entry(ACTION, b"two")
    assert shared.get_entry(ACTION) == b"two"
    assert shared.find_entry(ACTION) == Digest.of(b"two")
    assert shared.get_entry(OTHER) is None
    (tmp_path / "file").write_bytes(b"content")
    shared.put_files({Digest.of(b"content"): tmp_path / "file"})
    shared.get_file(Digest.of(b"content"), tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == b"content"
    assert shared.find_missing([Digest.of(b"content"), Digest.of(b"no")]) == {Digest.of(b"no")}


def test_servers_that_check_what_an_action_names_find_it(shared, farm):
    shared.put_entry(ACTION, b"entry")
    [(name, result)] = farm.results.items()
    action = api.Action.FromString(farm.blobs[name])
    command = api.Command.FromString(farm.blobs[api.to_digest(action.command_digest)])
    assert list(command.arguments) == ["pytest-ftc", "verdict", "1"]
    assert list(command.output_paths) == ["entry"]
    assert api.to_digest(action.input_root_digest) == Digest.of(b"")
    assert not action.do_not_cache
    assert [api.to_digest(file.digest) for file in result.output_files] == [Digest.of(b"entry")]
    assert ACTION.encode() not in farm.blobs[name]


def test_holders_of_another_key_have_other_entries(shared, farm):
    with Connection(address_of(farm)) as connection:
        other = SharedStore(connection, b"1" * 32)
        other.put_entry(ACTION, b"theirs")
        assert shared.get_entry(ACTION) is None
        shared.put_entry(ACTION, b"ours")
        assert other.get_entry(ACTION) == b"theirs"


def test_a_dangling_entry_is_none(shared, farm):
    shared.put_entry(ACTION, b"entry")
    del farm.blobs[Digest.of(b"entry")]
    assert shared.get_entry(ACTION) is None


def test_altered_bytes_are_errors(shared, farm, tmp_path):
    shared.put_entry(ACTION, b"entry")
    farm.blobs[Digest.of(b"entry")] = b"Entry"
    with pytest.raises(AlteredError):
        shared.get_entry(ACTION)
    with pytest.raises(AlteredError):
        shared.get_file(Digest.of(b"entry"), tmp_path / "to")
    with pytest.raises(MissingError):
        shared.get_file(Digest.of(b"none"), tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    "files",
    [
        [],
        [{"path": "other", "digest": {"hash": "0" * 64}}],
        [{"path": "entry", "digest": {"hash": "0" * 64, "size_bytes": 1 << 40}}],
        [{"path": "entry", "digest": {"hash": "no digest"}}],
    ],
)
def test_a_result_that_cannot_be_ours_is_an_error(shared, farm, files):
    shared.put_entry(ACTION, b"entry")
    [name] = farm.results
    farm.results[name] = api.ActionResult(output_files=files)
    with pytest.raises(RemoteError):
        shared.get_entry(ACTION)


@pytest.fixture
def tiered(farm, tmp_path):
    stores = []

    def open_it(name, address=None, limits=None):
        target = address or address_of(farm)
        store = TieredStore(
            LocalStore(tmp_path / name),
            lambda: open_shared_store(target, KEY, limits=QUICK),
            lambda _, data: data.startswith(b"good"),
            limits or TierLimits(flush=5),
        )
        stores.append(store)
        return store

    yield open_it
    for store in stores:
        store.close()


def test_one_machine_writes_and_another_reads_without_contents(tiered, farm, tmp_path):
    first, second = tiered("first"), tiered("second")
    (tmp_path / "file").write_bytes(b"content" * 1000)
    first.put_files({Digest.of(b"content" * 1000): tmp_path / "file"})
    first.put_entry(ACTION, b"good")
    first.close()
    assert list(first.problems) == []
    farm.calls.clear()
    assert second.get_entry(ACTION) == b"good"
    assert second.use.received.bytes == 4
    assert farm.calls["Read"] == 0


@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "UNAVAILABLE", "UNIMPLEMENTED", "INVALID_ARGUMENT"])
def test_a_server_that_refuses_costs_no_verdict(tiered, farm, status):
    for method in ("GetActionResult", "UpdateActionResult", "FindMissingBlobs", "GetCapabilities"):
        farm.fail(method, *[status] * 100)
    store = tiered("store")
    for number in range(10):
        assert store.get_entry(f"{number:064x}") is None
    store.put_entry(ACTION, b"good")
    assert store.get_entry(ACTION) == b"good"
    store.close()
    assert any(status in problem for problem in store.problems), store.problems
    assert any("not in the remote store: 1 of 1" in problem for problem in store.problems), store.problems


def test_a_dispute_is_looked_for_without_moving_the_entry(tiered, farm):
    store = tiered("store")
    store.put_entry(ACTION, b"good")
    wait_until(lambda: bool(farm.results))
    farm.calls.clear()
    store.get_entry(ACTION)
    wait_until(lambda: farm.calls["GetActionResult"] == 1)
    store.close()
    assert set(farm.calls) == {"GetActionResult"}


def test_what_an_earlier_session_could_not_store_is_stored_later(tiered, farm, tmp_path):
    down = tiered("store", address=RemoteAddress(target="127.0.0.1:1"))
    down.put_entry(ACTION, b"good")
    down.close()
    later = tiered("store")
    assert later.get_entry(ACTION) == b"good"
    wait_until(lambda: bool(farm.results))
    later.close()
    assert list(later.problems) == []
    assert tiered("other").get_entry(ACTION) == b"good"


def test_nobody_listens(tiered):
    began = time.monotonic()
    store = tiered("store", address=RemoteAddress(target="127.0.0.1:1"))
    for number in range(20):
        assert store.get_entry(f"{number:064x}") is None
    store.put_entry(ACTION, b"good")
    store.close()
    assert time.monotonic() - began < 10
    assert any("127.0.0.1:1" in problem for problem in store.problems)


def test_the_farm_ends_in_the_middle_of_a_session(tmp_path):
    with serving() as farm:
        address = address_of(farm)
        store = TieredStore(
            LocalStore(tmp_path / "store"),
            lambda: open_shared_store(address, KEY, limits=QUICK),
            lambda _, data: data.startswith(b"good"),
            TierLimits(flush=2),
        )
        store.put_entry(ACTION, b"good")
        assert store.get_entry(OTHER) is None
    store.put_entry(OTHER, b"good")
    assert store.get_entry(OTHER) == b"good"
    assert store.get_entry("c" * 64) is None
    store.close()
    assert any("not in the remote store" in problem for problem in store.problems)
