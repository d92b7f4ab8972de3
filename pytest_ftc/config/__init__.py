"""The settings of a session, each described once: name, type, default and meaning.

The command line, the keys of ``[tool.ftc]``, `Config` and docs/configuration.md follow from these tables.
Every run of pytest imports this module, so it imports nothing and makes few classes.
"""

from __future__ import annotations

AUTO = "auto"
NONE = "none"
AD_HOC = "FTC_AD_HOC"
"""The variable by which ``ftc verify 'COMMAND' OUTPUT...`` tells the session its own words."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Form: TypeAlias = Literal[
        "flag",
        "text",
        "path",
        "whole number",
        "whole number or auto",
        "choice",
        "share",
        "size or none",
        "variations",
        "sockets",
        "sampling",
        "folders",
    ]


class Type:
    """Which values an option takes: `config.schema` has the check for each form."""

    __slots__ = ("form", "least", "metavar", "names")

    def __init__(self, form: Form, metavar: str = "", *, least: int = 0, names: tuple[str, ...] = ()) -> None:
        self.form = form
        self.metavar = metavar or "|".join(names)
        """What stands for the value in ``--help``; an option without one takes no value."""
        self.least = least
        """The smallest valid number."""
        self.names = names
        """The valid values of a choice."""


FLAG = Type("flag")


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
        Type("variations", "SPEC"),
        "what to vary, comma separated: 'all', 'standard', 'quick', 'name', '-name', 'name.parameter=value', such as "
        "'quick,-umask,time.offset=+30d'",
        default="all",
        meaning="See [what to vary](#what-to-vary).",
    ),
    Option(
        "builds",
        Type("whole number or auto", "N", least=2),
        "builds per artifact, including the control; 'auto': 2, and more of quick builds",
        default=AUTO,
        meaning="See [how many builds](#how-many-builds).",
    ),
    Option(
        "jobs",
        Type("whole number", "N", least=1),
        "number of concurrent builds",
        otherwise="the CPUs",
        meaning="All sessions of a user, and the workers of pytest-xdist, share as many as the machine has CPUs, or "
        "the most that one of them asks for.",
    ),
    Option(
        "diagnose",
        Type("choice", names=("off", "fast", "full")),
        "explain differences by their values (fast), or by rebuilding too (full)",
        default="full",
        meaning="See [why it differs](diagnosis.md).",
    ),
    Option(
        "max_builds",
        Type("whole number", "N", least=2),
        "maximum number of builds per artifact, including those for the diagnosis",
        otherwise="12, more while they are cheap",
        meaning="By default up to 48, as long as those of the diagnosis have taken less than 20 seconds together.",
    ),
    Option(
        "sample",
        Type("share", "RATE"),
        "verify only this share of the artifacts, from 0 to 1, plus all that are due or critical",
        default=1,
        meaning="See [sampling](#sampling).",
    ),
    Option(
        "changed_first",
        Type("text", "REF"),
        "verify artifacts first whose sources have changed since the commit REF",
        meaning="[`ftc gate`](ci.md) finds the commit automatically.",
    ),
    Option(
        "durations",
        Type("path", "PATH"),
        "file of the seconds that artifacts take, by which --ftc-shard divides them",
        otherwise="ftc-durations.json, if it exists",
        meaning="See [a matrix of jobs](ci.md#a-matrix-of-jobs).",
    ),
    Option(
        "report",
        Type("path", "DIR"),
        "write report.json, index.html, findings.sarif, logs and diffs to DIR",
        meaning="See [reports](reports.md); by default logs and diffs are in pytest's cache folder.",
    ),
    Option("json", Type("path", "PATH"), "write the report to PATH"),
    Option(
        "keep_outputs",
        Type("size or none", "SIZE|none"),
        "keep the differing outputs of both builds, at most SIZE in total",
        default="500M",
        meaning="See [both outputs](reports.md#both-outputs).",
    ),
    Option(
        "store",
        Type("path", "DIR"),
        "the folder of the verification cache",
        otherwise="FTC_STORE, else a private folder of the user",
        meaning="See [the verification cache](store.md).",
    ),
    Option("no_cache", FLAG, "ignore cached verdicts: rebuild, and compare with them", default=False),
    Option(
        "baseline",
        Type("path", "PATH"),
        "file of known findings, which do not fail the session (see --ftc-update-baseline)",
        otherwise="ftc-baseline.toml, if it exists",
        meaning="See [known findings](#known-findings).",
    ),
    Option("update_baseline", FLAG, "write the current findings to the baseline", default=False),
    Option(
        "executor",
        Type("choice", names=("local", "reapi")),
        "where builds run: on this machine, or on the farm of [tool.ftc.remote]",
        default="local",
        meaning="See [remote execution](remote.md).",
    ),
    Option(
        "trace",
        FLAG,
        "report undeclared inputs: files, network, random devices",
        default=False,
        meaning="See [what builds use](#what-builds-use).",
    ),
)
"""Those of the command line and of ``[tool.ftc]``."""

FILE_ONLY = (
    Option(
        "sampling",
        Type("sampling"),
        meaning="how many sessions in a row may leave out an artifact: [sampling](#sampling)",
        default=5,
    ),
    Option(
        "retries",
        Type("whole number", "N", least=0),
        meaning="further attempts at a build that [a fault around it](#faults-around-a-build) made fail",
        default=2,
    ),
    Option(
        "strict",
        FLAG,
        meaning="fail an artifact for [what it uses beyond its declared inputs](#what-builds-use)",
        default=False,
    ),
    Option(
        "pass_sockets",
        Type("sockets"),
        meaning="sockets of this machine that builds see: [daemons outside](#daemons-outside)",
        default=(),
    ),
    Option(
        "defaults",
        FLAG,
        meaning="verify the sdist and the wheel of a [Python project](#python-projects) without a table of their own; "
        "as a table: [shared settings](#shared-settings)",
        otherwise="true, but false where all artifacts have a `build`",
    ),
    Option(
        "discover",
        Type("folders"),
        meaning="read the configurations of [folders below](#several-projects-in-one-repository) too",
        default=False,
    ),
)
"""Those of ``[tool.ftc]`` alone."""

REPLAYS = (
    Option(
        "replay",
        Type("text", "BUILD_ID"),
        "rerun this build of an earlier session in its environment; no tests are run",
    ),
    Option("shell", FLAG, "with --ftc-replay: open a shell in the environment; ftc-build runs the build there"),
    Option("keep", FLAG, "with --ftc-replay: keep the tree, the home and the outputs, and print their paths"),
)
"""Options of a session that replays a build."""

SHARD = Option(
    "shard",
    Type("text", "K/N"),
    "verify only part K of N parts, which together have each artifact once",
    meaning="See [a matrix of jobs](ci.md#a-matrix-of-jobs).",
)
"""Not a key: in a file that all jobs share, the other parts would be verified nowhere."""

COMMAND_LINE_ONLY = (SHARD, *REPLAYS)
"""Options of a single session, which have no key in ``[tool.ftc]``."""
