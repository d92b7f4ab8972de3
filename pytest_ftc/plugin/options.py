"""The options: a table for the command line and the keys of ``[tool.ftc]``.

Every run of pytest imports this module, so it imports almost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest


class Option:
    """One option: ``--ftc-NAME`` on the command line and NAME in ``[tool.ftc]``."""

    # No dataclass or named tuple: making one would take longer than the rest of this module.
    __slots__ = ("default", "help", "metavar", "name")

    def __init__(self, name: str, metavar: str, help: str, default: str = "") -> None:
        self.name = name
        self.metavar = metavar
        """Empty for a flag, which is true or false in ``[tool.ftc]``."""
        self.help = help
        self.default = default
        """In words; empty where there is none."""

    @property
    def flag(self) -> str:
        return f"--ftc-{self.name.replace('_', '-')}"

    @property
    def destination(self) -> str:
        return f"ftc_{self.name}"


OPTIONS = (
    Option(
        "variations",
        "SPEC",
        "what to vary, comma separated: 'all', 'standard', 'quick', 'name', '-name', 'name.parameter=value', such as "
        "'quick,-umask,time.offset=+30d'",
        "all",
    ),
    Option("builds", "N", "builds per artifact, including the control", "2"),
    Option("jobs", "N", "number of concurrent builds", "the CPUs"),
    Option(
        "diagnose",
        "off|fast|full",
        "explain differences by their values (fast), or by rebuilding too (full)",
        "full",
    ),
    Option("max_builds", "N", "maximum number of builds per artifact, including those for the diagnosis", "12"),
    Option(
        "sample", "RATE", "verify only this share of the artifacts, from 0 to 1, plus all that are due or critical", "1"
    ),
    Option("changed_first", "REF", "verify artifacts first whose sources have changed since the commit REF"),
    Option("report", "DIR", "write report.json, index.html, findings.sarif, logs and diffs to DIR"),
    Option("json", "PATH", "write the report to PATH"),
    Option("store", "DIR", "the folder of the verification cache", "FTC_STORE, else a private folder of the user"),
    Option("no_cache", "", "ignore cached verdicts: rebuild, and compare with them"),
    Option(
        "baseline",
        "PATH",
        "file of known findings, which do not fail the session (see --ftc-update-baseline)",
        "ftc-baseline.toml, if it exists",
    ),
    Option("update_baseline", "", "write the current findings to the baseline"),
    Option("trace", "", "report undeclared inputs: files, network, random devices"),
)


COMMAND_LINE_ONLY = (
    Option("replay", "BUILD_ID", "rerun this build of an earlier session in its environment; no tests are run"),
    Option("shell", "", "with --ftc-replay: open a shell in the environment; ftc-build runs the build there"),
    Option("keep", "", "with --ftc-replay: keep the tree, the home and the outputs, and print their paths"),
)
"""Options of a single session, which have no key in ``[tool.ftc]``."""


def add_options(parser: pytest.Parser) -> None:
    """Add the options to pytest's command line."""
    group = parser.getgroup("ftc", "reproducible builds (pytest-ftc)")
    group.addoption(
        "--ftc-verify",
        action="store_true",
        default=False,
        help="rebuild each artifact in different environments and compare every output byte",
    )
    for option in (*OPTIONS, *COMMAND_LINE_ONLY):
        help_text = f"{option.help} (default: {option.default})" if option.default else option.help
        form = {"metavar": option.metavar} if option.metavar else {"action": "store_const", "const": True}
        group.addoption(option.flag, dest=option.destination, default=None, help=help_text, **form)


def given_values(config: pytest.Config) -> Mapping[str, str | bool | None]:
    """Return what the command line says, by option name; True for a flag, None for options that are not given."""
    return {option.name: config.getoption(option.destination) for option in OPTIONS}


def wants_replay(config: pytest.Config) -> bool:
    """Return whether an option of a replay was given; those that need --ftc-replay are checked later."""
    return any(config.getoption(option.destination) is not None for option in COMMAND_LINE_ONLY)
