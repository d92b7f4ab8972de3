"""The entry point for pytest.  Without ``--ftc-verify`` only this file, the options and the hookspecs are loaded."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

import pytest

from pytest_ftc.config import COMMAND_LINE_ONLY, OPTIONS, REPLAYS, SHARD
from pytest_ftc.plugin import hookspecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path
    from types import ModuleType

    from pytest_ftc.plugin.fixture import Ftc

_CANNOT_START = "if pytest cannot start, 'ftc verify' verifies the artifacts without conftest.py, addopts and plugins"
_KNOWN_HOOKS = pytest.StashKey[int]()
"""Number of hooks at the last check, when all of them were valid."""
_REPORT_KEY = "ftc_hook_problems"
_NOT_HERE = (
    "builds are verified on Linux and, with fewer variations, on macOS; "
    "on Windows, use WSL (https://learn.microsoft.com/windows/wsl)"
)


class _AsTheyAre:
    """Imports the rest of this package without pytest's rewriting of assertions.

    It rewrites all modules of a plugin, those that Python has compiled on installation too.  Nothing here needs it.
    """

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path, target) if name.startswith("pytest_ftc.") else None


sys.meta_path.insert(0, _AsTheyAre)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    config = pluginmanager.get_plugin("pytestconfig")
    if config and "--ftc-verify" in config.invocation_params.args:
        # Shown below an error about unknown options, such as addopts of plugins that are not installed.
        parser.extra_info["ftc"] = _CANNOT_START
    group = parser.getgroup("ftc", "reproducible builds (pytest-ftc)")
    group.addoption(
        "--ftc-verify",
        action="store_true",
        default=False,
        help="rebuild each artifact in different environments and compare every output byte",
    )
    for option in (*OPTIONS, *COMMAND_LINE_ONLY):
        default = option.otherwise or option.default
        help_text = f"{option.help} (default: {default})" if default else option.help
        form = {"metavar": metavar} if (metavar := option.type.metavar) else {"action": "store_const", "const": True}
        group.addoption(option.flag, dest=option.destination, default=None, help=help_text, **form)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> Generator[None]:
    try:
        yield
    except Exception:
        if "--ftc-verify" in args:
            sys.stderr.write(f"ftc: {_CANNOT_START}\n")
        raise


def pytest_configure(config: pytest.Config) -> None:
    if problems := _find_hook_problems(config):
        raise pytest.UsageError(*problems)
    if config.getoption("dist", "no") != "no":
        config.pluginmanager.register(_WorkersHookCheck(), "ftc-workers-hook-check")
    config.addinivalue_line(
        "markers", "ftc(outputs, ...): an artifact that --ftc-verify rebuilds and compares; on a test, the test itself"
    )
    # A test that is rebuilt runs in a separate pytest, which must not rebuild it again.
    if "FTC_OUTPUT" in os.environ:
        return
    replays = any(config.getoption(option.destination) is not None for option in REPLAYS)
    if (replays or config.getoption("ftc_verify")) and sys.platform == "win32":
        raise pytest.UsageError(f"--ftc-{'replay' if replays else 'verify'}: {_NOT_HERE}")
    if replays:
        from pytest_ftc.plugin.replay_session import ReplayPlugin

        config.pluginmanager.register(ReplayPlugin(config), "ftc-replay")
    elif config.getoption("ftc_verify"):
        from pytest_ftc.plugin.observation.interrupts import raise_dropped_interrupts

        config.add_cleanup(raise_dropped_interrupts())
        if hasattr(config, "workerinput") or config.getoption("dist", "no") == "no":
            from pytest_ftc.builds.launching.forks import prepare

            # It loads while this process does.
            prepare()
        from pytest_ftc.plugin.session import VerificationSession

        config.pluginmanager.register(VerificationSession(config), "ftc-session")
    else:
        _warn_of_idle_options(config)


def _warn_of_idle_options(config: pytest.Config) -> None:
    """Warn of options on the command line that need ``--ftc-verify``; in addopts they wait for it."""
    if hasattr(config, "workerinput"):
        return
    flags = {argument.partition("=")[0] for argument in config.invocation_params.args}
    if idle := [option.flag for option in (*OPTIONS, SHARD) if option.flag in flags]:
        text = f"without --ftc-verify, {', '.join(idle)} {'have' if len(idle) > 1 else 'has'} no effect"
        config.issue_config_time_warning(pytest.PytestConfigWarning(text), stacklevel=2)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if problems := _find_hook_problems(collector.config):
        if not hasattr(collector.config, "workerinput"):
            raise pytest.UsageError(*problems)
        # A worker of pytest-xdist sends the report to the controller, which raises.
        report.outcome = "failed"
        report.longrepr = "\n".join(problems)
        setattr(report, _REPORT_KEY, problems)
    return report


class _WorkersHookCheck:
    """Raises the problems that workers of pytest-xdist found."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if problems := getattr(report, _REPORT_KEY, None):
            raise pytest.UsageError(*problems)


def _find_hook_problems(config: pytest.Config) -> list[str]:
    """Return problems with hooks, including those of a conftest.py that pytest loads during collection.

    Called after each collector, so it is fast if there are no new hooks.
    """
    if not config.getoption("ftc_verify"):
        hooks = vars(config.hook)
        if len(hooks) == config.stash.get(_KNOWN_HOOKS, 0):
            return []
        if all(hook.has_spec() for name, hook in hooks.items() if name.startswith("pytest_ftc_")):
            config.stash[_KNOWN_HOOKS] = len(hooks)
            return []
    from pytest_ftc.plugin.hook_validation import find_problems

    return find_problems(config)


@pytest.fixture
def ftc(request: pytest.FixtureRequest) -> Ftc:
    """Verify a build from a test: ``ftc.verify(build=..., outputs=[...])`` raises with the findings."""
    if sys.platform == "win32":
        pytest.skip(_NOT_HERE)
    from pytest_ftc.plugin.fixture import Ftc
    from pytest_ftc.plugin.items import keep_verification
    from pytest_ftc.plugin.single_build import find_host

    return Ftc(find_host(request.config), request.node.nodeid, lambda one: keep_verification(request.node, one))


@pytest.fixture
def ftc_output(request: pytest.FixtureRequest) -> Path:
    """The output folder of a test marked with ``ftc``."""
    from pytest_ftc.plugin.output_folder import output_folder

    return output_folder(os.environ, lambda: request.getfixturevalue("tmp_path"))
