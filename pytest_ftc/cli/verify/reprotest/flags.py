"""The flags of reprotest(1), each with its counterpart here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag of reprotest."""

    name: str
    short: str = ""
    value: str = ""
    """What stands for its value; empty if it takes none."""
    counterpart: str
    """What it becomes, in Markdown; for one that is refused, what to do instead."""
    refused: bool = False


def _refused(name: str, value: str, counterpart: str) -> Flag:
    return Flag(name=name, value=value, counterpart=counterpart, refused=True)


FLAGS = (
    Flag(name="--build-command", short="-c", value="COMMAND", counterpart="`build` of the artifact"),
    Flag(name="--append-build-command", value="WORDS", counterpart="more words at the end of `build`"),
    Flag(name="--source-root", short="-s", value="PATH", counterpart="`source` of the artifact"),
    Flag(name="--source-pattern", value="PATTERNS", counterpart="`source`: a copy of the files that match"),
    Flag(name="--variations", value="SPEC", counterpart="`variations` of the artifact; the last one counts"),
    Flag(name="--vary", value="SPEC", counterpart="more of `variations`, at the end"),
    Flag(name="--dont-vary", value="NAME", counterpart="`-NAME` at the end of `variations`"),
    Flag(name="--extra-build", value="SPEC", counterpart="one more artifact, with SPEC at the end of its `variations`"),
    Flag(name="--auto-build", counterpart="`--ftc-diagnose=full`, which is the default"),
    Flag(name="--min-cpus", value="N", counterpart="`num_cpus.experiment=N` in `variations`"),
    Flag(name="--store-dir", value="DIR", counterpart="`--ftc-report=DIR`"),
    Flag(name="--control-build", value="PATH", counterpart="`reference` of the artifact"),
    Flag(
        name="--diffoscope-arg",
        value="ARG",
        counterpart='`--exclude-directory-metadata=no` becomes `metadata = "strict"`, `=yes` is the default; for a '
        "page or a file with the diffs, use `--ftc-report=DIR`; others are refused",
    ),
    Flag(name="--dry-run", counterpart="`--collect-only`"),
    _refused(
        "--env-build", "", "diagnosis finds variables; add those you suspect: `--vary=environment.variables+=NAME`"
    ),
    _refused("--no-diffoscope", "", "`--ftc-diagnose=fast` is quicker"),
    _refused("--diffoscope", "PATH", "the diffoscope on `PATH` is used"),
    _refused("--testbed-pre", "COMMANDS", "run them before `ftc verify`"),
    _refused("--testbed-init", "COMMANDS", "nothing has to be set up; see `ftc doctor`"),
    _refused(
        "--testbed-build-pre", "COMMANDS", "install what the build needs before `ftc verify`, or put it in the command"
    ),
    _refused("--auto-preset-expr", "EXPRESSION", "give the command and the outputs"),
    _refused("--no-clean-on-error", "", "`pytest --ftc-replay=BUILD_ID --ftc-keep` keeps the tree of any build"),
    _refused("--print-sudoers", "", "no variation needs sudo"),
    _refused("--config-file", "FILE", "give its settings as flags, or declare the artifact in `ftc.toml`"),
    _refused("--host-distro", "NAME", "builds run on this machine"),
)
"""The flags of reprotest, except those that pytest has too (`-v`, `--verbosity`)."""


def find_flag(word: str) -> Flag | None:
    """Return the flag that `word`, without a value, names; None if it is not one of reprotest's."""
    return next((flag for flag in FLAGS if word in (flag.name, flag.short) and word), None)
