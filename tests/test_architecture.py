"""What the structure promises: imports go downward, and the plugin costs nothing until it is asked."""

import subprocess
import sys

LIGHT = {
    "pytest_ftc",
    "pytest_ftc.plugin",
    *(f"pytest_ftc.plugin.{name}" for name in ("options", "hookspecs")),
}
HEAVY = {
    "rich",
    "filelock",
    "platformdirs",
    "diffoscope",
    "tomllib",
    "tomli",
    "pytest_ftc.plugin.session",
    "pytest_ftc.builds.launcher",
}


def test_imports_go_downward_only():
    done = subprocess.run([sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"], capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_only_the_plugin_knows_pytest():
    """Import Linter cannot say "all folders but one", and a list of the others would forget a new one."""
    import ast
    from pathlib import Path

    package = Path(sys.modules.get("pytest_ftc", __import__("pytest_ftc")).__file__).parent
    guilty = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(name.partition(".")[0] in ("pytest", "_pytest") for name in names):
                guilty.add(path.relative_to(package).parts[0])
    assert guilty == {"plugin"}


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
        "import sys; sys.path.append(sys.argv[1]); import pytest_ftc.builds.launcher.main; "
        "print(sorted(n for n in sys.modules if n.partition('.')[0] not in sys.stdlib_module_names))"
    )
    root = __import__("pytest_ftc").__path__[0].rpartition("/")[0]
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, root], capture_output=True, text=True, check=True)
    assert all(name.startswith(("pytest_ftc", "__main__")) for name in eval(done.stdout)), done.stdout
    assert "pytest_ftc.model" not in done.stdout
