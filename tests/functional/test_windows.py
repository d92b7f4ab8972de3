"""On Windows the plugin loads, and says what is supported."""

import os

import pytest

# As near as one gets here: the name of the platform, and none of the modules that only POSIX has.
WINDOWS = """
import io, sys
import pytest  # what pytest itself needs of the platform it has found by now

sys.platform = "win32"
io._WindowsConsoleIO = type("_WindowsConsoleIO", (), {})
for name in ("fcntl", "pwd", "grp", "resource", "termios"):
    sys.modules[name] = None
"""
TESTS = """
import pytest

def test_verifies(ftc):
    ftc.verify(build="echo > out", outputs=["out"])

@pytest.mark.ftc(outputs=["out"])
def test_marked(ftc_output):
    (ftc_output / "out").write_text("x")
"""


@pytest.fixture
def on_windows(pytester, monkeypatch):
    pytester.makepyfile(windows=WINDOWS, test_it=TESTS)
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    return lambda *arguments: pytester.runpytest_subprocess(
        "-p", "windows", "-p", "no:xdist", "-p", "no:hypothesispytest", "--basetemp=new", *arguments
    )


def test_to_verify_is_one_clear_usage_error(on_windows):
    result = on_windows("--ftc-verify")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in str(result.stderr).splitlines() if line.strip()]
    assert line.startswith("ERROR: --ftc-verify: builds are verified on Linux")
    assert "on Windows, use WSL" in line


def test_without_it_tests_run_and_those_that_need_a_build_are_skipped(on_windows):
    result = on_windows("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * builds are verified on Linux*"])
