"""The guide "Publish with proof" is followed, with a real registry."""

from __future__ import annotations

import os
from pathlib import Path

from clean_environment import ROOT
from services.conftest import Registry
from shell_blocks import run_page


def test_guide(registry: Registry, tmp_path: Path, clean_environment: dict[str, str]) -> None:
    page = (ROOT / "docs" / "guides" / "publish.md").read_text()
    own = {
        "REGISTRY": f"{registry.host}/guide",
        "FTC_STORE": os.environ["FTC_STORE"],
        "FTC_KEYRING": f"{tmp_path}-keys",
        # An extra of what is installed already conflicts with the constraint that has it installed.
        "PIP_CONSTRAINT": os.devnull,
    }
    run_page(page, tmp_path, {**clean_environment, **own})
