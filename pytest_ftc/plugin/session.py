"""A session of ``pytest --ftc-verify``, and its hooks."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftc.config.project import explain_nothing
from pytest_ftc.model import Artifact, BuildResult, Verification
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.progress import Load
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.plugin.collection import Collected
from pytest_ftc.plugin.failures.failures import Failures
from pytest_ftc.plugin.hook_calls import notify
from pytest_ftc.plugin.hook_validation import end_asking, find_problems
from pytest_ftc.plugin.items import (
    LEFT_OUT,
    VERIFICATIONS,
    ArtifactItem,
    ConfigurationFile,
    NotTests,
    VerificationFailedError,
    keep_verification,
    leave_out,
)
from pytest_ftc.plugin.marker import declare_test, is_rebuilt, marked_tests
from pytest_ftc.plugin.observation.interrupts import raise_dropped_interrupts
from pytest_ftc.plugin.observation.traces import TracesOfSession, find_trace, outcome_of
from pytest_ftc.plugin.observation.workers_progress import WorkersProgress, display_of
from pytest_ftc.plugin.progress import Display, Nothing, shown
from pytest_ftc.plugin.project_tests import FindingsLast, keep_artifacts
from pytest_ftc.plugin.result_folders import check_writable, record_folders, results_folder
from pytest_ftc.plugin.session_report import Invocation, SessionReport, print_attestations, print_metrics_problem
from pytest_ftc.plugin.settings import add_to_arguments, check_named, find_changed, load_settings, usage_errors
from pytest_ftc.plugin.sharding.register import register_shard
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.metrics.facts import SessionFacts
from pytest_ftc.verification.metrics.session import SessionMetrics
from pytest_ftc.verification.proofs.attestations import SessionAttestations
from pytest_ftc.verification.sampling import Sampler
from pytest_ftc.verification.session import Verifier
from pytest_ftc.verification.user_folders import user_cache

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr
    from _pytest.terminal import TerminalReporter

_REPORT_KEY = "ftc_verifications"
_LEFT_OUT_KEY = "ftc_left_out"
_MOST_NAMED = 10


class VerificationSession:
    """Collects artifacts, verifies them in the background and reports the results."""

    def __init__(self, pytest_config: pytest.Config) -> None:
        self._pytest = pytest_config
        self.config, self._added = load_settings(pytest_config)
        end_asking(pytest_config)
        check_writable(self.config)
        self._is_worker = hasattr(pytest_config, "workerinput")
        invocation = Invocation.of(pytest_config, time.time())
        self._found: dict[str, list[Verification]] = {}
        self._hook_problems: list[str] = []
        self._results = results_folder(pytest_config, self.config)
        records = record_folders(pytest_config, self.config)
        self._verifier = Verifier(self.config, self._results, self._added, records, find_trace(pytest_config))
        self._display: Display = Nothing()
        self._sample = Sampler(
            self.config.root, user_cache("samples"), rate=self.config.sample, most_left_out=self.config.most_left_out
        )
        self._tests: dict[str, Artifact] = {}
        self._files = frozenset(self.config.files)
        self._collected = Collected(self.config.root, [artifact.id for artifact in self.config.artifacts])
        self._report = SessionReport(self.config, self._verifier, self._collected, invocation)
        self._failures = Failures(pytest_config, self.config.lines, self._report.known)
        self._changed = find_changed(self.config)
        with usage_errors():
            self._attestations = SessionAttestations(None if self._is_worker else self.config)
            self._metrics = SessionMetrics(None if self._is_worker or self._pytest.option.collectonly else self.config)
        self._traces = TracesOfSession(
            pytest_config, self.config, self._verifier.collector, lambda: len(self._report.verifications)
        )
        pytest_config.pluginmanager.register(self._traces, "ftc-traces")
        if not self._is_worker:
            pytest_config.pluginmanager.register(WorkersProgress(pytest_config), "ftc-workers-progress")
        self._findings_last = FindingsLast(self._print_summary)
        pytest_config.pluginmanager.register(self._findings_last, "ftc-findings-last")
        with usage_errors():
            check_named(pytest_config, self.config)
            register_shard(pytest_config, self.config, self._report)
        self._report.aside = add_to_arguments(pytest_config, self.config)

    def artifacts_of(self, file: Path) -> tuple[Artifact, ...]:
        """Return the artifacts that `file` declares."""
        return self.config.artifacts_of(file)

    def verify(self, artifact: Artifact) -> Verification:
        """Return the verification of `artifact`, starting it unless it already runs in the background."""
        with shown(self._display) as waiting:
            return self._verifier.result(artifact, waiting)

    def keep(self, item: pytest.Item, verification: Verification) -> None:
        """Add `verification` to the reports, and its properties to the file of ``--junitxml``."""
        keep_verification(item, verification)

    def accepts(self, verification: Verification) -> bool:
        """Return whether `verification` passes, or all its findings are known."""
        return self._report.accepts(verification)

    def represent(self, verification: Verification, nodeid: str, item: pytest.Item) -> TerminalRepr:
        """Return what pytest shows for a bad `verification` by the test `item`, which `nodeid` runs again."""
        return self._failures.represent(verification, nodeid, item)

    @property
    def root(self) -> Path:
        """The project's root folder."""
        return self.config.root

    @property
    def vocabulary(self) -> Vocabulary:
        """The names that specifications of variations may use."""
        return replace(self._added.vocabulary, named=self.config.sets)

    @property
    def verifies(self) -> bool:
        """Always true, since this session exists only with ``--ftc-verify``."""
        return True

    def build_once(self, artifact: Artifact) -> BuildResult:
        """Build `artifact` once in a plain environment, without a comparison."""
        return self._verifier.build_once(artifact)

    def why_left_out(self, artifact: Artifact) -> str:
        """Return why `artifact` is not in this session's sample; empty if it is."""
        return self._sample.why_left_out(artifact)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        # Pytest has its own hook for what cannot be raised now.
        raise_dropped_interrupts()
        # The terminal reporter exists now, and its stream is not yet captured.
        self._display = display_of(self._pytest, self._verifier.progress)
        self._metrics.begin(lambda: self._verifier.load.plus(Load(ended=len(self._report.verifications))))

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path not in self._files:
            return None
        collector = ConfigurationFile.from_parent(parent, path=file_path)
        collector.ftc = self
        return collector

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        # A setup.py named on the command line must not be imported as a test module, since that would run setup().
        return NotTests.from_parent(parent, path=module_path) if module_path in self._files else None

    def pytest_report_header(self) -> str | None:
        if not self.config.changed_first:
            return None
        names = [one.name for one in self.config.artifacts if one.id in self._changed]
        shown = ", ".join(map(shorten, names[:_MOST_NAMED])) + (", …" if len(names) > _MOST_NAMED else "")
        return f"ftc: changed since {shorten(self.config.changed_first, 80)}, verified first: {shown or 'nothing'}"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Move changed artifacts before the others, within the positions of artifacts among the items."""
        keep_artifacts(session, items)
        if not self._changed:
            return
        places = [place for place, item in enumerate(items) if isinstance(item, ArtifactItem)]
        artifacts = [item for item in items if isinstance(item, ArtifactItem)]
        artifacts.sort(key=lambda item: item.artifact.id not in self._changed)
        for place, item in zip(places, artifacts, strict=True):
            items[place] = item

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # Pytest calls this even if collection failed, see Session.perform_collect.
        if not find_problems(self._pytest):
            with usage_errors():
                self._begin(session)

    def _begin(self, session: pytest.Session) -> None:
        # A pytest-xdist worker collects everything but runs only some items, so it starts each verification on demand.
        artifacts = [item.artifact for item in session.items if isinstance(item, ArtifactItem)]
        tests = marked_tests(session.items)
        by_name = any("::" in argument for argument in self._pytest.args)
        self._collected.note([item.nodeid for item in session.items], whole=not by_name)
        uses = tests or any("ftc" in getattr(item, "fixturenames", ()) for item in session.items)
        elsewhere = self._report.part is not None and self._report.part.total
        if not (self.config.artifacts or uses or self._is_worker or elsewhere):
            raise ConfigurationError(explain_nothing(self.config))
        artifacts += [self._declare(item) for item in tests]
        if not by_name:
            self._sample.choose(artifacts)
        if not self._is_worker and not self._pytest.option.collectonly:
            chosen = [artifact for artifact in artifacts if not self._sample.why_left_out(artifact)]
            self._verifier.start(chosen, self._changed)

    def pytest_deselected(self) -> None:
        self._collected.is_whole = False

    def _declare(self, item: pytest.Function) -> Artifact:
        if item.nodeid not in self._tests:
            self._tests[item.nodeid] = declare_test(item, self.config.root, self.vocabulary)
        return self._tests[item.nodeid]

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Rebuild a test that is an artifact instead of running it here."""
        if not is_rebuilt(pyfuncitem):
            return None
        artifact = self._declare(pyfuncitem)
        if why := self.why_left_out(artifact):
            leave_out(pyfuncitem, why)
        verification = self.verify(artifact)
        keep_verification(pyfuncitem, verification)
        if not self.accepts(verification):
            raise VerificationFailedError(verification)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, VerificationFailedError) and not isinstance(item, ArtifactItem):
            report.longrepr = self.represent(error.verification, item.nodeid, item)
        if call.when == "call" and (why := item.stash.get(LEFT_OUT, "")):
            setattr(report, _LEFT_OUT_KEY, why)
        found = item.stash.get(VERIFICATIONS, [])
        if found and report.when == "call":
            if self._is_worker:
                # Serialized as ASCII, because xdist transfers it and output names need not be valid Unicode.
                setattr(report, _REPORT_KEY, json.dumps(to_json(found)))
                self._failures.send(report)
            else:
                self._found[item.nodeid] = found
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if why := getattr(report, _LEFT_OUT_KEY, ""):
            self._report.left_out[report.nodeid] = why
        if report.when != "call" or self._is_worker:
            return
        # A rerun test reports the same artifact again; with --dist=each, every worker reports it.
        found = self._take_found(report)
        self._failures.restore(report, found)
        for one in found:
            if self._report.add(getattr(report, "worker_id", ""), one):
                self._hook_problems += notify(self._pytest, one)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._report.take_over(node)

    def _take_found(self, report: pytest.TestReport) -> Sequence[Verification]:
        """Return the verifications of `report`, from this process or from a worker."""
        if text := getattr(report, _REPORT_KEY, ""):
            return [from_json(Verification, one) for one in json.loads(text)]
        return self._found.pop(report.nodeid, ())

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._verifier.close()
        if self._is_worker:
            self._report.hand_over(session.config)
        else:
            # Artifacts that did not pass are due in the next session's sample.
            due = {one.id for one in self._report.verifications if not self.accepts(one)}
            verified = {one.id for one in self._report.verifications}
            self._sample.remember(verified - due, due, list(self._report.left_out))
        if self._hook_problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        began = session.exitstatus != pytest.ExitCode.USAGE_ERROR
        if not (self._is_worker or session.config.option.collectonly or self._report.write(began=began)):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        with self._verifier.collector.collecting():
            self._attestations.make(self._report.verifications)
        if self._attestations.failed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        facts = self._state_facts(session)
        if not self._is_worker:
            self._report.record(facts)
        self._traces.end(session)
        self._metrics.finish(facts)

    def _state_facts(self, session: pytest.Session) -> SessionFacts:
        artifacts = (*self.config.artifacts, *self._tests.values())
        return self._report.state_facts(outcome_of(session), artifacts, self._attestations.signings)

    def pytest_unconfigure(self) -> None:
        self._metrics.stop()
        self._verifier.close()

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if not self._findings_last.come_last:
            self._print_summary(terminalreporter)

    def _print_summary(self, terminalreporter: TerminalReporter) -> None:
        self._report.print_summary(terminalreporter, self._hook_problems, annotates=not self._is_worker)
        if terminalreporter.verbosity >= -1:
            print_attestations(terminalreporter, self._attestations)
            print_metrics_problem(terminalreporter, self._metrics.problem)
            self._traces.print_rest(terminalreporter)
