"""What the store holds."""

import pytest

from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.stored import measure_store
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.garbage_collection import collect_garbage
from pytest_ftc.store.waiting import WaitingDocuments


def test_a_store_says_what_it_holds_and_what_was_evicted(tmp_path):
    store = LocalStore(tmp_path / "store")
    store.layout.make()
    for number in range(3):
        store.put_entry(f"{number}" * 64, b"entry")
    store.close()
    (store.layout.quarantine / "bad").write_text("x")
    WaitingDocuments(store.layout, b"k" * 32).write("one", {})
    measured = measure_store("p", store.layout.root)
    assert measured.value(table.CACHE_ENTRIES, "local") == 3
    assert measured.value(table.CACHE_BYTES, "local") == 15
    assert measured.value(table.CACHE_CORRUPT, "local") == 1
    assert measured.value(table.SIGNING_QUEUE) == 1
    assert measured.value(table.CACHE_EVICTIONS, "local") == 0
    for expected in (3, 3):
        collect_garbage(store.layout, max_size=0, max_age=3600)
        assert measure_store("p", store.layout.root).value(table.CACHE_EVICTIONS, "local") == expected


def test_no_store_has_no_values(tmp_path):
    assert list(measure_store("p", tmp_path / "none").samples()) == []


@pytest.mark.parametrize("content", ["", "x", "-3", "9" * 100])
def test_a_damaged_count_of_evictions_is_a_reset(tmp_path, content):
    LocalStore(tmp_path).layout.make()
    (tmp_path / "evicted").write_text(content)
    assert measure_store("p", tmp_path).value(table.CACHE_EVICTIONS, "local") == 0
