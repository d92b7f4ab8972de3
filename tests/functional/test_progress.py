"""What stands on the screen while pytest waits for builds."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pyte
import pytest

BUILDS = """
variations = "home"
diagnose = "off"
[artifacts.wheel]
build = "echo > wheel; sleep 2.2"
outputs = ["wheel"]
[artifacts.docs]
build = "echo $HOME > docs"
outputs = ["docs"]
"""
# A log gets its first line after ten seconds: here after a half.
HASTE = """
import pytest_ftc.plugin.progress as waiting
waiting._FIRST, waiting._NEXT = 0.5, 1.0
"""
COLUMNS, LINES = 70, 12


class Seen:
    """What a terminal has shown: the raw text, every state of the screen, and the lines at the end, scrolled ones too."""

    def __init__(self) -> None:
        self.raw = b""
        self.states: list[str] = []
        self.screen = pyte.HistoryScreen(COLUMNS, LINES, history=1000)
        self.stream = pyte.ByteStream(self.screen)

    def take(self, data: bytes) -> None:
        self.raw += data
        self.stream.feed(data)
        self.states.append("\n".join(self.screen.display))

    @property
    def lines(self) -> list[str]:
        above = ["".join(line[column].data for column in range(COLUMNS)) for line in self.screen.history.top]
        return [line.rstrip() for line in (*above, *self.screen.display)]


@pytest.fixture
def on_a_terminal(project, monkeypatch):
    """Run pytest --ftc-verify on a terminal of its own."""
    (project / "ftc.toml").write_text(BUILDS)
    (project / "test_ordinary.py").write_text("def test_ordinary(): pass\n")
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "COLUMNS", "CI"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Seen:
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        command = [sys.executable, "-m", "pytest", "--ftc-verify", *arguments]
        # Without env, it would also get COLUMNS, which readline puts into the C library's environment only.
        process = subprocess.Popen(command, stdin=side, stdout=side, stderr=side, cwd=project, env=dict(os.environ))
        os.close(side)
        seen = Seen()
        while data := _read(main):
            seen.take(data)
        process.wait()
        os.close(main)
        return seen

    return run


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other side is closed
        return b""


def test_a_live_line_tells_what_is_built_and_is_gone_in_the_end(on_a_terminal):
    seen = on_a_terminal("-v")
    assert any("ftc  wheel: control build 1 s" in state for state in seen.states), seen.lines
    assert any("ftc  wheel: experiment build" in state for state in seen.states), seen.lines
    assert not any(line.startswith("ftc  ") for line in seen.lines), seen.lines
    told = [line.split("[")[0].rstrip() for line in seen.lines if line.endswith("%]")]
    assert told == [
        "ftc.toml::ftc::wheel PASSED", "ftc.toml::ftc::docs FAILED", "test_ordinary.py::test_ordinary PASSED",
    ], seen.lines  # fmt: skip


@pytest.mark.parametrize("arguments", [("-v",), ()])
def test_the_controller_of_xdist_has_the_line_of_its_workers(on_a_terminal, arguments):
    seen = on_a_terminal("-n2", *arguments)
    assert any("ftc  wheel: control build 1 s" in state for state in seen.states), seen.lines
    assert not any(line.startswith("ftc  ") or "[gw0] ftc" in line for line in seen.lines), seen.lines
    assert "FAILED ftc.toml::ftc::docs" in "\n".join(seen.lines)
    progress = [line for line in seen.lines if line.endswith("%]")]
    assert all("ftc  " not in line for line in progress), seen.lines


def test_no_colour_where_none_is_wanted_and_nothing_where_nothing_is(on_a_terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    raw = on_a_terminal("ftc.toml::ftc::wheel", "-s").raw
    assert b"ftc  wheel: " in raw
    assert b"\x1b[2m" not in raw
    raw = on_a_terminal("ftc.toml::ftc::docs", "-q", "-q").raw
    assert b"ftc  " not in raw
    assert b"\x1b[" not in raw


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [((), True), (("-q", "-s"), True), (("-n2",), True), (("-qq",), False), (("-qq", "-n2"), False)],
)
def test_a_log_gets_lines_of_its_own(verify, project, arguments, lines):
    (project / "conftest.py").write_text(HASTE)
    run = verify(BUILDS, *arguments)
    told = [line.removeprefix("[gw0] ").removeprefix("[gw1] ") for line in run.text.splitlines()]
    found = [line for line in told if line.startswith("ftc  wheel: ")]
    assert bool(found) is lines, run.text
    assert "\x1b" not in run.text
