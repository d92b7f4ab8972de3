"""The composition root: functions that create and connect the parts of a session."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial, reduce
from pathlib import Path

from pytest_ftc.builds.inputs.host import describe_host
from pytest_ftc.builds.inputs.secrets import Secrets
from pytest_ftc.builds.inputs.source_state import Sources, current_commit
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.builds.local import LocalExecutor, watch_slots
from pytest_ftc.builds.observed import ObservedExecutor
from pytest_ftc.builds.retrying import RetryingExecutor
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.comparison.diffoscope import Diffoscope
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.config.contributions import NOTHING, Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.diagnosis.plugin_diagnosers import Panel
from pytest_ftc.model import Artifact, Machine
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.protocols import Images, RemoteExecutor, Tiered, Variation
from pytest_ftc.model.store import TierUse
from pytest_ftc.model.timing.collector import Collector
from pytest_ftc.model.timing.trace_context import start_trace
from pytest_ftc.variations.specification import Vocabulary, parse_specification
from pytest_ftc.verification.build_inputs import InputsRecorder
from pytest_ftc.verification.cache.cache import VerificationCache
from pytest_ftc.verification.cache.open import describe_platform, make_cache_context, open_cache
from pytest_ftc.verification.cache.shared_store import find_shared_store
from pytest_ftc.verification.confidential.concealed import list_concealed
from pytest_ftc.verification.confidential.named import NamedReader, open_named
from pytest_ftc.verification.farm import (
    DIAGNOSIS_PATIENCE,
    on_farm,
    open_farm,
    patience_of,
    surveying,
    verifications_at_once,
    vocabulary_of,
)
from pytest_ftc.verification.kept.keeper import make_keeper
from pytest_ftc.verification.proofs.session_log import SessionLog
from pytest_ftc.verification.rebuild import PATIENCE
from pytest_ftc.verification.reference import RegistryImages
from pytest_ftc.verification.replay.recorder import Recording
from pytest_ftc.verification.replay.records import RecipeFolders
from pytest_ftc.verification.scheduler import Background
from pytest_ftc.verification.self_test.replicas import examine
from pytest_ftc.verification.site import BuildSite, make_site
from pytest_ftc.verification.steps.context import Plugins, VerificationContext
from pytest_ftc.verification.user_folders import (
    find_key,
    search_path,
    self_test_cache,
    store_folder,
    user_cache,
    written_by,
)
from pytest_ftc.verification.verify import verify


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """The configuration of a session, and the folders for its results."""

    config: Config
    results: Path
    """The folder for logs and diffs."""
    added: Contributions = NOTHING
    """The contributions of plugins."""
    records: Sequence[Path] = ()
    """Folders for the records of builds, which a replay needs."""
    collector: Collector = field(default_factory=lambda: Collector(start_trace(os.environ)))
    """Collects the phases of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSession:
    """The parts of a session while it verifies."""

    context: VerificationContext
    executor: ObservedExecutor
    background: Background
    recipes: RecipeFolders
    log: SessionLog
    comparator: ComparatorChain
    private: ComparatorChain
    panel: Panel
    named: NamedReader
    farm: RemoteExecutor | None
    no_cache: str
    """Why the cache, or the remote store, cannot be used; empty if it is used or disabled."""

    @property
    def tiers(self) -> TierUse | None:
        """How the local and the remote store were used; None without a remote one."""
        store = self.context.cache.store if self.context.cache else None
        return store.use if isinstance(store, Tiered) else None

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems with the store and with plugins, one sentence each."""
        own = filter(None, (self.no_cache, self.recipes.problem, self.log.problem, self.named.problem))
        cached = self.context.cache.problems if self.context.cache else ()
        plugins = dict.fromkeys((*self.comparator.problems, *self.private.problems, *self.panel.problems))
        return (*own, *cached, *(reduce(_mask, self.context.known_secrets, problem) for problem in plugins))

    def close(self) -> None:
        """End everything that is still running; may be called again."""
        self.background.close()
        self.named.close()
        self.log.write()
        if self.context.cache:
            self.context.cache.close()
        if self.farm:
            self.farm.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The parts of which the executor, the cache and the context consist."""

    settings: SessionSettings
    workspace: Workspace
    machine: Machine
    executor: ObservedExecutor
    is_local: bool
    """Whether builds run on this machine: the tools of another executor are unknown."""
    farm: RemoteExecutor | None
    diffoscope: Diffoscope
    comparator: ComparatorChain
    private: ComparatorChain
    """The comparators for artifacts with secrets."""
    panel: Panel
    select: Callable[[Artifact], Sequence[Variation]]
    effects: Mapping[str, str]
    """Digests of the effects of plugins' variations."""
    sources: Sources
    toolchain: Toolchain
    images: Images
    named: NamedReader
    cancelled: threading.Event

    def cancel(self) -> None:
        self.cancelled.set()
        self.diffoscope.cancel()
        self.executor.cancel()


def open_session(settings: SessionSettings, workspace: Workspace) -> RunningSession:
    """Create the parts of a session, in `workspace`.  Raises FtcError."""
    parts = _make_parts(settings, workspace)
    cached, no_cache = _open_cache(parts) if parts.is_local else (None, _why_not_shared(settings.config))
    context = _make_context(parts, cached)
    recipes = RecipeFolders(settings.records)
    log = SessionLog((settings.config.store or store_folder()) / "log")
    return RunningSession(
        context=context,
        executor=parts.executor,
        background=Background(
            lambda artifact: log.add(recipes.write(verify(artifact, context))),
            parts.cancel,
            verifications_at_once(settings.config, parts.machine, parts.farm),
            settings.collector,
        ),
        recipes=recipes,
        log=log,
        comparator=parts.comparator,
        private=parts.private,
        panel=parts.panel,
        named=parts.named,
        farm=parts.farm,
        no_cache=no_cache,
    )


def open_cache_only(settings: SessionSettings, workspace: Workspace) -> tuple[VerificationCache | None, str]:
    """Return the cache of such a session, or None and why it has none.  Raises FtcError."""
    parts = _make_parts(settings, workspace)
    return _open_cache(parts) if parts.is_local else (None, "")


def _make_parts(settings: SessionSettings, workspace: Workspace) -> _Parts:
    config, added, results = settings.config, settings.added, settings.results
    workspace.make()
    cancelled = threading.Event()
    farm = open_farm(config, workspace.folder("builds"), results / "logs", cancelled.is_set)
    foreign = farm or added.make_executor()
    with surveying(farm):
        machine, own = examine(workspace, added.variations, foreign, self_test_cache())
    local = partial(LocalExecutor, machine, workspace.folder("builds"), results / "logs", config.jobs)
    inner = foreign or local(user_cache("slots"), list_concealed(config))
    diffoscope = Diffoscope(results / "diffs", workspace.folder("compare"))
    vocabulary = vocabulary_of(config, added.vocabulary)
    return _Parts(
        settings=settings,
        workspace=workspace,
        machine=machine,
        executor=ObservedExecutor(RetryingExecutor(inner, patience_of(config)), watch_slots(inner)),
        is_local=foreign is None,
        farm=farm,
        diffoscope=diffoscope,
        comparator=ComparatorChain(diffoscope, added.comparators),
        private=ComparatorChain(diffoscope.keeping_in(workspace.folder("confidential")), added.comparators),
        panel=Panel(added.diagnosers, [variation.name for variation in vocabulary.catalogue]),
        select=partial(_select_for, default=config.variations, vocabulary=vocabulary, replaced=own.replaced),
        effects=own.effects,
        sources=Sources(config.root, {artifact.source for artifact in config.artifacts}, written_by(config)),
        toolchain=Toolchain(search_path()),
        images=RegistryImages(workspace.folder("published"), cancelled.is_set),
        named=open_named(config, cancelled.is_set),
        cancelled=cancelled,
    )


def _open_cache(parts: _Parts) -> tuple[VerificationCache | None, str]:
    """Return the cache, or None, and why it or the remote store cannot be used."""
    config = parts.settings.config
    foreign = parts.settings.added.make_store()
    context = make_cache_context(
        config, parts.machine, parts.select, parts.sources, parts.toolchain, effects=parts.effects
    )
    context = replace(context, images=parts.images)
    try:
        connect = find_shared_store(config, parts.cancelled.is_set)
        why = "[tool.ftc.remote] store is not used: a plugin has a store" if foreign and connect else ""
        return open_cache(config, context, foreign, connect), why
    except FtcError as error:
        return None, f"the verification cache is not used: {error.message}"


def _why_not_shared(config: Config) -> str:
    """Return why nothing is in the store that machines share, where builds do not run on this machine."""
    used = config.remote is not None and config.remote.store
    return "[tool.ftc.remote] store is not used: verdicts of builds elsewhere are not cached" if used else ""


def _make_context(parts: _Parts, cached: VerificationCache | None) -> VerificationContext:
    settings, workspace, config = parts.settings, parts.workspace, parts.settings.config
    templates = settings.added.templates
    return VerificationContext(
        site=_make_site(parts),
        inputs=_make_inputs_recorder(parts) if parts.is_local else None,
        select=parts.select,
        builds=config.builds,
        trace=config.trace,
        diagnose=config.diagnose,
        max_builds=config.max_builds,
        scratch=workspace.folder("scratch"),
        cache=cached,
        plugins=Plugins(comparators=parts.comparator, diagnosers=parts.panel, templates=templates),
        recording=_start_recording(parts) if settings.records and (parts.is_local or parts.farm) else None,
        images=parts.images,
        private=parts.private,
        diffs=settings.results / "diffs",
        keeper=make_keeper(settings.results / "outputs", config.keep_outputs),
        is_idle=lambda: parts.executor.asked <= 2 * config.jobs,
        patience=DIAGNOSIS_PATIENCE if parts.farm else PATIENCE,
    )


def _make_site(parts: _Parts) -> BuildSite:
    config, logs = parts.settings.config, parts.settings.results / "logs"
    site = make_site(config, parts.workspace, parts.machine, parts.executor, logs, cancelled=parts.cancelled.is_set)
    if parts.farm:
        site = on_farm(site, parts.workspace)
    return replace(site, named=parts.named.read, trace=parts.settings.collector.context)


def _make_inputs_recorder(parts: _Parts) -> InputsRecorder:
    return InputsRecorder(
        toolchain=parts.toolchain,
        digest=parts.sources.digest,
        platform=describe_platform(),
        host=describe_host(),
    )


def _mask(text: str, secrets: Secrets) -> str:
    return secrets.mask(text)


def _start_recording(parts: _Parts) -> Recording:
    config = parts.settings.config
    return Recording(
        root=config.root,
        digest=parts.sources.digest,
        commit=cache(current_commit),
        key=find_key(),
        path=parts.machine.path or search_path(),
        environ=dict(os.environ),
        executor=config.executor if parts.farm else "local",
    )


def _select_for(
    artifact: Artifact, *, default: str, vocabulary: Vocabulary, replaced: Mapping[str, Variation]
) -> tuple[Variation, ...]:
    """Return the requested variations in the order of the catalogue, with their parameters."""
    selected = parse_specification(artifact.variations or default, vocabulary).select(vocabulary.variations)
    return tuple(replaced.get(variation.name, variation) for variation in selected)
