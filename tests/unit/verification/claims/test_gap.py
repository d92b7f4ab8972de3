"""When an experiment need not wait until some real time has passed."""

import pytest

from pytest_ftc.model import BuildResult, BuildStatus, Role, Trace
from pytest_ftc.model.trace import Program
from pytest_ftc.verification.claims.gap import is_unmoved, needs_gap, ran_side_by_side


def program(path: str, *words: str, parent: int = -1, began: int = 0, ended: int | None = None, helpers: int = 0):
    return Program(
        pid=1, argv=(path.rpartition("/")[2], *words), folder="/", program=path, parent=parent, exit_code=0,
        began=began, ended=ended, helpers=helpers,
    )  # fmt: skip


def trace(*programs: Program, **more) -> Trace:
    empty = dict.fromkeys(("read", "written", "contents", "moved", "connected", "gaps"), ())
    return Trace(programs=programs, **{**empty, **more})


def control(seen: Trace | None, **more) -> BuildResult:
    return BuildResult(
        **{"id": "a", "role": Role.CONTROL, "environment": {}, "status": BuildStatus.OK, "trace": seen, **more}
    )


def one_after_another(*paths: str) -> Trace:
    """A shell that starts the others, each when the one before has ended."""
    others = [program(path, parent=0, began=1 + 2 * place, ended=2 + 2 * place) for place, path in enumerate(paths)]
    return trace(program("/usr/bin/dash", "-c", "x", ended=99), *others)


@pytest.mark.parametrize(
    "paths",
    [
        (),
        ("/usr/bin/sort", "/bin/cat"),
        ("/usr/bin/make", "/usr/bin/x86_64-linux-gnu-gcc-12", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "/usr/bin/as"),
        ("/usr/lib/gcc/x86_64-linux-gnu/12/collect2", "/usr/bin/x86_64-linux-gnu-ld.bfd"),
    ],
)
def test_no_gap_for_programs_that_write_no_time_of_a_file(paths):
    assert not needs_gap(control(one_after_another(*paths)))


@pytest.mark.parametrize(
    "path",
    ["/usr/bin/tar", "/usr/bin/zip", "/usr/bin/ar", "/usr/bin/x86_64-linux-gnu-ar", "/usr/bin/python3", "/usr/bin/stat",
     "/usr/bin/clang", "/ftc-build/gcc", "/home/u/bin/cat", "/usr/local/bin/sort", "/usr/bin/perl", "/usr/bin/find"],
)  # fmt: skip
def test_a_gap_for_any_other_program(path):
    assert needs_gap(control(one_after_another(path)))


@pytest.mark.parametrize(
    "more",
    [
        {"seen": None},
        {"status": BuildStatus.FAILED},
        {"peers": (("sh", "unix socket"),)},
        {"shared": ("/tmp/x",)},
        {"seen": trace(gaps=("strace is traced by the build itself",))},
        {"seen": trace(evaded={"time": "a file shows it"})},
        {"seen": trace(read=((0, "/proc/uptime"),))},
        {"seen": trace(read=((0, "/sys/class/rtc/rtc0/time"),))},
    ],
)
def test_a_gap_for_what_is_unknown_or_reads_the_clock_of_the_machine(more):
    assert needs_gap(control(**{"seen": one_after_another(), **more}))


def test_files_of_the_kernel_without_a_time_do_not_matter():
    assert not needs_gap(control(trace(read=((0, "/proc/filesystems"), (0, "/sys/devices/system/cpu/online")))))


def test_options_that_print_times_need_a_gap():
    assert needs_gap(control(trace(program("/usr/bin/date", "-r", "x", ended=1))))
    assert not needs_gap(control(trace(program("/usr/bin/date", "+%s", ended=1))))


def test_programs_side_by_side():
    shell = program("/bin/sh", ended=9)
    first, second = program("/bin/cat", parent=0, began=1, ended=3), program("/bin/tac", parent=0, began=2, ended=4)
    assert ran_side_by_side(trace(shell, first, second))
    assert not ran_side_by_side(trace(shell, first, program("/bin/tac", parent=0, began=4, ended=5)))
    assert not ran_side_by_side(trace(shell, first, program("/bin/tac", parent=1, began=2, ended=3)))
    assert ran_side_by_side(
        trace(shell, program("/bin/cat", parent=0, began=1), program("/bin/tac", parent=0, began=4, ended=5))
    )
    assert ran_side_by_side(trace(program("/bin/sh", helpers=1)))


def test_a_clock_that_was_not_moved():
    assert is_unmoved(control(None, not_applied={"time": "a 32-bit call"}))
    assert is_unmoved(control(trace(evaded={"time": "a time stamp of a packet"})))
    assert not is_unmoved(control(None))
