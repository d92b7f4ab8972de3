"""Runs pytest --ftc-verify on small projects, as a user would, and checks that nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from clean_environment import enter_clean_environment
from forked_pytest import ForkedPytest


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(leaves_nothing_behind: None) -> None: ...


@pytest.fixture(autouse=True)
def _no_test_remembers_another(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("FTC_STORE", str(tmp_path_factory.mktemp("store")))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter and change.

    Not below `tmp_path`: each start of pytest takes the permissions of others from its parent again, also while a test runs.
    """
    folder = Path(tempfile.mkdtemp(prefix="ftc-open-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


_DEFAULTS = ("-p", "no:hypothesispytest", "--ftc-diagnose=off")
"""Hypothesis is imported whole at the end of each session; what differs is explained in few tests only, for that takes builds."""


@dataclass(frozen=True)
class Run:
    """What one run of pytest said."""

    status: int
    text: str
    report: Mapping[str, Any]

    @property
    def flat(self) -> str:
        """The text without its line breaks: what is wrapped where depends on the terminal."""
        return "".join(line.strip().removeprefix("│").strip() + " " for line in self.text.splitlines())

    @property
    def verdicts(self) -> dict[str, str]:
        return {artifact["name"]: artifact["verdict"] for artifact in self.report.get("artifacts", [])}

    def artifact(self, name: str | None = None) -> Mapping[str, Any]:
        return next(a for a in self.report["artifacts"] if name in (None, a["name"]))


Verify = Callable[..., Run]


@pytest.fixture
def pytester(pytester: pytest.Pytester, _forked_pytest: ForkedPytest) -> pytest.Pytester:
    """That of pytest, whose sessions in processes of their own start sooner."""
    pytester.popen = _forked_pytest.instead_of(pytester.popen)  # type: ignore[method-assign]
    return pytester


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """An empty project, the current folder."""
    pytester.makeini("[pytest]")
    return pytester.path


@pytest.fixture
def verify(pytester: pytest.Pytester, project: Path) -> Verify:
    """Write `toml` to ftc.toml and run pytest --ftc-verify with more `arguments`, in a process of its own."""

    def run(toml: str | None = None, *arguments: str) -> Run:
        if toml is not None:
            (project / "ftc.toml").write_text(textwrap.dedent(toml))
        path = project.parent / "report.json"
        path.unlink(missing_ok=True)
        result = pytester.runpytest_subprocess("--ftc-verify", *_DEFAULTS, f"--ftc-json={path}", *arguments)
        report = json.loads(path.read_text()) if path.exists() else {}
        return Run(int(result.ret), str(result.stdout) + str(result.stderr), report)

    return run


@pytest.fixture
def verify_build(verify: Verify) -> Verify:
    """Verify one artifact ``app`` with the shell script `build`, whose output is ``out``."""

    def run(build: str, *arguments: str, outputs: str = '["out"]', more: str = "") -> Run:
        return verify(f"[artifacts.app]\nbuild = '''{build}'''\noutputs = {outputs}\n{more}\n", *arguments)

    return run


@pytest.fixture(scope="session")
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a shell in which pytest-ftc can be installed as users do."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return enter_clean_environment(shared / "clean-environment")
