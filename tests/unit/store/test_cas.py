"""Contents go in whole and come out as they were, or not at all."""

import hashlib
import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError, StoreUnavailableError
from pytest_ftc.store.cas import LocalStore

A_DIGEST = Digest.of(b"a")


@pytest.fixture
def store(tmp_path):
    store = LocalStore(tmp_path / "store")
    yield store
    store.close()


def blob(store: LocalStore, digest: Digest) -> Path:
    return Path(store.layout.blob(digest.hash))


@given(st.binary(max_size=3000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_what_is_put_is_got(store, data):
    digest = store.put(data)
    assert digest == Digest(hashlib.sha256(data).hexdigest(), len(data))
    assert store.get(digest) == data
    assert store.missing([digest]) == []


@given(st.integers(0, 2**40), st.binary(max_size=8))
def test_a_digest_is_read_as_it_is_written(size, seed):
    digest = Digest(hashlib.sha256(seed).hexdigest(), size)
    assert Digest.parse(str(digest)) == digest


@pytest.mark.parametrize(
    "text", ["", "a/1", "A" * 64 + "/1", "a" * 64, "a" * 64 + "/-1", "a" * 64 + "/01", "a" * 64 + "/1\n"]
)
def test_what_is_no_digest_is_not_read_as_one(text):
    with pytest.raises(ValueError, match="expected a digest"):
        Digest.parse(text)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_files_of_any_size(store, tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "in").write_bytes(data)
    digest = store.put_file(tmp_path / "in")
    store.get_file(digest, tmp_path / "out", mode=0o755)
    assert (tmp_path / "out").read_bytes() == data
    assert (tmp_path / "out").stat().st_mode & 0o111
    assert digest == Digest.of(data) == store.put(data)


def test_a_file_that_is_given_away_costs_no_copy(store, tmp_path):
    (tmp_path / "in").write_bytes(b"data")
    with store.batch() as batch:
        digest = batch.put_file(tmp_path / "in", known=Digest.of(b"data"))
    assert blob(store, digest).stat().st_ino == (tmp_path / "in").stat().st_ino
    assert store.get(digest) == b"data"


def test_a_file_of_another_file_system_is_copied(store):
    folder = Path("/dev/shm", f"ftc-test-{os.getpid()}")
    folder.mkdir()
    try:
        (folder / "in").write_bytes(b"data")
        with store.batch() as batch:
            batch.put_file(folder / "in", known=Digest.of(b"data"))
    finally:
        (folder / "in").unlink()
        folder.rmdir()
    assert store.get(Digest.of(b"data")) == b"data"


def test_many_at_once_are_there_when_the_block_ends_and_not_before(store):
    contents = [b"%d" % number for number in range(100)]
    with store.batch() as batch:
        digests = [batch.put(data) for data in contents]
        assert len(store.missing(digests)) == 100
    assert [store.get(digest) for digest in digests] == contents


def test_what_fails_halfway_leaves_nothing(store):
    with pytest.raises(RuntimeError), store.batch() as batch:
        batch.put(b"a")
        raise RuntimeError
    assert store.missing([A_DIGEST]) == [A_DIGEST]
    assert os.listdir(store.layout.parts) == []


def test_the_store_is_for_its_user_alone(store):
    digest = store.put(b"a")
    assert stat.S_IMODE(store.layout.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(blob(store, digest).stat().st_mode) == 0o400


def spoil(path: Path, how: str) -> None:
    path.chmod(0o600)
    data = path.read_bytes()
    if how == "flipped":
        path.write_bytes(bytes((data[0] ^ 1,)) + data[1:])
    elif how == "truncated":
        path.write_bytes(data[:-1])
    elif how == "longer":
        path.write_bytes(data + b"!")
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        if how == "symlink":
            path.symlink_to("/etc/passwd")
        elif how == "folder":
            path.mkdir()
        else:
            os.mkfifo(path)


@pytest.mark.parametrize("how", ["flipped", "truncated", "longer", "empty", "symlink", "folder", "fifo"])
@pytest.mark.parametrize("to_file", [False, True])
def test_what_is_corrupt_is_never_handed_out_and_can_be_put_again(store, tmp_path, how, to_file):
    digest = store.put(b"some data")
    spoil(blob(store, digest), how)
    with pytest.raises(MissingError):
        store.get_file(digest, tmp_path / "out") if to_file else store.get(digest)
    assert not (tmp_path / "out").exists()
    assert not any(path.name.startswith("out") for path in tmp_path.iterdir())
    assert store.quarantined == 1
    assert len(os.listdir(store.layout.quarantine)) == 1
    assert store.put(b"some data") == digest
    assert store.get(digest) == b"some data"


def test_what_is_put_again_is_read_to_be_sure(store):
    digest = store.put(b"some data")
    spoil(blob(store, digest), "flipped")
    store.put(b"some data")
    assert store.get(digest) == b"some data"
    assert store.quarantined == 1


def test_what_was_never_there_is_missing(store, tmp_path):
    with pytest.raises(MissingError):
        store.get(A_DIGEST)
    with pytest.raises(MissingError):
        store.get_file(A_DIGEST, tmp_path / "out")
    assert store.quarantined == 0


def test_the_same_content_from_many_threads_and_stores(tmp_path):
    stores = [LocalStore(tmp_path / "store") for _ in range(4)]
    contents = [b"%d" % (number % 20) for number in range(200)]
    failures = []

    def work(store: LocalStore) -> None:
        try:
            for data in contents:
                assert store.get(store.put(data)) == data
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert failures == []
    assert os.listdir(stores[0].layout.parts) == []
    assert sum(len(files) for _, _, files in os.walk(stores[0].layout.blobs)) == 20


IN_NAMESPACE = ("unshare", "-Urm", "sh", "-c")


def run_in_namespace(setup: str, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python `code` behind the shell commands `setup` where mounting is allowed; the folder is $D."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(code))
    return subprocess.run(
        [*IN_NAMESPACE, f'{setup}\nexec "$P" "$D/script.py"'],
        env={**os.environ, "D": str(folder), "P": sys.executable},
        capture_output=True,
        text=True,
    )


def test_a_full_disk_is_an_error_and_leaves_what_is_there_whole(tmp_path):
    (tmp_path / "disk").mkdir()
    done = run_in_namespace(
        "mount -t tmpfs -o size=2m none $D/disk",
        """
        import os
        from pathlib import Path
        from pytest_ftc.model.errors import StoreUnavailableError
        from pytest_ftc.store.cas import LocalStore
        store = LocalStore(Path(os.environ["D"], "disk/store"))
        kept, failures = [], 0
        for number in range(64):
            data = bytes([number]) * (100 << 10)
            try:
                kept.append((store.put(data), data))
            except StoreUnavailableError as error:
                assert "No space left" in str(error), error
                failures += 1
        assert 10 < len(kept) < 25 and failures > 30, (len(kept), failures)
        assert all(store.get(digest) == data for digest, data in kept)
        assert os.listdir(store.layout.parts) == []
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_a_read_only_store_is_read(tmp_path):
    store = LocalStore(tmp_path / "store")
    digest = store.put(b"data")
    store.close()
    done = run_in_namespace(
        "mount --bind $D/store $D/store; mount -o remount,ro,bind $D/store",
        f"""
        import os
        from pathlib import Path
        from pytest_ftc.model.errors import StoreUnavailableError
        from pytest_ftc.model.digest import Digest
        from pytest_ftc.store.cas import LocalStore
        store = LocalStore(Path(os.environ["D"], "store"))
        assert store.get(Digest.parse("{digest}")) == b"data"
        try:
            store.put(b"other")
        except StoreUnavailableError as error:
            assert "Read-only" in str(error)
        else:
            raise AssertionError
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_an_error_of_the_disk_is_told_from_a_missing_content(tmp_path):
    store = LocalStore(tmp_path / "store")
    digest = store.put(b"data")
    path = store.layout.blob(digest.hash)
    store.close()
    # Reading the first bytes of a process's memory, where nothing is mapped, is an input/output error.
    done = run_in_namespace(
        f"mount --bind /proc/$$/mem {path}",
        f"""
        import os
        from pathlib import Path
        from pytest_ftc.model.errors import StoreUnavailableError
        from pytest_ftc.model.digest import Digest
        from pytest_ftc.store.cas import LocalStore
        store = LocalStore(Path(os.environ["D"], "store"))
        for read in (store.get, lambda digest: store.get_file(digest, Path(os.environ["D"], "out"))):
            try:
                read(Digest.parse("{digest}"))
            except StoreUnavailableError as error:
                assert "Input/output error" in str(error), error
            else:
                raise AssertionError
        assert store.quarantined == 0
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="Not a directory"):
        LocalStore(tmp_path / "file" / "store").put(b"a")
