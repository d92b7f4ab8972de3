"""The presets on a farm: what they install on this machine is sent to the workers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from services.parity import FIXTURES, Session, as_toml, find_differences, verify
from services.reapi_servers import STANDARD, Casd

WHEEL = '\n[tool.ftc.artifacts.wheel]\npreset = "wheel"\n'
FIXED = 'before = "umask 022"\nenv = {SOURCE_DATE_EPOCH = "1700000000"}\n'
BOTH = f'{WHEEL}{FIXED}\n[tool.ftc.artifacts.sdist]\npreset = "sdist"\n'
COMPILED = """\
from setuptools import setup
from markupsafe import _speedups
setup()
"""


def write_project(folder: Path, properties: dict[str, str], tables: str) -> Path:
    """Write a project with a farm, as `services.parity.verify` wants it, whose builds need a compiled package."""
    shutil.copytree(FIXTURES / "wheel-setuptools", folder)
    (folder / "setup.py").write_text(COMPILED)
    project = folder / "pyproject.toml"
    text = project.read_text().replace('["setuptools>=61"]', '["setuptools>=61", "MarkupSafe"]')
    farm = f'[tool.ftc.remote]\nendpoint = "ENDPOINT"\nproperties = {as_toml(properties)}\n'
    project.write_text(f"{text}\n{farm}{tables}")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


OPTIONS = ("--ftc-diagnose=off", "--ftc-builds=2")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The verdicts of this machine."""
    project = write_project(tmp_path_factory.mktemp("presets") / "project", {}, BOTH)
    return verify(project, "grpc://localhost:1", "local", *OPTIONS)


@pytest.mark.parametrize("properties", [STANDARD, {}], ids=["with namespaces", "without"])
def test_presets_have_the_verdicts_of_this_machine(
    casd: Casd, here: Session, tmp_path: Path, properties: dict[str, str]
) -> None:
    project = write_project(tmp_path / "project", properties, BOTH)
    there = verify(project, casd.endpoint, "reapi", *OPTIONS)
    verdicts = {name: artifact["verdict"] for name, artifact in there.artifacts.items()}
    assert verdicts == {"wheel": "reproducible", "sdist": "unreproducible"}, there.said
    assert find_differences(here, there) == [], there.said
    for artifact in (*here.artifacts.values(), *there.artifacts.values()):
        assert [note for note in artifact["notes"] if re.fullmatch("build requirements: sha256 [0-9a-f]{64}", note)]
