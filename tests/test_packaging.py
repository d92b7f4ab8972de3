"""The package as users get it."""

import subprocess
import sys
import zipfile
from pathlib import Path

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
