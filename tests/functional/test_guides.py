"""Every guide of docs/guides is followed: its project is built, is found unreproducible, is put right, and verified."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from clean_environment import ROOT
from shell_blocks import run_page

GUIDES = sorted(page for page in (ROOT / "docs" / "guides").glob("*.md") if page.stem != "publish")
"""Those that need no registry; that one is in tests/services/test_publish_guide.py."""


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_guide(page: Path, tmp_path: Path, clean_environment: dict[str, str]) -> None:
    run_page(page.read_text(), tmp_path, {**clean_environment, "FTC_STORE": os.environ["FTC_STORE"]})
