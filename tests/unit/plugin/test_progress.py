"""What stands on the screen while one waits, as a terminal shows it."""

import fcntl
import os
import pty
import struct
import termios

import pyte
import pytest

from pytest_ftc.model.progress import Progress
from pytest_ftc.plugin.progress import LiveLine, Log

END = b"\x07"
"""A bell: nobody sees it, and it tells that all before it was read."""


@pytest.fixture
def terminal():
    """A terminal of 5 lines of 40 columns: what writes to it, and a function that tells what it shows."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 40, 0, 0))
    screen = pyte.Screen(40, 5)
    stream = pyte.ByteStream(screen)

    def shows() -> list[str]:
        os.write(side, END)
        data = b""
        while not data.endswith(END):
            data += os.read(main, 65536)
        stream.feed(data)
        return [line.rstrip() for line in screen.display]

    yield side, shows
    os.close(main)
    os.close(side)


def states(seconds: float = 0.0) -> list[Progress]:
    return [Progress(name="wheel", doing="control build", seconds=seconds)]


@pytest.mark.parametrize("above", [1, 4])
def test_a_line_below_the_cursor_comes_and_goes(terminal, above):
    side, shows = terminal
    now = [0.0]
    line = LiveLine(side, lambda: states(now[0]), colour=False)
    os.write(side, b"before\r\n" * above + b"test_it.py .")
    line.show()
    now[0] = 7
    line.show()
    expected = ["before"] * above + ["test_it.py .", "ftc  wheel: control build 7 s"]
    assert [text for text in shows() if text] == expected[-5:]
    line.clear()
    os.write(side, b".F\r\nafter")
    assert [text for text in shows() if text] == (["before"] * above + ["test_it.py ..F", "after"])[-5:]


def test_it_stays_on_one_line_of_a_narrow_terminal(terminal):
    side, shows = terminal
    long = [Progress(name="x" * 30, doing="control and experiment build", seconds=3)] * 3
    LiveLine(side, lambda: long, colour=True).show()
    assert [text for text in shows() if text] == ["ftc  " + "x" * 30 + ": co"]


def test_a_terminal_without_our_symbols_gets_ascii(terminal):
    side, shows = terminal
    LiveLine(side, lambda: states() * 2, colour=False, encoding="ascii").show()
    assert "ftc  wheel: control build 0 s - 1 more" in shows()


def test_a_terminal_that_went_away_does_no_harm():
    main, side = pty.openpty()
    os.close(main)
    line = LiveLine(side, states, colour=False)
    line.show()
    line.clear()
    os.close(side)


def test_a_log_gets_a_line_after_ten_seconds_and_then_each_thirty():
    now, told = [0.0], []
    log = Log(lambda line: told.append((now[0], line)), lambda: states(now[0]), lambda: now[0])
    for second in range(75):
        now[0] = float(second)
        log.show()
    assert [moment for moment, _ in told] == [10, 40, 70]
    assert told[0][1] == "ftc  wheel: control build 10 s"
    log.clear()
    for second in range(100, 109):
        now[0] = float(second)
        log.show()
    assert len(told) == 3
