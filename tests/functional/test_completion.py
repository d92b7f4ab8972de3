"""``ftc completion`` in the shells themselves."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

FTC = """
[artifacts.app]
build = "true"
outputs = ["a"]
[artifacts."$(touch stolen)"]
build = "true"
outputs = ["a"]
"""
BASH = """
eval "$(ftc completion bash)"
COMP_LINE="$1" COMP_POINT=${#1} COMP_WORDS=($1)
[[ "$1" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ftc
printf '%s\\n' "${COMPREPLY[@]}"
"""
CASES = [
    ("ftc det", {"determinize"}),
    ("ftc attest c", {"create", "compare"}),
    ("ftc attest create --ke", {"--key", "--keyring"}),
    ("ftc completion z", {"zsh"}),
    ("ftc build ap", {"app"}),
    ("ftc verify libs/co", {"libs/core:app"}),
    ("ftc gate --ftc-js", {"--ftc-json"}),
]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libs/core").mkdir(parents=True)
    (tmp_path / "libs/core/ftc.toml").write_text('[artifacts.app]\nbuild = "true"\noutputs = ["a"]\n')
    (tmp_path / "ftc.toml").write_text(f"discover = true\n{FTC}")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@pytest.mark.parametrize(("typed", "offered"), [*CASES, ("ftc verify libs/core:", {"app"}), ("ftc build $", {""})])
def test_bash(typed: str, offered: set[str], tmp_path: Path) -> None:
    done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", typed], capture_output=True, text=True)
    assert (set(done.stdout.splitlines()), done.stderr) == (offered, "")
    assert not (tmp_path / "stolen").exists()


@needs("fish")
@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_fish(typed: str, offered: set[str], tmp_path: Path) -> None:
    script = 'ftc completion fish | source; complete -C "$argv[1]"'
    done = subprocess.run(["fish", "--no-config", "-c", script, typed], capture_output=True, text=True)
    shown = {name for name in (line.partition("\t")[0] for line in done.stdout.splitlines()) if not name.endswith("/")}
    assert (shown, done.stderr) == (offered, "")
    assert not (tmp_path / "stolen").exists()


@needs("zsh")
def test_zsh(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", PS1="> ", HOME=str(tmp_path))
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:
        start = (
            f'autoload -Uz compinit && compinit -u -d {tmp_path}/dump && eval "$(ftc completion zsh)" && echo rea""dy\n'
        )
        assert "ready" in type_into(terminal, start, "ready")
        for typed, whole in (
            ("ftc det", "ftc determinize "),
            ("ftc attest cr", "ftc attest create "),
            ("ftc verify libs/core:", "ftc verify libs/core:app "),
        ):
            assert whole in type_into(terminal, f"\x15{typed}\t", whole)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def type_into(terminal: int, text: str, until: str) -> str:
    """Type `text`, and return what is shown by the time it contains `until`."""
    os.write(terminal, text.encode())
    bell = "\x07"
    shown, end = "", time.monotonic() + 30
    while until not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace").replace(bell, "")
    return shown


def test_where_nothing_can_be_read_nothing_is_offered(tmp_path: Path) -> None:
    (tmp_path / "ftc.toml").write_text("x = [")
    done = subprocess.run(["ftc", "completion", "artifacts"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
