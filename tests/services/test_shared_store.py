"""The store that machines share, on a real server: buildbox-casd."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from services.buildgrid_server import BuildGrid
from services.reapi_servers import Casd

from pytest_ftc.integrations.reapi.address import Limits, RemoteAddress
from pytest_ftc.integrations.reapi.errors import AlteredError
from pytest_ftc.integrations.reapi.shared_store import SharedStore, open_shared_store
from pytest_ftc.integrations.retry import Persistence
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.remote_tier import TierLimits
from pytest_ftc.store.tiered import TieredStore

ACTION, OTHER = "a" * 64, "b" * 64
QUICK = Limits(call=1.0, persistence=Persistence(attempts=2, first_wait=0.05, longest_wait=0.1, failures=3, rest=0.5))


def connect(server: Casd | BuildGrid) -> SharedStore:
    return open_shared_store(RemoteAddress(target=server.target), os.urandom(32), limits=QUICK)


OpenTiered = Callable[..., TieredStore]


@pytest.fixture
def open_tiered(tmp_path: Path) -> Iterator[OpenTiered]:
    opened = []

    def open_it(server: Casd | BuildGrid, name: str = "store") -> TieredStore:
        target = RemoteAddress(target=server.target)
        store = TieredStore(
            LocalStore(tmp_path / name),
            lambda: open_shared_store(target, bytes(32), limits=QUICK),
            lambda _, data: data.startswith(b"good"),
            TierLimits(rest=1.0, flush=5.0),
        )
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        store.close()


def test_entries_and_contents_of_all_sizes_come_back(casd: Casd, tmp_path: Path) -> None:
    check_all_sizes(casd, tmp_path)


def test_they_do_on_a_server_that_keeps_results_only_while_what_they_name_is_there(
    buildgrid: BuildGrid, tmp_path: Path
) -> None:
    check_all_sizes(buildgrid, tmp_path)


def check_all_sizes(server: Casd | BuildGrid, folder: Path) -> None:
    with closing(connect(server)) as shared:
        check_entries(shared)
        check_contents(shared, folder)


def check_entries(shared: SharedStore) -> None:
    assert shared.get_entry(ACTION) is None
    for entry in (b"one", b"", os.urandom(8 << 20)):
        shared.put_entry(ACTION, entry)
        assert shared.get_entry(ACTION) == entry
        assert shared.find_entry(ACTION) == Digest.of(entry)
    assert shared.get_entry(OTHER) is None


def check_contents(shared: SharedStore, tmp_path: Path) -> None:
    files = {}
    for size in (0, 1, 5 << 20):
        data = os.urandom(size)
        path = tmp_path / str(size)
        path.write_bytes(data)
        files[Digest.of(data)] = path
    shared.put_files(files)
    assert shared.find_missing(files) == set()
    for digest, path in files.items():
        shared.get_file(digest, tmp_path / "to")
        assert (tmp_path / "to").read_bytes() == path.read_bytes()
        (tmp_path / "to").unlink()
    with pytest.raises(MissingError):
        shared.get_file(Digest.of(b"nobody stored it"), tmp_path / "to")


def test_what_is_altered_on_its_disk_is_no_answer(casd: Casd, open_tiered: OpenTiered, tmp_path: Path) -> None:
    first, second = open_tiered(casd, "first"), open_tiered(casd, "second")
    entry, content = b"good" + os.urandom(100), os.urandom(100)
    (tmp_path / "file").write_bytes(content)
    first.put_files({Digest.of(content): tmp_path / "file"})
    first.put_entry(ACTION, entry)
    first.close()
    for data in (entry, content):
        file = casd.file(Digest.of(data))
        file.chmod(0o600)
        file.write_bytes(bytes(reversed(data)))
    assert second.get_entry(ACTION) is None
    with pytest.raises((MissingError, AlteredError)):
        second.get_file(Digest.of(content), tmp_path / "to")
    assert not (tmp_path / "to").exists()
    second.close()
    assert any("altered" in problem for problem in second.problems), second.problems


def test_a_dangling_entry_is_no_answer(casd: Casd, open_tiered: OpenTiered) -> None:
    check_dangling(casd, open_tiered)


def test_a_dangling_entry_of_buildgrid_is_no_answer(buildgrid: BuildGrid, open_tiered: OpenTiered) -> None:
    check_dangling(buildgrid, open_tiered)


def check_dangling(server: Casd | BuildGrid, open_tiered: OpenTiered) -> None:
    first, second = open_tiered(server, "first"), open_tiered(server, "second")
    entry = b"good" + os.urandom(100)
    first.put_entry(OTHER, entry)
    first.close()
    file = server.file(Digest.of(entry)) if isinstance(server, Casd) else server.file(Digest.of(entry).hash)
    file.unlink()
    assert second.get_entry(OTHER) is None


def test_a_server_that_dies_and_comes_back_empty_costs_no_more_than_its_answers(
    own_casd: Casd, open_tiered: OpenTiered
) -> None:
    store = open_tiered(own_casd)
    store.put_entry(ACTION, b"good one")
    assert store.get_entry(OTHER) is None
    own_casd.kill()
    began = time.monotonic()
    for number in range(20):
        assert store.get_entry(f"{number:064x}") is None
    assert store.get_entry(ACTION) == b"good one"
    assert time.monotonic() - began < 10
    own_casd.restart(empty=True)
    time.sleep(1.5)  # until the circuit breakers let an attempt through
    store.put_entry(OTHER, b"good two")
    store.close()
    second = open_tiered(own_casd, "second")
    assert second.get_entry(OTHER) == b"good two"
    assert any("could not be used" in problem for problem in store.problems)


def test_a_server_that_hangs_delays_a_session_only_so_long(own_casd: Casd, open_tiered: OpenTiered) -> None:
    store = open_tiered(own_casd)
    assert store.get_entry(OTHER) is None
    store.put_entry(OTHER, b"good")
    os.kill(own_casd._process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for number in range(20):
            assert store.get_entry(f"{number:064x}") is None
        store.close()
        assert time.monotonic() - began < 20
    finally:
        os.kill(own_casd._process, signal.SIGCONT)
    assert any("no answer" in problem for problem in store.problems), store.problems


def test_a_session_has_the_verdict_of_another_machine(casd: Casd, verify, project, monkeypatch) -> None:
    monkeypatch.setenv("FTC_STORE_KEY", os.urandom(16).hex())
    monkeypatch.setenv("PYTHONPATH", f"{project.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    (project.parent / "elsewhere.py").write_text("import platform\nplatform.node = lambda: 'elsewhere'\n")
    (project / "src").mkdir()
    (project / "src" / "in").write_text("in")
    toml = (
        f'variations = "umask,timezone"\nbuilds = 2\n[remote]\nendpoint = "{casd.endpoint}"\nstore = true\n'
        '[artifacts.one]\nbuild = "cat in > out"\noutputs = ["out"]\nsource = "src"\n'
    )
    first = verify(toml, f"--ftc-store={project}-first")
    again = verify(None, f"--ftc-store={project}-second", "-p", "elsewhere")
    assert (first.status, again.status) == (0, 0)
    assert [run.artifact()["cached"] for run in (first, again)] == [False, True]
    assert again.report["session"]["store"]["received"]["contents"] == 0
