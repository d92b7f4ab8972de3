"""The package as users get it."""

import re
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "pytest_ftc/py.typed",
        "pytest_ftc/plugin/__init__.py",
        "pytest_ftc/reporting/report-v1.schema.json",
    } <= names
    assert {name.split("/")[0] for name in names} == {"pytest_ftc", "pytest_ftc-0.1.0.dist-info"}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "pytest_ftc").rglob("*.py")}
    assert modules <= names


def scripts_of(name: str, seen: set[str]) -> set[str]:
    """Return the commands that the package `name` and those it depends on install, without extras."""
    if name.lower() in seen:
        return set()
    seen.add(name.lower())
    found = distribution(name)
    own = {path.name for path in found.files or () if path.parent.name == "bin"}
    needed = [Requirement(line) for line in found.requires or ()]
    more = [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return own.union(*(scripts_of(one, seen) for one in more))


def test_the_documentation_names_all_commands_that_come_with_the_package():
    page = (ROOT / "docs" / "start.md").read_text()
    section = page[page.index("## Install") : page.index("## Declare")]
    assert scripts_of("pytest-ftc", set()) <= set(re.findall(r"`([\w.-]+)`", section))


def test_each_extra_is_named_where_it_is_missing_or_explained():
    texts = "".join(path.read_text() for path in (ROOT / "pytest_ftc").rglob("*.py"))
    extras = {
        line.split(": ")[1]
        for line in distribution("pytest-ftc").metadata.as_string().splitlines()
        if line.startswith("Provides-Extra: ")
    }
    for_users = extras - {"all", "dev", "docs"}
    assert for_users >= {"reapi", "otel", "prometheus", "sign", "sbom", "oci", "vault", "hsm", "zstd"}
    unnamed = {one for one in for_users if not re.search(rf"pytest-ftc\[[a-z,]*\b{one}\b", texts)}
    assert unnamed == set()
