"""Every guide of docs/guides is followed: its commands are run, and print what it says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml
from clean_environment import ROOT
from shell_blocks import run_page

GUIDES = sorted(page for page in (ROOT / "docs" / "guides").glob("*.md") if page.stem != "publish")
"""Those that need no registry; that one is in tests/services/test_publish_guide.py."""


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_guide(page: Path, tmp_path: Path, clean_environment: dict[str, str]) -> None:
    own = {"FTC_STORE": os.environ["FTC_STORE"], "FTC_KEYRING": f"{tmp_path}-keys"}
    if "pip install 'pytest-ftc[" in page.read_text():
        # An extra of what is installed already conflicts with the constraint that has it installed.
        own["PIP_CONSTRAINT"] = os.devnull
    run_page(page.read_text(), tmp_path, {**clean_environment, **own})


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_resources_are_valid(page: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.M | re.S)
    assert bool(blocks) == (page.stem == "kubernetes")
    for block in blocks:
        (document,) = yaml.safe_load_all(block)
        assert {"apiVersion", "kind", "metadata"} < document.keys()
