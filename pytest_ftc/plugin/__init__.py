"""pytest's face.  Without ``--ftc-verify`` this file, the options and the hooks are all that is imported."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_ftc.plugin import hookspecs
from pytest_ftc.plugin.hook_validation import HOOK_NAMES, PREFIX, HookNames
from pytest_ftc.plugin.options import add_options, wants_replay

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ftc.plugin.fixture import Ftc

_NOT_HERE = (
    "builds are run and verified on Linux, and with fewer variations on macOS; "
    "on Windows use WSL (https://learn.microsoft.com/windows/wsl), where pytest runs as on Linux"
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)
    valid = [name for name in vars(hookspecs) if name.startswith(PREFIX)]
    pluginmanager.register(HookNames(valid), HOOK_NAMES)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "ftc(outputs, ...): an artifact that --ftc-verify rebuilds and compares; on a test, the test itself"
    )
    # A test that is rebuilt runs in a pytest of its own, which must not rebuild it again.
    if "FTC_OUTPUT" in os.environ:
        return
    replays = wants_replay(config)
    if (replays or config.getoption("ftc_verify")) and sys.platform == "win32":
        raise pytest.UsageError(f"--ftc-{'replay' if replays else 'verify'}: {_NOT_HERE}")
    if replays:
        from pytest_ftc.plugin.replay_session import ReplayPlugin

        config.pluginmanager.register(ReplayPlugin(config), "ftc-replay")
    elif config.getoption("ftc_verify"):
        from pytest_ftc.plugin.session import VerificationSession

        config.pluginmanager.register(VerificationSession(config), "ftc-session")


@pytest.fixture
def ftc(request: pytest.FixtureRequest) -> Ftc:
    """Verify a build from a test: ``ftc.verify(build=..., outputs=[...])`` raises with the findings."""
    if sys.platform == "win32":
        pytest.skip(_NOT_HERE)
    from pytest_ftc.plugin.fixture import Ftc
    from pytest_ftc.plugin.session import keep_verification
    from pytest_ftc.plugin.single_build import find_host

    return Ftc(find_host(request.config), request.node.nodeid, lambda one: keep_verification(request.node, one))


@pytest.fixture
def ftc_output(request: pytest.FixtureRequest) -> Path:
    """The folder for what a test marked with ``ftc`` writes."""
    from pytest_ftc.plugin.output_folder import output_folder

    return output_folder(os.environ, lambda: request.getfixturevalue("tmp_path"))
