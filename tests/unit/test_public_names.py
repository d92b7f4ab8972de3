"""Everything that a plugin may import from ``pytest_ftc``."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_ftc

ROOT = Path(__file__).parent.parent.parent
MANUAL = (ROOT / "docs" / "hooks.md").read_text()
EXAMPLE = (ROOT / "fixtures" / "example-plugin" / "ftc_example.py").read_text()


@pytest.mark.parametrize("name", pytest_ftc.__all__)
def test_a_public_name_can_be_imported_and_is_documented(name):
    found = getattr(pytest_ftc, name)
    assert inspect.getdoc(found) and found.__doc__, f"{name} has no docstring"
    # A dataclass without a docstring gets its signature as one.
    assert not found.__doc__.startswith(f"{name}(")
    assert f"`{name}`" in MANUAL, f"docs/hooks.md does not mention {name}"


def test_public_names_are_listed_once_and_in_order():
    assert pytest_ftc.__all__ == sorted(set(pytest_ftc.__all__))
    assert set(pytest_ftc.__all__) <= set(dir(pytest_ftc))
    assert sorted(" ".join(pytest_ftc._MODULES.values()).split()) == pytest_ftc.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Artefact'"):
        _ = pytest_ftc.Artefact
    with pytest.raises(ImportError):
        exec("from pytest_ftc import Artefact")


@pytest.mark.parametrize("text", [MANUAL, EXAMPLE], ids=["manual", "example"])
def test_documentation_imports_from_the_package_itself(text):
    assert "from pytest_ftc import " in text
    assert not re.findall(r"^\s*(?:from|import) pytest_ftc\..*", text, re.MULTILINE)


def test_the_package_imports_nothing_until_a_name_is_used():
    code = "import sys; before = set(sys.modules); import pytest_ftc; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["pytest_ftc"]
