"""Locks are flock(2), so that sessions of every version see them."""

import fcntl
import os

import pytest

from pytest_ftc.model.support.file_lock import locked, try_lock, unlock


def test_a_lock_excludes_a_bare_flock_and_the_file_stays(tmp_path):
    file = tmp_path / "lock"
    with locked(file) as held, open(file) as other:
        assert held
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert file.stat().st_mode & 0o777 == 0o600
    with open(file) as other:
        assert try_lock(other.fileno())


def test_who_does_not_wait_learns_that_the_lock_is_taken(tmp_path):
    file = tmp_path / "lock"
    with open(file, "w") as other:
        assert try_lock(other.fileno())
        with locked(file, wait=False) as held:
            assert not held
        unlock(other.fileno())
        with locked(file, wait=False) as held:
            assert held


def test_no_link_is_followed(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError), locked(tmp_path / "lock"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_bare_lock_lives_on_in_an_inherited_descriptor(tmp_path):
    file = tmp_path / "lock"
    with open(file, "w") as taken:
        assert try_lock(taken.fileno())
        inherited = os.dup(taken.fileno())
    with locked(file, wait=False) as held:
        assert not held
    os.close(inherited)
    with locked(file, wait=False) as held:
        assert held
