"""pytest's face.  Without ``--ftc-verify`` this file and the option table are all that is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ftc.options import add_options

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ftc: an artifact that --ftc-verify rebuilds and compares")
    if config.getoption("ftc_verify"):
        from pytest_ftc.session import VerificationSession

        config.pluginmanager.register(VerificationSession(config), "ftc-session")
