"""The settings of a session, each described once: name, type, default and meaning.

The command line, the keys of ``[tool.ftc]``, `Config` and docs/configuration.md follow from these tables.
Every run of pytest imports this module, so it imports nothing and its classes are plain ones.
"""

from __future__ import annotations

AUTO = "auto"


class Flag:
    """True or false; an option without a value."""

    metavar = ""


class Text:
    """Text that is not empty."""

    def __init__(self, metavar: str) -> None:
        self.metavar = metavar


class Location(Text):
    """The path of a file or a folder."""


class Specification:
    """What to vary, see `pytest_ftc.variations.specification`."""

    metavar = "SPEC"


class Share:
    """A number from 0 to 1."""

    metavar = "RATE"


class Sockets:
    """Absolute paths of sockets."""

    metavar = ""


class SamplingTable:
    """A table with the key ``most_left_out``."""

    metavar = ""


class WholeNumber:
    """A whole number of at least `least`."""

    metavar = "N"

    def __init__(self, least: int) -> None:
        self.least = least


class CountOrAuto(WholeNumber):
    """The same, or ``auto``."""


class Choice:
    """One of `names`."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.metavar = "|".join(names)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Type: TypeAlias = Flag | Text | Specification | Share | Sockets | SamplingTable | WholeNumber | Choice


class Option:
    """One setting: ``--ftc-NAME`` on the command line and NAME in ``[tool.ftc]``."""

    __slots__ = ("default", "help", "meaning", "name", "otherwise", "type")

    def __init__(
        self,
        name: str,
        type: Type,
        help: str = "",
        *,
        default: object = None,
        otherwise: str = "",
        meaning: str = "",
    ) -> None:
        self.name = name
        self.type = type
        self.help = help
        self.default = default
        """None where the default depends on something else."""
        self.otherwise = otherwise
        """On what it depends, in words."""
        self.meaning = meaning
        """Markdown, after `help` in docs/configuration.md."""

    @property
    def flag(self) -> str:
        return f"--ftc-{self.name.replace('_', '-')}"

    @property
    def destination(self) -> str:
        return f"ftc_{self.name}"


OPTIONS = (
    Option(
        "variations",
        Specification(),
        "what to vary, comma separated: 'all', 'standard', 'quick', 'name', '-name', 'name.parameter=value', such as "
        "'quick,-umask,time.offset=+30d'",
        default="all",
        meaning="See [what to vary](#what-to-vary).",
    ),
    Option(
        "builds",
        CountOrAuto(2),
        "builds per artifact, including the control; 'auto': 2, and more of quick builds",
        default=AUTO,
        meaning="See [how many builds](#how-many-builds).",
    ),
    Option(
        "jobs",
        WholeNumber(1),
        "number of concurrent builds",
        otherwise="the CPUs",
        meaning="All sessions of a user, and the workers of pytest-xdist, share as many as the machine has CPUs, or "
        "the most that one of them asks for.",
    ),
    Option(
        "diagnose",
        Choice("off", "fast", "full"),
        "explain differences by their values (fast), or by rebuilding too (full)",
        default="full",
        meaning="See [why it differs](diagnosis.md).",
    ),
    Option(
        "max_builds",
        WholeNumber(2),
        "maximum number of builds per artifact, including those for the diagnosis",
        otherwise="12, more while they are cheap",
        meaning="By default up to 48, as long as those of the diagnosis have taken less than 20 seconds together.",
    ),
    Option(
        "sample",
        Share(),
        "verify only this share of the artifacts, from 0 to 1, plus all that are due or critical",
        default=1,
        meaning="See [sampling](#sampling).",
    ),
    Option(
        "changed_first",
        Text("REF"),
        "verify artifacts first whose sources have changed since the commit REF",
        meaning="[`ftc gate`](ci.md) finds the commit automatically.",
    ),
    Option(
        "report",
        Location("DIR"),
        "write report.json, index.html, findings.sarif, logs and diffs to DIR",
        meaning="See [reports](reports.md); by default logs and diffs are in pytest's cache folder.",
    ),
    Option("json", Location("PATH"), "write the report to PATH"),
    Option(
        "store",
        Location("DIR"),
        "the folder of the verification cache",
        otherwise="FTC_STORE, else a private folder of the user",
        meaning="See [the verification cache](store.md).",
    ),
    Option("no_cache", Flag(), "ignore cached verdicts: rebuild, and compare with them", default=False),
    Option(
        "baseline",
        Location("PATH"),
        "file of known findings, which do not fail the session (see --ftc-update-baseline)",
        otherwise="ftc-baseline.toml, if it exists",
        meaning="See [known findings](#known-findings).",
    ),
    Option("update_baseline", Flag(), "write the current findings to the baseline", default=False),
    Option(
        "trace",
        Flag(),
        "report undeclared inputs: files, network, random devices",
        default=False,
        meaning="See [what builds use](#what-builds-use).",
    ),
)
"""Those of the command line and of ``[tool.ftc]``."""

FILE_ONLY = (
    Option(
        "sampling",
        SamplingTable(),
        meaning="how many sessions in a row may leave out an artifact: [sampling](#sampling)",
        default=5,
    ),
    Option(
        "retries",
        WholeNumber(0),
        meaning="further attempts at a build that [a fault around it](#faults-around-a-build) made fail",
        default=2,
    ),
    Option(
        "strict",
        Flag(),
        meaning="fail an artifact for [what it uses beyond its declared inputs](#what-builds-use)",
        default=False,
    ),
    Option(
        "pass_sockets",
        Sockets(),
        meaning="sockets of this machine that builds see: [daemons outside](#daemons-outside)",
        default=(),
    ),
)
"""Those of ``[tool.ftc]`` alone."""

COMMAND_LINE_ONLY = (
    Option(
        "replay",
        Text("BUILD_ID"),
        "rerun this build of an earlier session in its environment; no tests are run",
    ),
    Option("shell", Flag(), "with --ftc-replay: open a shell in the environment; ftc-build runs the build there"),
    Option("keep", Flag(), "with --ftc-replay: keep the tree, the home and the outputs, and print their paths"),
)
"""Options of a single session, which have no key in ``[tool.ftc]``."""
