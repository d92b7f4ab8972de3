"""The plugins that tests/functional/test_other_plugins.py runs with."""

import sys
from pathlib import Path

FOLDER = Path(sys.prefix, "other-plugins")
"""Where scripts/environment has installed them, apart from what all tests see."""
NAMES = ("anyio", "asyncio", "pytest_cov", "pytest_opentelemetry", "randomly", "rerunfailures", "sugar", "timeout")


def environment_with(*wanted: str) -> dict[str, str]:
    """Return the variables by which a session of pytest has the plugins `wanted`, and none of the others."""
    assert FOLDER.is_dir(), f"{FOLDER} is missing: scripts/environment installs tests/other_plugins.txt there"
    blocked = " ".join(f"-p no:{name}" for name in NAMES if name not in wanted)
    return {"PYTHONPATH": str(FOLDER), "PYTEST_ADDOPTS": blocked}
