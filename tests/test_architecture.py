"""What the structure promises: imports go downward, and the plugin costs nothing until it is asked."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

LIGHT = {
    "pytest_ftc",
    "pytest_ftc.plugin",
    "pytest_ftc.plugin.hookspecs",
    "pytest_ftc.config",
}
HEAVY = {
    "rich",
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
    package = PACKAGE
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


PACKAGE = Path(__file__).parents[1] / "pytest_ftc"
FOLDERS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
WIDE = {"model": 24, "variations": 25}
"""Folders of more than 20 modules: the data, and the variations, which have a file each."""


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/internals.md"])
def test_every_folder_is_described(page):
    text = (PACKAGE.parent / page).read_text()
    assert [name for name in FOLDERS if f"| `{name}/` |" not in text] == []


def test_every_file_that_the_internals_name_is_there():
    text = (PACKAGE.parent / "docs/internals.md").read_text()
    folders = "|".join(FOLDERS)
    named = set(re.findall(rf"`((?:{folders})/[a-z_/]*[a-z_]+\.(?:py|toml))`", text))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (PACKAGE / name).is_file()] == []


def test_the_top_level_stays_small():
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == {"__init__.py", "__main__.py", "py.typed"}
    assert len(FOLDERS) <= 14


def test_no_folder_is_a_heap():
    modules = Counter(path.parent for path in PACKAGE.rglob("*.py"))
    crowded = {path.name: count for path, count in modules.items() if count > WIDE.get(path.name, 20)}
    assert crowded == {}


def test_no_file_is_a_heap():
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: count for name, count in lengths.items() if count > 315} == {}


def test_functions_are_short_and_take_few_parameters():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = len([one for one in arguments if one.arg not in ("self", "cls")])
                lines = node.end_lineno - node.lineno + 1
                if lines > 41 or count > 6:
                    found[f"{path.relative_to(PACKAGE)}:{node.name}"] = (lines, count)
    # `parameter` is what plugins call, with keywords only, as dataclasses.field is called.
    assert set(found) <= {"model/parameter.py:parameter"}, found
