"""Every shell block of README.md and docs/ is run, in the order of its page, and prints what the page says.

The guides are in test_guides.py, so that both files can run at once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from clean_environment import ROOT
from shell_blocks import Block, File, read_page, run_block, run_page

PAGES = sorted(
    page
    for page in (ROOT / "docs").glob("*.md")
    if any(isinstance(step, Block) for step in read_page(page.read_text()))
)

VERIFIED = """\
`ftc.toml`:

```toml
[artifacts.wheel]
build = "echo hello > greeting.whl"
outputs = ["*.whl"]
```

```console
$ pytest --ftc-verify --ftc-report=downloaded-report
...
```
"""
"""What those pages take for given that tell of a project which has been verified before."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page: Path, tmp_path: Path, clean_environment: dict[str, str]) -> None:
    given = VERIFIED if page.stem in ("ci", "operations", "replay", "reports") else ""
    own = {"FTC_STORE": os.environ["FTC_STORE"], "FTC_KEYRING": f"{tmp_path}-keys"}
    if page.stem in ("attest", "metrics", "runbooks", "sbom", "traces"):
        # An extra of what is installed already conflicts with the constraint that has it installed.
        own["PIP_CONSTRAINT"] = os.devnull
    run_page(given + page.read_text(), tmp_path, {**clean_environment, **own})


def test_what_the_tutorial_adds_is_what_the_command_prints() -> None:
    steps = list(read_page((ROOT / "docs" / "start.md").read_text()))
    commands = [command for step in steps if isinstance(step, Block) for command in step.commands]
    (printed,) = (command.printed for command in commands if command.line == "ftc determinize release")
    (added,) = (step.text for step in steps if isinstance(step, File) and step.added)
    assert printed[-2:] == added.split("\n")[1:3]
    assert "…" not in added


def test_the_built_pages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "-d", str(tmp_path / "trees"), "docs"]
    subprocess.run([*command, str(tmp_path / "html")], cwd=ROOT, check=True)
    text = (tmp_path / "html" / "searchindex.js").read_text()
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    assert "allow" in {index["docnames"][number] for number in index["terms"]["docker"]}
    assert index["docnames"][index["titleterms"]["docker"]] == "how-do-i"
    options = (tmp_path / "html" / "configuration.html").read_text()
    row = re.search('<tr[^>]*><td><p><code[^>]*><span class="pre">--ftc-jobs=N.*?</tr>', options, re.DOTALL)
    assert row and re.findall('data-label="(.*?)"', row[0]) == ["key", "default", "meaning"]


def test_readme(tmp_path: Path, clean_environment: dict[str, str]) -> None:
    demo, tests, use = (step for step in read_page((ROOT / "README.md").read_text()) if isinstance(step, Block))
    variables = {**clean_environment, "FTC_STORE": os.environ["FTC_STORE"]}
    run_block(demo, _clone(tmp_path / "clone", Path(variables["VIRTUAL_ENV"])), variables)
    # Running all tests is what CI does, and what this is part of.
    (command,) = tests.commands
    assert command.line.strip() in (ROOT / ".ci" / "run").read_text().splitlines()
    run_block(use, shutil.copytree(ROOT / "fixtures" / "wheel-hatchling", tmp_path / "project"), variables)


def _clone(folder: Path, environment: Path) -> Path:
    """Return a folder with what the demonstration takes from a clone; its .venv is there, as the second time."""
    for name in ("scripts", "fixtures/sample"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / ".venv").symlink_to(environment)
    stamp = "touch .venv/.installed-for-$(cksum < pyproject.toml | tr ' ' '-')"
    subprocess.run(["sh", "-c", stamp], cwd=folder, check=True)
    return folder
