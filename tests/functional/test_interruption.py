"""However a session ends, nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from leftovers import find_leftovers, wait_until_gone

BUILDS = """
[artifacts.one]
build = "echo $$ > $FTC_PIDS/one; (setsid sleep 1000 &); trap '' TERM INT HUP; sleep 1000"
outputs = ["out"]
pass_env = ["FTC_PIDS"]
[artifacts.two]
build = "(pwd; head -c 3000000 /dev/urandom) > out"
outputs = ["out"]
"""


@pytest.fixture
def session(project, tmp_path):
    (project / "ftc.toml").write_text(BUILDS)
    started = tmp_path / "started"
    (project / "conftest.py").write_text(f"open({str(started)!r}, 'w').close()")
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # Who starts the tests in the background has them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    # Python loses some interrupts while pytest imports its own modules: they become an ImportError that is handled.
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def end_of(session):
    """Return what the session has printed when it has ended; where it hangs, if it does."""
    try:
        return session.communicate(timeout=30)[0].decode()
    except subprocess.TimeoutExpired:
        session.send_signal(signal.SIGABRT)
        pytest.fail(f"the session hangs: {session.communicate()[0].decode()}")


@pytest.mark.parametrize("after", [0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.2, 2.0, 2.5, 3.0])
def test_ctrl_c_at_any_moment(session, after):
    time.sleep(after)
    os.killpg(session.pid, signal.SIGINT)
    output = end_of(session)
    assert "INTERNALERROR" not in output
    assert session.returncode in (2, 1, -signal.SIGINT), output


@pytest.mark.parametrize("hook", ["pytest_collection_finish", "pytest_runtest_setup"])
def test_ctrl_c_in_a_callback_is_not_lost(verify_build, pytester, hook):
    pytester.makeconftest(f"""
        import signal
        import weakref

        class Lock: ...

        def {hook}():
            # As each import does with its lock.
            lock = Lock()
            kept = weakref.ref(lock, lambda _: signal.raise_signal(signal.SIGINT))
            del lock
    """)
    run = verify_build("sleep 40; echo > out")
    assert run.status == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in run.text


@pytest.mark.parametrize("after", [1.0, 3.0])
def test_a_killed_session_leaves_only_its_work_folder_and_the_next_removes_it(session, after, verify_build):
    before = find_leftovers()
    time.sleep(after)
    session.kill()
    session.wait()
    left = wait_until_gone({path for path in find_leftovers() if "/pytest-ftc-" in path} | before)
    assert left == set()
    verify_build("echo > out")
    assert not {path for path in find_leftovers() - before if Path(path).name.startswith("pytest-ftc-")}
