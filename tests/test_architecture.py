"""What the structure promises: imports go downward, and the plugin costs nothing until it is asked."""

import subprocess
import sys

LIGHT = {"pytest_ftc", *(f"pytest_ftc.{name}" for name in ("plugin", "options", "hookspecs", "hook_checks"))}
HEAVY = {
    "rich",
    "filelock",
    "platformdirs",
    "diffoscope",
    "tomllib",
    "tomli",
    "pytest_ftc.session",
    "pytest_ftc.launcher",
}


def test_imports_go_downward_only():
    done = subprocess.run([sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"], capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_without_the_flag_nothing_heavy_is_imported(pytester):
    pytester.makepyfile(
        f"""
        import sys

        def test_imports():
            ours = set(name for name in sys.modules if name.startswith("pytest_ftc"))
            assert ours <= {LIGHT}, ours
        """
    )
    pytester.runpytest_subprocess("-p", "no:hypothesispytest").assert_outcomes(passed=1)
    code = "import sys, pytest; before = set(sys.modules); import pytest_ftc.plugin; print(set(sys.modules) - before)"
    added = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {name for name in HEAVY if f"'{name}'" in added}, added


def test_the_launcher_needs_the_standard_library_only():
    code = (
        "import sys; sys.path.append(sys.argv[1]); import pytest_ftc.launcher.main; "
        "print(sorted(n for n in sys.modules if n.partition('.')[0] not in sys.stdlib_module_names))"
    )
    root = __import__("pytest_ftc").__path__[0].rpartition("/")[0]
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, root], capture_output=True, text=True, check=True)
    assert all(name.startswith(("pytest_ftc", "__main__")) for name in eval(done.stdout)), done.stdout
    assert "pytest_ftc.model" not in done.stdout
