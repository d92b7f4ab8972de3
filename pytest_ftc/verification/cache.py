"""What sessions remember for each other: verified actions, their outputs, and every build ever seen."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pybreaker import CircuitBreaker, CircuitBreakerError

from pytest_ftc.builds.inputs.environment_variables import passed_variables
from pytest_ftc.builds.inputs.source_state import Sources, SourceState
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.comparison.manifests import compare_manifests, digest_manifest
from pytest_ftc.model import (
    Artifact,
    BuildRecord,
    BuildResult,
    BuildStatus,
    Difference,
    Machine,
    Output,
    Role,
    Snapshot,
    Verdict,
    Verification,
)
from pytest_ftc.model.artifact import wrap_build
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, MissingError, StoreUnavailableError
from pytest_ftc.model.protocols import Images, Store, Variation
from pytest_ftc.model.serialization import from_json, to_json
from pytest_ftc.store.action_cache import Entry, SealedCache
from pytest_ftc.store.cas import digest_file
from pytest_ftc.store.garbage_collection import tidy_up
from pytest_ftc.store.history import History
from pytest_ftc.verification.cache_key import Inquiry, describe_inputs, describe_variations
from pytest_ftc.verification.plan import plain_environment
from pytest_ftc.verification.reference import digest_references

T = TypeVar("T")

_KEPT = (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)
"""What is remembered: verdicts that rest on builds that ran.  All else is tried again."""
_MOST_BYTES = 1 << 30
"""Outputs of more bytes than that are remembered by their digests only."""
_ASKED_FOR = (Role.CONTROL, Role.EXPERIMENT)
"""What every verification builds; all others belong to a diagnosis."""
_DIAGNOSES = ("off", "fast", "full")
_FAILURES, _REST = 3, 30
"""After so many failures in a row the store is left alone for so many seconds; then one attempt decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheContext:
    """What a session asks of every verification, and all that it finds its answers with."""

    project: Path
    sources: Sources
    toolchain: Toolchain
    machine: Machine
    select: Callable[[Artifact], Sequence[Variation]]
    builds: int
    diagnose: str
    trace: bool
    path: Sequence[str]
    environ: Mapping[str, str]
    has_environment: Callable[[str], bool]
    """Tells whether build requirements of this digest are still installed."""
    platform: Sequence[str]
    """What kind of machine and Python this is."""
    effects: Mapping[str, str] = field(default_factory=dict)
    """Digests of what the variations of plugins do, by name."""
    images: Images | None = None
    """Where published files in registries are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheQuery:
    """What is asked about one artifact."""

    artifact: Artifact
    inquiry: Inquiry
    state: SourceState
    tools: Mapping[str, str] = field(default_factory=dict)
    """Digests of what its builds are run with, by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Outputs that an earlier verification of the same action has recorded otherwise."""

    differences: tuple[Difference, ...]
    """`control` is what was recorded, `experiment` what was built now."""
    machine: str
    """Where the earlier builds ran."""
    elsewhere: bool
    """Whether that is another machine than this one."""
    made: float
    """When, seconds since 1970."""


class VerificationCache:
    """Remembers verifications in `store`; with `answers` false it is not asked, only compared with.

    Entries are sealed with `key`; every build goes into the `history`, which is this machine's.  A store that fails
    costs builds and never a verdict: what went wrong is noted in `problems`.
    """

    def __init__(self, store: Store, history: History, key: bytes, asked: CacheContext, *, answers: bool) -> None:
        self._store = store
        self._key = key
        self._asked = asked
        self._answers = answers
        self._cache = SealedCache(store, key)
        self._history = history
        self._breaker = CircuitBreaker(fail_max=_FAILURES, reset_timeout=_REST)
        self._session = secrets.token_hex(8)
        self._facilities = _describe_facilities(asked.machine)
        self._lock = threading.Lock()
        self._problems: dict[str, None] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong with the store, one sentence each."""
        refused = self._cache.refused
        counted = [
            f"{refused} remembered verification(s) were not authentic, and built again" if refused else "",
            "the history was damaged and begins anew" if self._history.began_anew else "",
        ]
        own: Sequence[str] = self._try(lambda: self._store.problems, ())
        return (*self._problems, *own, *filter(None, counted))

    def ask(self, artifact: Artifact) -> CacheQuery | None:
        """Return the question about `artifact`; None for one that cannot be remembered.

        What is downloaded is in no digest, and nothing that follows from a secret is written to the store.
        """
        if artifact.fetches or artifact.secrets:
            return None
        asked = self._asked
        state = asked.sources.state(artifact.source)
        passed = passed_variables(artifact.pass_env, asked.environ)
        environment = plain_environment(
            artifact.name,
            "",
            replace(asked.machine, identity=None),
            prefix="",
            variables={},
            path=asked.path,
            network=artifact.preset is None,
        )
        tools = asked.toolchain.describe(wrap_build(artifact), {**passed, **artifact.env}, artifact.source)
        inputs = describe_inputs(
            artifact,
            source=state.digest,
            repository=state.repository,
            epoch=state.commit_time if artifact.source_date_epoch == "git" else artifact.source_date_epoch,
            tools=tools,
            passed=passed,
            reference=digest_references(artifact, asked.images),
            environment=to_json(environment),
            platform=asked.platform,
            key=self._key,
        )
        inquiry = Inquiry(
            inputs=inputs,
            asked=describe_variations(asked.select(artifact), asked.effects),
            builds=asked.builds,
            facilities=self._facilities,
        )
        return CacheQuery(artifact=artifact, inquiry=inquiry, state=state, tools=tools)

    def recall(self, question: CacheQuery) -> Verification | None:
        """Return what an earlier session has verified, if it was at least what is asked for now."""
        if not self._answers:
            return None
        entry = self._try(lambda: self._cache.get(question.inquiry.action), None)
        if entry is None:
            return None
        known = _read_verification(entry)
        if known is None or not self._is_enough(question, entry, known) or self._is_disputed(question, entry, known):
            return None
        varied = tuple(name for name in question.inquiry.asked if name in known.varied)
        return self._with_agreement(
            question,
            replace(
                known,
                cached=True,
                varied=varied,
                not_varied=tuple(one for one in known.not_varied if one.variation in question.inquiry.asked),
                strict=question.artifact.strict,
            ),
        )

    def keep(
        self, question: CacheQuery, source: Snapshot, verification: Verification, *, disputed: bool = False
    ) -> Verification:
        """Remember `verification`, of builds from `source`, and return it with what it now rests on.

        What is `disputed` goes into the history, and not in place of what it contradicts.
        """
        if verification.verdict is Verdict.ERROR or not self._was_asked_about(question, source):
            return verification
        self._try(lambda: self._history.add(self._records(question, verification)), None)
        if verification.verdict in _KEPT and not disputed:
            self._try(lambda: self._put(question, verification), None)
        return self._with_agreement(question, verification)

    def disagreement(self, question: CacheQuery, verification: Verification) -> Disagreement | None:
        """Return in what the outputs of a reproducible `verification` differ from those of an earlier one."""
        entry = self._try(lambda: self._cache.get(question.inquiry.action), None)
        known = _read_verification(entry) if entry else None
        if entry is None or known is None or verification.verdict is not Verdict.REPRODUCIBLE:
            return None
        if known.verdict is Verdict.UNREPRODUCIBLE and dict(entry.asked) != dict(question.inquiry.asked):
            return None
        now, metadata = verification.builds[0].outputs, question.artifact.metadata
        # One that was unreproducible differs from itself, so that one of its builds differs from those of now.
        ran = (build for build in known.builds if build.status is BuildStatus.OK and build.role in _ASKED_FOR)
        differences = next(filter(None, (compare_manifests(build.outputs, now, metadata) for build in ran)), None)
        if not differences:
            return None
        here = platform.node()
        return Disagreement(
            differences=tuple(differences), machine=entry.machine, elsewhere=entry.machine != here, made=entry.made
        )

    def fetch(self, output: Output, to: Path) -> bool:
        """Write the content that was recorded for `output` to the file `to`; return whether it is still there."""
        digest = Digest(output.sha256, output.size)

        def get() -> bool:
            try:
                self._store.get_file(digest, to)
            except MissingError:
                return False
            return digest_file(str(to)) == digest

        return self._try(get, False)

    def order(self, artifacts: Sequence[Artifact]) -> list[Artifact]:
        """Return `artifacts` as they are best built: critical ones first, then those that took the shortest."""
        seconds: Mapping[str, float] = self._try(lambda: self._history.last_seconds(str(self._asked.project)), {})
        return sorted(artifacts, key=lambda one: (not one.critical, seconds.get(one.id, float("inf"))))

    def close(self) -> None:
        """Let go of the store, and once a day remove from it what nobody has asked for in long; may be called again."""
        self._history.close()
        self._try(self._store.close, None)
        self._try(lambda: tidy_up(self._history.layout), None)

    def _is_enough(self, question: CacheQuery, entry: Entry, known: Verification) -> bool:
        inquiry, asked = question.inquiry, self._asked
        if entry.environment and not asked.has_environment(entry.environment):
            return False
        if any(build.seconds > question.artifact.timeout for build in known.builds):
            return False
        if entry.builds < inquiry.builds or ((asked.trace or question.artifact.strict) and not entry.traced):
            return False
        if known.verdict is Verdict.UNREPRODUCIBLE:
            # Fewer variations might find nothing, and more of a diagnosis may be wanted than there is.
            explained = _DIAGNOSES.index(entry.diagnose) >= _DIAGNOSES.index(asked.diagnose)
            return dict(entry.asked) == dict(inquiry.asked) and explained
        if any(entry.asked.get(name) != how for name, how in inquiry.asked.items()):
            return False
        # What could not be varied then might be varied now.
        return entry.facilities == inquiry.facilities or set(inquiry.asked) <= set(known.varied)

    def _is_disputed(self, question: CacheQuery, entry: Entry, known: Verification) -> bool:
        """Return whether later builds of the same action have left other outputs than a reproducible record tells.

        True also where that cannot be known.
        """
        if known.verdict is not Verdict.REPRODUCIBLE:
            return False
        digest = digest_manifest(known.builds[0].outputs, question.artifact.metadata)
        return self._try(lambda: self._history.contradicts(question.inquiry.action, digest, entry.made), True)

    def _was_asked_about(self, question: CacheQuery, source: Snapshot) -> bool:
        """Return whether what was built, and with what, is what was asked about: it may change meanwhile."""
        if not self._asked.toolchain.is_still(question.tools):
            return False
        try:
            published = digest_references(question.artifact, self._asked.images)
            if published != question.inquiry.inputs["reference"]:
                return False
            return self._asked.sources.is_still(question.state, question.artifact.source, source)
        except FtcError:
            return False

    def _put(self, question: CacheQuery, verification: Verification) -> None:
        inquiry, asked = question.inquiry, self._asked
        control = verification.builds[0]
        blobs = self._put_outputs(control) if verification.verdict is Verdict.REPRODUCIBLE else ()
        self._cache.put(
            Entry(
                action=inquiry.action,
                asked=inquiry.asked,
                facilities=inquiry.facilities,
                environment=verification.requirements,
                builds=inquiry.builds,
                machine=platform.node(),
                made=control.started,
                traced=asked.trace or question.artifact.strict,
                diagnose=asked.diagnose,
                verification=to_json(_essence(verification)),
                blobs=blobs,
            )
        )

    def _put_outputs(self, control: BuildResult) -> tuple[str, ...]:
        """Keep the contents of the outputs; the store takes the session's own files where it can."""
        known = {Digest(output.sha256, output.size) for output in control.outputs if output.sha256}
        if sum(digest.size for digest in known) > _MOST_BYTES:
            return ()
        self._store.put_files({digest: Path(control.blobs, digest.hash) for digest in known})
        return tuple(sorted(map(str, known)))

    def _records(self, question: CacheQuery, verification: Verification) -> list[BuildRecord]:
        return [
            BuildRecord(
                action=question.inquiry.action,
                artifact=question.artifact.id,
                project=str(self._asked.project),
                role=build.role.value,
                machine=platform.node(),
                user=_user(),
                session=self._session,
                started=build.started,
                seconds=build.seconds,
                digest=digest_manifest(build.outputs, question.artifact.metadata)
                if build.status is BuildStatus.OK
                else "",
                verdict=verification.verdict.value,
            )
            for build in verification.builds
            if build.role is not Role.REMEDY
        ]

    def _with_agreement(self, question: CacheQuery, verification: Verification) -> Verification:
        if verification.verdict is not Verdict.REPRODUCIBLE:
            return verification
        digest = digest_manifest(verification.builds[0].outputs, question.artifact.metadata)
        found = self._try(lambda: self._history.agreement(question.inquiry.action, digest), None)
        return replace(verification, agreement=found if found and found.builds else None)

    def _try(self, act: Callable[[], T], otherwise: T) -> T:
        """Use the store, or go on without it; one that fails again and again is left alone for a while."""
        try:
            # Not `call`, which lets nobody else in until it returns.
            with self._breaker.calling():
                return act()
        except (StoreUnavailableError, CircuitBreakerError) as error:
            if isinstance(error, StoreUnavailableError):
                with self._lock:
                    self._problems[f"not all is remembered: {error.message}"] = None
            return otherwise


def _essence(verification: Verification) -> Verification:
    """Return `verification` without what is gone when its session is: logs, traces, folders."""
    builds = tuple(replace(build, log="", log_tail="", blobs="", trace=None) for build in verification.builds)
    differences = tuple(replace(difference, diff="") for difference in verification.differences)
    return replace(verification, builds=builds, differences=differences, agreement=None)


def _read_verification(entry: Entry) -> Verification | None:
    """Return the record in `entry`; None where an earlier version has written something else."""
    try:
        known = from_json(Verification, entry.verification)
    except (KeyError, TypeError, ValueError):
        return None
    return known if known.verdict in _KEPT and len(known.builds) > 1 else None


def _describe_facilities(machine: Machine) -> str:
    text = json.dumps(to_json(replace(machine, work_dir="", cpus=0)), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
