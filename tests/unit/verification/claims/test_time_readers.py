"""Programs that could have printed the time of a file."""

import pytest

from pytest_ftc.model import Trace
from pytest_ftc.model.trace import Program
from pytest_ftc.verification.claims.time_readers import find_fixed_date, may_read_file_times


def trace(*commands: str, gaps: tuple[str, ...] = ()) -> Trace:
    programs = tuple(
        Program(pid=1, argv=tuple(command.split()), folder="/", program="/bin/x", parent=-1, exit_code=0)
        for command in commands
    )
    return Trace(programs=programs, read=(), written=(), contents=(), moved=(), connected=(), gaps=gaps)


@pytest.mark.parametrize(
    "command",
    [
        "date -r f +%V",
        "/bin/date --reference=f",
        "date -ur f",
        "stat f",
        "ls -l",
        "ls -A -go",
        "ls --full-time",
        "ls --fu",
        "ls --fo=l",
        "date --re=f",
        "python3 x.py",
        "./own",
        "find . -printf %t",
        "awk 1",
        "",
    ],
)
def test_these_may(command):
    assert may_read_file_times(trace("sh -c x", command))


@pytest.mark.parametrize(
    "command", ["date +%V", "/usr/bin/date -d @0", "ls", "ls -A src", "cat f", "cp -p a b", "touch f"]
)
def test_these_do_not(command):
    assert not may_read_file_times(trace("/bin/sh -c x", command))


def test_what_is_not_known_may():
    assert may_read_file_times(None)
    assert may_read_file_times(trace("sh -c x", gaps=("strace is traced by the build itself",)))


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("find f -newermt 2026-11-01", "find -newermt 2026-11-01"),
        ("/usr/bin/find . ! -newerct @1793491200 -print", "find -newerct @1793491200"),
        ("find . -newer f", ""),
        ("find . -newermt yesterday", ""),
        ("find . -newermt -1day", ""),
        ("find . -name -newermt", ""),
        ("echo -newermt 2026-11-01", ""),
    ],
)
def test_a_fixed_date_is_found(command, found):
    assert find_fixed_date(trace("sh -c x", command)) == found


def test_without_a_trace_no_fixed_date_is_known():
    assert find_fixed_date(None) == ""
