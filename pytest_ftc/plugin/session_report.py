"""A session's reports: verifications compared with the baseline, as files and on the terminal."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_ftc.config.load import Config
from pytest_ftc.config.project import explain_hidden
from pytest_ftc.model import Artifact, Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.store import TierUse
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.model.support.service_commands import defuse
from pytest_ftc.plugin.collection import Collected
from pytest_ftc.plugin.settings import load_baseline_of
from pytest_ftc.reporting.baseline.baseline import describe_standings, find_stale, forgives
from pytest_ftc.reporting.terminal.style import fit_encoding, show
from pytest_ftc.verification.metrics.facts import Services, SessionFacts, Signings
from pytest_ftc.verification.objectives.observe import record_session
from pytest_ftc.verification.proofs.attestations import SessionAttestations
from pytest_ftc.verification.release.hint import release_command
from pytest_ftc.verification.sampling import count_left_out
from pytest_ftc.verification.session import Verifier

if TYPE_CHECKING:
    import pytest
    from _pytest.terminal import TerminalReporter

    from pytest_ftc.reporting.terminal.trend import TrendPoint
    from pytest_ftc.verification.sharding.split import Part


_FROM_WORKER, _NOTE = "ftc", "  note        "
_MOST_RECORDED = 400
"""Builds of an artifact whose sessions are drawn."""


class Invocation(NamedTuple):
    """How the session was started."""

    started: float
    """Seconds since 1970."""
    command: Sequence[str]
    plugins: Mapping[str, str]
    """The versions of pytest and of its plugins, by name."""

    @classmethod
    def of(cls, config: pytest.Config, started: float) -> Invocation:
        """Return how the session with this `config` was started."""
        found = {one.project_name: one.version for _, one in config.pluginmanager.list_plugin_distinfo()}
        command = ("pytest", *map(str, config.invocation_params.args))
        return cls(started, command, {"pytest": version("pytest"), **dict(sorted(found.items()))})


class SessionReport:
    """Collects the verifications of a session, then writes the reports and prints the summary."""

    def __init__(self, config: Config, verifier: Verifier, collected: Collected, invocation: Invocation) -> None:
        self._config = config
        self._verifier = verifier
        self._collected = collected
        self._invocation = invocation
        self._today = datetime.date.today()
        self._baseline = load_baseline_of(config).diagnosed(config.diagnose)
        self._verifications: dict[tuple[str, str], Verification] = {}
        self._problem = ""
        self.aside = ""
        """A note on artifacts that are not part of this session."""
        self._problems: dict[str, None] = {}
        self._use: TierUse | None = None
        self._services = Services()
        self.part: Part | None = None
        """What this session has of a division among the jobs of a matrix; None if it has all."""
        self.left_out: dict[str, str] = {}
        """Reasons why artifacts are not in the sample, by node id."""

    @property
    def verifications(self) -> list[Verification]:
        """The verifications so far."""
        return list(self._verifications.values())

    def add(self, worker: str, verification: Verification) -> bool:
        """Add a `verification`, from a worker of pytest-xdist if `worker` is set; return whether it is new."""
        if self._verifications.get((worker, verification.id)) == verification:
            return False
        self._verifications[worker, verification.id] = verification
        return True

    def hand_over(self, worker: pytest.Config) -> None:
        """Leave for the controller of pytest-xdist what only this `worker` knows."""
        verifier = self._verifier
        services = verifier.services
        known = {"problems": verifier.problems, "use": verifier.tiers, "services": services, "part": self.part}
        worker.workeroutput[_FROM_WORKER] = json.dumps(to_json(known))  # type: ignore[attr-defined]

    def take_over(self, node: Any) -> None:
        """Take what the worker `node` has left; nothing if it crashed."""
        known = json.loads(getattr(node, "workeroutput", {}).get(_FROM_WORKER, "{}"))
        self._problems.update(dict.fromkeys(known.get("problems", ())))
        if known.get("use"):
            self._use = (self._use or TierUse()).plus(from_json(TierUse, known["use"]))
        if known.get("services"):
            self._services = self._services.plus(from_json(Services, known["services"]))
        if known.get("part"):
            from pytest_ftc.verification.sharding.split import Part

            self.part = from_json(Part, known["part"])

    @property
    def _tiers(self) -> TierUse | None:
        """How this process and its workers used the local and the remote store; None without a remote one."""
        own = self._verifier.tiers
        return own.plus(self._use) if own and self._use else own or self._use

    def state_facts(self, outcome: str, artifacts: Iterable[Artifact], signings: Signings) -> SessionFacts:
        """Return the facts of this session, which is about `artifacts` and ended with this `outcome`, for metrics."""
        known = tuple(artifacts)
        return SessionFacts(
            outcome=outcome,
            verifications=self.verifications,
            critical={one.name: one.critical for one in known},
            never_cached=[one.name for one in known if one.fetches or one.secrets],
            left_out=len(self.left_out),
            services=self._services.plus(self._verifier.services),
            tiers=self._tiers,
            signings=signings,
            problems=self._all_problems,
        )

    def record(self, facts: SessionFacts) -> None:
        """Record the session for the objectives; a problem with that is shown in the summary."""
        try:
            if self._verifications:
                record_session(self._config, facts, self._invocation.started)
        except FtcError as error:
            self._problems[f"this session is missing in ftc objectives: {error.message}"] = None

    @property
    def _all_problems(self) -> Sequence[str]:
        """The problems of this process and its workers, one sentence each."""
        return tuple(dict.fromkeys((*self._verifier.problems, *self._problems)))

    def accepts(self, verification: Verification) -> bool:
        """Return whether `verification` passes, or all its findings are known."""
        if verification.passed or not forgives(verification):
            return verification.passed
        return self._config.update_baseline or self._baseline.judge(verification, self._today).accepted

    def known(self, *verifications: Verification) -> frozenset[str] | None:
        """Return the fingerprints of the findings that the baseline accepts; None without a baseline."""
        return self._baseline.fingerprints(verifications, self._today) if self._config.baseline else None

    def write(self, *, began: bool = True) -> bool:
        """Write the requested reports; return False if one could not be written, which the summary then shows.

        A session that ended before it `began` to verify writes none: a report without artifacts would look as if none
        had been selected.
        """
        try:
            if began or self._verifications:
                self._write()
        except FtcError as error:
            # Keep the verdicts on the screen, and show the missing report as an error.
            self._problem = str(error)
        return not self._problem

    def _stale(self) -> tuple[str, ...]:
        """Return artifacts of the baseline that no longer exist; those that this session did not select still do."""
        return find_stale(self._baseline, self._collected.has)

    def print_summary(
        self, terminalreporter: TerminalReporter, hook_problems: Sequence[str], *, annotates: bool
    ) -> None:
        """Print this session's section, and annotations for GitHub Actions if it `annotates`."""
        if terminalreporter.verbosity < -1:
            return
        if self.aside:
            _write_line(terminalreporter, f"ftc: {show(self.aside)}")
        if not (self.verifications or self.left_out):
            return
        self._print_artifacts(terminalreporter)
        if self._config.baseline:
            standings = {one.id: self._baseline.judge(one, self._today) for one in self.verifications}
            for text in describe_standings(standings, self._config.baseline.name, self._stale()):
                _write_line(terminalreporter, f"  baseline    {show(text)}")
        if annotates and os.environ.get("GITHUB_ACTIONS") == "true":
            self._print_annotations(terminalreporter)
        if use := self._tiers:
            from pytest_ftc.reporting.terminal.store import describe_use

            _write_line(terminalreporter, f"  store       {describe_use(use)}")
        if hidden := explain_hidden(self._config):
            _write_note(terminalreporter, show(hidden))
        for problem in self._all_problems:
            _write_line(terminalreporter, f"{_NOTE}{show(problem)}")
        if command := release_command(self._config.artifacts, self.verifications):
            _write_line(terminalreporter, f"  publish     {show(command)}")
        for problem in dict.fromkeys(hook_problems):
            _write_line(terminalreporter, f"ERROR: {problem}", red=True)
        if self._problem:
            _write_line(terminalreporter, f"ERROR: {self._problem}", red=True)

    def _print_artifacts(self, terminalreporter: TerminalReporter) -> None:
        from pytest_ftc.reporting.terminal.summary import summary_lines

        writer = terminalreporter._tw
        lines = summary_lines(
            self.verifications,
            width=min(writer.fullwidth, 120),
            colour=writer.hasmarkup,
            verbose=terminalreporter.verbosity > 0,
        )
        terminalreporter.section("ftc")
        terminalreporter.write(fit_encoding(lines, getattr(writer._file, "encoding", None)))
        for text in self._describe_left_out(each=terminalreporter.verbosity > 0):
            _write_line(terminalreporter, f"  left out    {text}")
        if self.part:
            _write_line(terminalreporter, f"  shard       {self.part.describe()}")

    def _describe_left_out(self, *, each: bool) -> Sequence[str]:
        """Return why `each` artifact is not in the sample, or how many are not."""
        if each:
            return [f"{show(name.rpartition('::')[2])}: {reason}" for name, reason in self.left_out.items()]
        return count_left_out(list(self.left_out.values()))

    def _print_annotations(self, terminalreporter: TerminalReporter) -> None:
        from pytest_ftc.reporting.ci import to_annotations

        known = self.known(*self.verifications)
        for line in to_annotations(self.verifications, self._config.lines, known):
            terminalreporter.write_line(line)

    def _write(self) -> None:
        # Git is asked for the origin of a report, which takes its time.
        if self._config.report or self._config.json:
            self._write_report()
        if not self._verifications:
            return
        if self._config.update_baseline and self._config.baseline:
            from pytest_ftc.reporting.write import write_text

            updated = self._baseline.updated(self.verifications, self._today, self._stale())
            write_text(self._config.baseline, updated.render())
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            _append(path, self.verifications)

    def _write_report(self) -> None:
        from pytest_ftc.reporting.json_report import report
        from pytest_ftc.reporting.seal import seal
        from pytest_ftc.reporting.write import Earlier, write_json, write_reports

        described = self._verifier.describe(*self._invocation)
        if use := self._tiers:
            described["session"]["store"] = to_json(use)
        if self.part:
            described["session"]["shard"] = {**to_json(self.part), "left_out": sorted(self.left_out)}
        known = self.known(*self.verifications)
        if self._config.report:
            earlier = Earlier(known, {one.id: self._find_trend(one) for one in self.verifications})
            write_reports(
                self._config.report, self.verifications, **described, lines=self._config.lines, earlier=earlier
            )
        if self._config.json:
            write_json(self._config.json, seal(report(self.verifications, **described, known=known)))

    def _find_trend(self, verification: Verification) -> Sequence[TrendPoint]:
        from pytest_ftc.reporting.terminal.trend import find_trend

        return find_trend(self._verifier.recorded(verification.id, _MOST_RECORDED))


def print_attestations(terminalreporter: TerminalReporter, made: SessionAttestations) -> None:
    """Print what of the verdicts was attested and what was not."""
    if made.written:
        _write_line(terminalreporter, f"  attested    {show(made.written)}")
    for problem in made.problems:
        if made.failed:
            _write_line(terminalreporter, f"ERROR: not attested: {show(problem)}", red=True)
        else:
            _write_line(terminalreporter, f"  unsigned    {show(problem)}")
    if made.older:
        _write_line(terminalreporter, f"  unsigned    from before: {show(made.older)}")


def print_metrics_problem(terminalreporter: TerminalReporter, problem: str) -> None:
    """Print why metrics have not left, if they have not."""
    if problem:
        _write_line(terminalreporter, f"  metrics     {show(problem)}")


def _write_line(terminalreporter: TerminalReporter, text: str, **style: bool) -> None:
    terminalreporter.write_line(defuse(text), **style)


def _write_note(terminalreporter: TerminalReporter, text: str) -> None:
    """Write an escaped `text` as a note, wrapped to the terminal."""
    from pytest_ftc.reporting.terminal.layout import wrap

    lines = wrap(text, min(terminalreporter._tw.fullwidth, 120) - len(_NOTE))
    _write_line(terminalreporter, _NOTE + f"\n{' ' * len(_NOTE)}".join(lines))


def _append(path: str, verifications: list[Verification]) -> None:
    """Append the table of artifacts to the job summary of GitHub Actions."""
    from pytest_ftc.reporting.ci import job_summary

    with contextlib.suppress(OSError), open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(job_summary(verifications))
