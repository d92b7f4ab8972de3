"""Kept outputs are bounded, the oldest go first, and nothing else in the folder is touched."""

import os
import threading
from pathlib import Path

import pytest

from pytest_ftc.verification.kept.folders import CONTROL, EXPERIMENT, KeptFile, KeptFolders, NoRoomError, space_of

BLOCK = 4096


def name_of(letter: str) -> str:
    return f"app-{letter * 12}"


@pytest.fixture
def content(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(b"x" * 100)
    return path


@pytest.fixture
def sides(content):
    file = KeptFile(content=content, size=100, executable=False)
    return {CONTROL: {"dist/a.txt": file}, EXPERIMENT: {"dist/a.txt": file}}


def age(path: Path) -> None:
    os.utime(path, (1_000_000_000, 1_000_000_000))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"lock"}


def test_both_sides_are_written_under_their_own_paths(tmp_path, sides):
    found = KeptFolders(tmp_path / "outputs", BLOCK * 2).add(name_of("a"), sides)
    assert found == tmp_path / "outputs" / name_of("a")
    assert (found / "control/dist/a.txt").read_bytes() == (found / "experiment/dist/a.txt").read_bytes() == b"x" * 100


def test_only_the_executable_bit_is_kept(tmp_path, content):
    files = {
        "run": KeptFile(content=content, size=100, executable=True),
        "data": KeptFile(content, 100, executable=False),
    }
    found = KeptFolders(tmp_path / "outputs", BLOCK * 4).add(name_of("a"), {CONTROL: files, EXPERIMENT: {}})
    assert os.access(found / "control/run", os.X_OK)
    assert not (found / "control/data").stat().st_mode & 0o111
    assert list((found / "experiment").iterdir()) == []


def test_the_same_name_is_written_once_and_counts_as_new(tmp_path, sides):
    folders = KeptFolders(tmp_path / "outputs", BLOCK * 2)
    found = folders.add(name_of("a"), sides)
    age(found)
    inode = (found / "control/dist/a.txt").stat().st_ino
    assert KeptFolders(tmp_path / "outputs", BLOCK * 2).add(name_of("a"), sides) == found
    assert (found / "control/dist/a.txt").stat().st_ino == inode
    assert found.stat().st_mtime > 1_000_000_000


def test_the_oldest_goes_first_and_only_as_many_as_needed(tmp_path, sides):
    folder = tmp_path / "outputs"
    for number, letter in enumerate("abc"):
        path = KeptFolders(folder, BLOCK * 6).add(name_of(letter), sides)
        os.utime(path, (1_000_000_000 - number, 1_000_000_000 - number))
    KeptFolders(folder, BLOCK * 6).add(name_of("d"), sides)
    assert names_in(folder) == {name_of("a"), name_of("b"), name_of("d")}


def test_what_this_session_keeps_or_finds_is_not_removed_for_more(tmp_path, sides):
    earlier = KeptFolders(tmp_path / "outputs", BLOCK * 4).add(name_of("a"), sides)
    age(earlier)
    folders = KeptFolders(tmp_path / "outputs", BLOCK * 4)
    assert folders.find(name_of("a")) == earlier
    folders.add(name_of("b"), sides)
    with pytest.raises(NoRoomError):
        folders.add(name_of("c"), sides)
    assert names_in(tmp_path / "outputs") == {name_of("a"), name_of("b")}


def test_nothing_is_removed_in_vain(tmp_path, sides):
    age(KeptFolders(tmp_path / "outputs", BLOCK * 4).add(name_of("a"), sides))
    with pytest.raises(NoRoomError):
        KeptFolders(tmp_path / "outputs", BLOCK).add(name_of("b"), sides)
    assert names_in(tmp_path / "outputs") == {name_of("a")}


@pytest.mark.parametrize("name", ["mine", "app-0123456789ab"])
def test_a_folder_of_other_people_is_never_removed(tmp_path, sides, name):
    own = tmp_path / "outputs" / name
    (own / "letters").mkdir(parents=True)
    (own / "letters/one").write_bytes(b"x" * BLOCK * 2)
    age(own)
    KeptFolders(tmp_path / "outputs", BLOCK * 2).add(name_of("a"), sides)
    assert (own / "letters/one").exists()


def test_a_link_with_such_a_name_is_not_followed(tmp_path, sides):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / CONTROL).mkdir(parents=True)
    (elsewhere / EXPERIMENT).mkdir()
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / name_of("b")).symlink_to(elsewhere)
    folders = KeptFolders(tmp_path / "outputs", BLOCK * 2)
    assert folders.find(name_of("b")) is None
    folders.add(name_of("a"), sides)
    assert elsewhere.is_dir()


def test_names_that_exclude_each_other_leave_nothing(tmp_path, content):
    file = KeptFile(content=content, size=100, executable=False)
    folders = KeptFolders(tmp_path / "outputs", BLOCK * 9)
    with pytest.raises(OSError):
        folders.add(name_of("a"), {CONTROL: {"x": file, "x/y": file}, EXPERIMENT: {}})
    assert names_in(tmp_path / "outputs") == set()


def test_what_a_killed_session_left_is_removed(tmp_path, sides):
    rest = tmp_path / "outputs" / f".unfinished-{name_of('z')}"
    (rest / CONTROL).mkdir(parents=True)
    KeptFolders(tmp_path / "outputs", BLOCK * 2).add(name_of("a"), sides)
    assert not rest.exists()


def test_many_empty_files_are_bounded_too(tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    files = {f"f{number}": KeptFile(content=empty, size=0, executable=False) for number in range(3)}
    with pytest.raises(NoRoomError):
        KeptFolders(tmp_path / "outputs", BLOCK * 2).add(name_of("a"), {CONTROL: files, EXPERIMENT: {}})
    assert space_of([0, 1, 4096, 4097]) == 5 * BLOCK


def test_sessions_that_keep_at_the_same_time_stay_within_the_bound(tmp_path, sides):
    errors: list[NoRoomError] = []

    def add(letter: str) -> None:
        try:
            KeptFolders(tmp_path / "outputs", BLOCK * 6).add(name_of(letter), sides)
        except NoRoomError as error:
            errors.append(error)

    threads = [threading.Thread(target=add, args=[letter]) for letter in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names_in(tmp_path / "outputs")) <= 3
    assert len(names_in(tmp_path / "outputs")) + len(errors) >= 3
