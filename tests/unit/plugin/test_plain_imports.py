"""pytest rewrites the assertions of all modules of a plugin; ours are imported as Python has compiled them."""

import subprocess
import sys

TELLS = """
import sys
from _pytest.assertion.rewrite import AssertionRewritingHook

def pytest_unconfigure():
    ours = [module for name, module in sys.modules.items() if name.startswith("pytest_ftc.verification")]
    print("rewritten:", [one.__name__ for one in ours if isinstance(one.__loader__, AssertionRewritingHook)], len(ours) > 9)

def test_is_rewritten():
    assert type(__loader__).__name__ == "AssertionRewritingHook"
"""


def test_only_tests_are_rewritten(tmp_path):
    (tmp_path / "test_it.py").write_text(TELLS)
    (tmp_path / "conftest.py").write_text(TELLS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "ftc.toml").write_text("[artifacts.app]\nbuild = 'echo > out'\noutputs = ['out']\n")
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-builds=2", f"--ftc-store={tmp_path}/store"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "rewritten: [] True" in done.stdout
