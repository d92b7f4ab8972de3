"""Where an export is written, and what tests have declared."""

import contextlib
from dataclasses import replace

import pytest
from unit.store.test_history import KEY, RECORD

from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.store.history import History
from pytest_ftc.store.layout import Layout
from pytest_ftc.verification.exporting.project import list_tested, new_folder


@pytest.mark.parametrize("exists", [False, True])
def test_the_folder_is_there_at_the_end_only(tmp_path, exists):
    folder = tmp_path / "below" / "exported"
    if exists:
        folder.mkdir(parents=True)
    with new_folder(folder, tmp_path / "store") as part:
        part.mkdir()
        (part / "file").write_text("x")
        assert not (folder / "file").exists()
    assert (folder / "file").read_text() == "x"
    assert list(folder.parent.iterdir()) == [folder]


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "exported", tmp_path / "store") as part:
        part.mkdir()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["file", "folder with a file", "link", "store", "in the store"])
def test_nothing_that_is_there_is_replaced(tmp_path, what):
    folder, store = tmp_path / "exported", tmp_path / "store"
    store.mkdir()
    if what == "file":
        folder.write_text("x")
    elif what == "folder with a file":
        folder.mkdir()
        (folder / "file").write_text("x")
    elif what == "link":
        folder.symlink_to(tmp_path / "nowhere")
    else:
        folder = store if what == "store" else store / "below"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError, match="name (a new|another) folder"), new_folder(folder, store):
        raise AssertionError("it was given")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FtcError, match="cannot be written"), new_folder(tmp_path / "file" / "below", tmp_path / "s"):
        raise AssertionError("it was given")


def test_what_tests_have_declared_is_what_they_built_last(tmp_path):
    layout = Layout(tmp_path / "store")
    layout.make()
    (tmp_path / "test_a.py").write_text("")
    project = str(tmp_path)
    with contextlib.closing(History(layout, KEY)) as history:
        for artifact, action in (
            ("test_a.py::test_b", "old"),
            ("test_a.py::test_b", "new"),
            ("test_gone.py::test_b", "gone"),
            ("ftc.toml::ftc::app", "declared"),
        ):
            history.add([replace(RECORD, project=project, artifact=artifact, action=action)])
        history.add([replace(RECORD, project="/elsewhere", artifact="test_a.py::test_b", action="elsewhere")])
        found = list_tested(history, tmp_path, tmp_path)
    assert [(one.artifact, one.action) for one in found] == [("test_a.py::test_b", "new")]
