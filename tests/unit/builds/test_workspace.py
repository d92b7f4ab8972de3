import os
import signal
import subprocess
import sys
from pathlib import Path

from pytest_ftc.builds.workspace import Workspace

HOLD = "import sys, time; from pathlib import Path; from pytest_ftc.builds.workspace import Workspace\nw = Workspace(Path(sys.argv[1])); {make}; print(w.path, flush=True); time.sleep(100)"


def hold(base: Path, make: str = "w.make()") -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(make=make), str(base)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout
    process.stdout.close()


def test_a_folder_of_a_living_session_stays_and_that_of_a_killed_one_goes(tmp_path: Path) -> None:
    process, folder = hold(tmp_path)
    with Workspace(tmp_path):
        assert folder.exists()
    kill(process)
    with Workspace(tmp_path):
        assert not folder.exists()


def test_a_folder_that_has_no_lock_yet_stays_while_its_maker_lives(tmp_path: Path) -> None:
    process, folder = hold(tmp_path, make="w.path.mkdir()")
    with Workspace(tmp_path):
        assert folder.exists()
    kill(process)
    with Workspace(tmp_path):
        assert not folder.exists()


def test_closing_twice_or_before_making_harms_nothing(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.close()
    workspace.make()
    workspace.folder("a").joinpath("b").write_text("c")
    workspace.close()
    workspace.close()
    assert os.listdir(tmp_path) == []


def test_a_folder_goes_though_the_number_of_its_maker_is_that_of_another_process_now(tmp_path: Path) -> None:
    left = tmp_path / f"pytest-ftc-{os.getpid()}-0123abcd"
    left.mkdir()
    (left / "lock").touch()
    with Workspace(tmp_path):
        assert left.exists()
    os.utime(left / "lock", (1e9, 1e9))
    with Workspace(tmp_path):
        assert not left.exists()
