"""Faults of real farms: no verdict is wrong, everything ends in bounded time, and nothing runs on.

benchmarks/remote_faults.py does the same hundreds of times.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from services.disk_faults import client_full
from services.farm_faults import Trial, alter, line_trials, try_fault
from services.fault_kinds import server_faults
from services.reapi_servers import Casd
from services.session_faults import FEW, TRUTH, kill_client, run_session, write_project
from services.shared_store_faults import FEW_KINDS, store_faults

from pytest_ftc.model.digest import Digest


def test_a_server_is_killed_and_comes_back_with_its_contents_or_none(own_casd: Casd) -> None:
    for kind, counts in server_faults(own_casd, 1):
        assert counts.problems == [], kind
        assert counts.right + counts.errors == 1
    assert Trial(own_casd.target, 2).run() == "right"


def test_a_worker_is_lost(own_casd: Casd) -> None:
    lost = []
    outcome = try_fault(own_casd, "worker lost", "executing", 1, lambda trial: lost.append(own_casd.kill_actions()))
    assert lost[0]
    assert outcome.ended == "error: TransientError"


@pytest.mark.parametrize(
    ("change", "ended"), [(alter, "error: AlteredError"), (Path.unlink, "error: MissingError")], ids=["altered", "gone"]
)
def test_an_output_is_altered_or_gone(own_casd: Casd, change: Callable[[Path], None], ended: str) -> None:
    def inject(trial: Trial) -> None:
        assert trial.output
        change(own_casd.file(trial.output))

    assert try_fault(own_casd, "output", "downloading", 1, inject).ended == ended


def test_a_line_is_slow_cut_or_corrupt(own_casd: Casd) -> None:
    for seed in range(2):
        for outcome, _ in line_trials(own_casd, seed):
            assert not outcome.wrong, outcome


def test_a_worker_gets_a_source_that_was_altered(own_casd: Casd, tmp_path: Path) -> None:
    project = tmp_path / "project"
    write_project(project, own_casd.endpoint, 1, artifacts=FEW)
    digest = Digest.of((project / "large.bin").read_bytes())
    altered = []

    def inject() -> int:
        try:
            file = own_casd.file(digest)
        except FileNotFoundError:
            return 0 if altered else -1
        alter(file)
        altered.append(file)
        return 0

    found = run_session(project, own_casd, "source altered", inject, diagnose=False)
    assert altered
    assert found.problems == []
    assert set(found.verdicts.values()) - {"error"} <= set(TRUTH.values())
    assert "the farm gave the worker another 'large.bin'" in (project / "said").read_text()


def test_the_server_is_away_for_a_moment_in_a_session(own_casd: Casd, tmp_path: Path) -> None:
    write_project(tmp_path / "project", own_casd.endpoint, 1, artifacts=FEW)
    left = [1]

    def inject() -> int:
        if not left or not own_casd.actions():
            return -bool(left)
        own_casd.kill()
        own_casd.restart()
        return left.pop()

    found = run_session(tmp_path / "project", own_casd, "server killed", inject, diagnose=False)
    assert found.problems == []
    assert not left


def test_a_killed_session_leaves_nothing_on_the_worker(own_casd: Casd, tmp_path: Path) -> None:
    write_project(tmp_path / "project", own_casd.endpoint, 1, timeout=5, artifacts=FEW)
    killed = kill_client(tmp_path / "project", own_casd, lambda: bool(own_casd.actions()))
    assert killed.faults == 1
    assert killed.problems == []


def test_a_full_disk_of_this_machine_is_one_clear_error(own_casd: Casd, tmp_path: Path) -> None:
    """The second output that is fetched does not fit."""
    ((_, counts),) = client_full(tmp_path / "work", own_casd, 3)
    assert counts.problems == []
    assert counts.errors


def test_a_full_disk_of_the_server_is_one_clear_error(own_casd: Casd, tmp_path: Path) -> None:
    own_casd.kill()
    own_casd.restart(room=8 << 20)
    assert Trial(own_casd.target, 1).run().startswith("error: ")


def test_what_the_shared_store_gives_is_the_truth_whatever_happens_to_it(own_casd: Casd, tmp_path: Path) -> None:
    for kind, counts in store_faults(tmp_path / "work", own_casd, 1, FEW_KINDS):
        assert counts.problems == [], kind
        assert counts.right + counts.errors == 8


def test_a_farm_that_is_away_is_one_clear_error(pytester: pytest.Pytester) -> None:
    farm = '[remote]\nendpoint = "grpc://127.0.0.1:1"\n'
    pytester.makefile(".toml", ftc=f'{farm}[artifacts.a]\nbuild = "true"\noutputs = ["o"]\n')
    done = pytester.runpytest_subprocess("--ftc-verify", "--ftc-executor=reapi", "ftc.toml")
    done.stderr.fnmatch_lines(["ERROR: --ftc-executor=reapi: grpc://127.0.0.1:1: *"])
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in done.stdout.str()
