"""A virtual environment as a user has it: made for pytest-ftc, and nothing else in it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from shell_blocks import Block, read_page, run_block

ROOT = Path(__file__).parent.parent
_NOT_FOR_USERS = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "VIRTUAL_ENV", "PYTHONPATH", "GITHUB_ACTIONS", "CI")


def enter_clean_environment(folder: Path) -> dict[str, str]:
    """Return the variables of a shell that has activated the environment in `folder`, which is made at the first call.

    It begins with nothing but pip, for which ``pytest-ftc`` is the wheel of this checkout, and the first commands of
    docs/start.md, which install that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    variables = _variables(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # The workers of pytest-xdist share it.
        if not (folder / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
            _build_wheel(folder)
            start = (ROOT / "docs" / "start.md").read_text()
            install = next(step for step in read_page(start) if isinstance(step, Block))
            assert all(command.line.startswith("pip install") for command in install.commands)
            run_block(install, folder, variables)
            (folder / "installed").touch()
    return variables


def _variables(folder: Path) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "FTC_"))}
    for name in _NOT_FOR_USERS:
        mine.pop(name, None)
    return {
        **mine,
        "PATH": f"{folder / 'venv' / 'bin'}:{os.environ['PATH']}",
        "VIRTUAL_ENV": str(folder / "venv"),
        "PIP_CONSTRAINT": str(folder / "constraints.txt"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }


def _build_wheel(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    (folder / "constraints.txt").write_text(f"pytest-ftc @ {wheel.as_uri()}\n")
