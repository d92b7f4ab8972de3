"""Documents that wait in the store."""

import stat

import pytest

from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.waiting import AlteredError, WaitingDocuments


@pytest.fixture
def documents(tmp_path):
    return WaitingDocuments(Layout(tmp_path / "store"), b"k" * 32)


def test_a_store_without_any_has_none(documents):
    assert documents.names() == []
    assert documents.read("a") is None
    documents.remove("a")


def test_what_is_written_is_read_oldest_first_by_this_user_alone(documents, tmp_path):
    for name in ("b", "a"):
        documents.write(name, {"name": name, "text": "ä\ud800"})
    assert documents.names() == ["b", "a"]
    assert documents.read("a") == {"name": "a", "text": "ä\ud800"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "store/waiting").iterdir()} == {0o600}
    documents.remove("b")
    assert documents.names() == ["a"]


def test_a_document_under_another_name_is_altered(documents, tmp_path):
    documents.write("a", {})
    (tmp_path / "store/waiting/a.waiting").rename(tmp_path / "store/waiting/b.waiting")
    with pytest.raises(AlteredError, match="was changed; it was moved to the quarantine"):
        documents.read("b")
    assert (tmp_path / "store/quarantine/b.waiting").exists()
    assert documents.names() == []


def test_a_store_that_cannot_be_used_says_so(tmp_path):
    (tmp_path / "store").write_text("")
    documents = WaitingDocuments(Layout(tmp_path / "store"), b"k" * 32)
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        documents.write("a", {})
    with pytest.raises(StoreUnavailableError, match="cannot be used"), documents.locked():
        pass
