"""The verification cache: verifications of earlier sessions, and their outputs."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.builds.inputs.environment_variables import passed_variables
from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import (
    Artifact,
    BuildResult,
    BuildStatus,
    Environment,
    Output,
    Role,
    Snapshot,
    Verdict,
    Verification,
)
from pytest_ftc.model.artifact import wrap_build
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, MissingError
from pytest_ftc.model.notes import BUILT_AGAIN, NOT_CACHED_BEFORE, NOT_CACHED_UNKNOWN
from pytest_ftc.model.protocols import Store
from pytest_ftc.model.support.epoch import OF_COMMIT
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.store.action_cache import Entry, SealedCache
from pytest_ftc.store.blob_files import digest_file
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History, Mark
from pytest_ftc.verification.cache.context import CacheContext, CacheQuery, Disagreement
from pytest_ftc.verification.cache.key import (
    ActionInputs,
    Inquiry,
    describe_facilities,
    describe_inputs,
    describe_variations,
)
from pytest_ftc.verification.cache.ledger import Ledger
from pytest_ftc.verification.cache.miss import explain_query, name_changes
from pytest_ftc.verification.cache.record import KEPT, essence, read_verification
from pytest_ftc.verification.cache.store_guard import StoreGuard
from pytest_ftc.verification.cache.uses import Uses, describe_unseen, describe_uses, find_changes
from pytest_ftc.verification.claims.peers import find_deciding, find_shared
from pytest_ftc.verification.plan import plain_environment
from pytest_ftc.verification.reference import digest_references

_MOST_BYTES = 1 << 30
"""For larger outputs, only the digests are stored."""
_ASKED_FOR = (Role.CONTROL, Role.EXPERIMENT)
"""Roles of builds in every verification; all others belong to a diagnosis."""
_NO_HISTORY = "none"
"""Marks an entry whose builds could not be recorded."""


class VerificationCache:
    """Verifications in `store`; unless it `answers`, entries are only written, and compared with new builds.

    Entries are authenticated with `key`; every build is recorded in this machine's `history`.  A failing store costs
    extra builds but never changes a verdict; `problems` lists its errors.
    """

    def __init__(self, store: Store, history: History, key: bytes, context: CacheContext, *, answers: bool) -> None:
        self.store = store
        self._key = key
        self._context = context
        self._answers = answers
        self._obstacles: dict[str, str] = {}
        self._entries = SealedCache(store, key)
        self.guard = StoreGuard()
        self.ledger = Ledger(history, context.project, self.guard, shared=not isinstance(store, LocalStore))
        self._facilities = describe_facilities(context.machine)

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems with the store, one sentence each."""
        refused = self._entries.refused
        forged = (f"{refused} cached verification(s) were not authentic and were rebuilt",) if refused else ()
        own: Sequence[str] = self.guard.attempt(lambda: self.store.problems, ())
        return (*self.guard.problems, *own, *forged, *self.ledger.problems)

    def query(self, artifact: Artifact) -> CacheQuery | None:
        """Return the query for `artifact`; None if it is never cached.

        No digest covers downloads, and nothing derived from a secret is written to the store.
        """
        if artifact.fetches or artifact.secrets:
            return None
        context = self._context
        state = context.sources.state(artifact.source)
        passed = passed_variables(artifact.pass_env, context.environ)
        tools = context.toolchain.describe(wrap_build(artifact), {**passed, **artifact.env}, artifact.source)
        inputs = ActionInputs(
            source=state.digest,
            repository=state.repository,
            epoch=state.commit_time if artifact.source_date_epoch == OF_COMMIT else artifact.source_date_epoch,
            tools=tools,
            passed=passed,
            reference=digest_references(artifact, context.images),
            environment=to_json(self._environment(artifact)),
            platform=context.platform,
        )
        inquiry = Inquiry(
            inputs=describe_inputs(artifact, inputs, self._key),
            asked=describe_variations(context.select(artifact), context.effects),
            builds=context.builds or 2,
            facilities=self._facilities,
        )
        return CacheQuery(artifact=artifact, inquiry=inquiry, state=state, tools=tools)

    def _environment(self, artifact: Artifact) -> Environment:
        """Return the control environment without values that differ between users and sessions."""
        machine = replace(self._context.machine, identity=None)
        plain = plain_environment(artifact.name, "", machine, prefix="", variables={}, path=self._context.path)
        return replace(plain, network=artifact.preset is None)

    def lookup(self, query: CacheQuery) -> Verification | None:
        """Return the verification of an earlier session if it covers at least what is requested now."""
        if not self._answers:
            return None
        entry = self._entry(query)
        known = read_verification(entry) if entry else None
        if entry is None or known is None:
            return None
        if obstacle := self._find_obstacle(query, entry, known):
            self._obstacles[query.artifact.id] = obstacle
            return None
        artifact, asked = query.artifact, query.inquiry.asked
        answer = replace(
            known,
            cached=True,
            notes=(*known.notes, *describe_unseen(entry)),
            varied=tuple(name for name in asked if name in known.varied),
            not_varied=tuple(one for one in known.not_varied if one.variation in asked),
            strict=artifact.strict,
        )
        return self.ledger.with_agreement(entry.action, artifact, answer)

    def _find_obstacle(self, query: CacheQuery, entry: Entry, known: Verification) -> str:
        """Return why the verification `known` from `entry` cannot be reused; empty if it can."""
        if entry.disputed:
            return "later builds had other outputs than the cached ones"
        if not self._is_enough(query, entry, known):
            return "more is requested than was verified"
        if not self.ledger.supports(entry, query.artifact, known):
            return "the history does not support the cached verdict"
        return name_changes(self._find_changes(query, entry))

    def _why(self, query: CacheQuery) -> tuple[str, ...]:
        """Return a note on why the artifact is built again, if it was built before."""
        if not self._answers:
            return ()
        # Only for what was built: sessions in which all is cached are to start soon.
        from pytest_ftc.verification.cache.drift import add_drift

        before = self.ledger.inputs_of(query.artifact)
        why = self._obstacles.get(query.artifact.id) or explain_query(before, query)
        return (BUILT_AGAIN + add_drift(why, before, self._context.dependencies),) if why else ()

    def put(
        self, query: CacheQuery, source: Snapshot, verification: Verification, *, disputed: bool = False
    ) -> Verification:
        """Store `verification`, of builds from `source`, and return it with its agreement.

        If it is `disputed`, only its builds are recorded: the entry that it contradicts is kept but not reused.
        """
        if verification.verdict is Verdict.ERROR or not self._is_about(query, source):
            return verification
        notes = self._why(query)
        mark = self.ledger.add(query.inquiry.action, query.artifact, verification)
        from pytest_ftc.verification.cache.drift import describe_last

        uses = describe_uses(verification.builds[0], self._context.dependencies, query.artifact.source, query.state)
        self.ledger.note_inputs(query.artifact, describe_last(query, uses, verification.builds[0]))
        if disputed:
            self.guard.write(lambda: self._dispute_entry(query))
        elif verification.verdict in KEPT and not _is_decided_outside(verification):
            notes += self._keep(query, verification, mark, uses)
        noted = replace(verification, notes=(*verification.notes, *notes))
        return self.ledger.with_agreement(query.inquiry.action, query.artifact, noted)

    def _keep(self, query: CacheQuery, verification: Verification, mark: Mark | None, uses: Uses) -> tuple[str, ...]:
        """Store `verification` as the entry of its action; return a note if that is not possible."""
        if self._entry(query) is None:
            contradicted = self.ledger.contradicts(query.inquiry.action, query.artifact, verification)
            if contradicted is not False:
                return (NOT_CACHED_UNKNOWN if contradicted is None else NOT_CACHED_BEFORE,)
        if uses.changed:
            return (f"not cached: {uses.changed} was changed while the build used it",)
        self.guard.write(lambda: self._put_entry(query, verification, mark, uses))
        return ()

    def disagreement(self, query: CacheQuery, verification: Verification) -> Disagreement | None:
        """Return how the outputs of a reproducible `verification` differ from those of an earlier one."""
        entry = self._entry(query)
        known = read_verification(entry) if entry else None
        if entry is None or known is None or verification.verdict is not Verdict.REPRODUCIBLE:
            return None
        is_of_another = known.verdict is Verdict.UNREPRODUCIBLE and dict(entry.asked) != dict(query.inquiry.asked)
        if is_of_another or self._find_changes(query, entry):
            return None
        now, metadata = verification.builds[0].outputs, query.artifact.metadata
        # The builds of an unreproducible one differ from each other, so at least one differs from the current builds.
        ran = (build for build in known.builds if build.status is BuildStatus.OK and build.role in _ASKED_FOR)
        differences = next(filter(None, (compare_manifests(build.outputs, now, metadata) for build in ran)), None)
        if not differences:
            return None
        return Disagreement(
            differences=tuple(differences),
            machine=entry.machine,
            elsewhere=entry.machine != platform.node(),
            made=entry.made,
        )

    def fetch(self, output: Output, to: Path) -> bool:
        """Write the recorded content of `output` to the file `to`; return whether it is still available."""
        digest = Digest(output.sha256, output.size)

        def get() -> bool:
            try:
                self.store.get_file(digest, to)
            except MissingError:
                return False
            return digest_file(str(to)) == digest

        return self.guard.attempt(get, False)

    def _entry(self, query: CacheQuery) -> Entry | None:
        return self.guard.attempt(lambda: self._entries.get(query.inquiry.action), None)

    def close(self) -> None:
        """Close the store and the ledger; may be called again."""
        self.guard.attempt(self.store.close, None)
        self.ledger.close()

    def _is_enough(self, query: CacheQuery, entry: Entry, known: Verification) -> bool:
        inquiry, context = query.inquiry, self._context
        if entry.environment and not context.has_environment(entry.environment):
            return False
        if any(build.seconds > query.artifact.timeout for build in known.builds):
            return False
        if entry.builds < inquiry.builds or ((context.trace or query.artifact.strict) and not entry.traced):
            return False
        if known.verdict is Verdict.UNREPRODUCIBLE:
            # With fewer variations there may be no difference, and a fuller diagnosis may be requested.
            explained = not context.diagnose.is_deeper_than(DiagnosisMode(entry.diagnose))
            return dict(entry.asked) == dict(inquiry.asked) and explained
        if any(entry.asked.get(name) != how for name, how in inquiry.asked.items()):
            return False
        # Variations that could not be applied then may be possible now.
        return entry.facilities == inquiry.facilities or set(inquiry.asked) <= set(known.varied)

    def _find_changes(self, query: CacheQuery, entry: Entry) -> list[str]:
        """Return the undeclared inputs of the build of `entry` that have changed since."""
        dependencies = self._context.dependencies
        return find_changes(entry.dependencies, dependencies, query.artifact.source, query.state)

    def _is_about(self, query: CacheQuery, source: Snapshot) -> bool:
        """Return whether sources and tools are still those of `query`: they may change during the builds."""
        if not self._context.toolchain.is_still(query.tools):
            return False
        try:
            published = digest_references(query.artifact, self._context.images)
            if published != query.inquiry.inputs["reference"]:
                return False
            return self._context.sources.is_still(query.state, query.artifact.source, source)
        except FtcError:
            return False

    def _dispute_entry(self, query: CacheQuery) -> None:
        """Mark the entry itself as disputed, because the history may be lost."""
        entry = self._entries.get(query.inquiry.action)
        if entry and not entry.disputed:
            self._entries.put(replace(entry, disputed=True))

    def _put_entry(self, query: CacheQuery, verification: Verification, mark: Mark | None, used: Uses) -> None:
        inquiry, context = query.inquiry, self._context
        control = verification.builds[0]
        blobs = self._put_outputs(control) if verification.verdict is Verdict.REPRODUCIBLE else ()
        self._entries.put(
            Entry(
                action=inquiry.action,
                asked=inquiry.asked,
                facilities=inquiry.facilities,
                environment=verification.requirements,
                builds=sum(build.role in _ASKED_FOR for build in verification.builds),
                machine=platform.node(),
                made=control.started,
                traced=context.trace or query.artifact.strict,
                diagnose=context.diagnose,
                verification=to_json(essence(verification)),
                blobs=blobs,
                history=mark.generation if mark else _NO_HISTORY,
                row=mark.number if mark else 0,
                dependencies=used.tokens,
                unseen=used.unseen,
            )
        )

    def _put_outputs(self, control: BuildResult) -> tuple[str, ...]:
        """Store the contents of the outputs, if possible by moving the session's own files."""
        known = {Digest(output.sha256, output.size) for output in control.outputs if output.sha256}
        if sum(digest.size for digest in known) > _MOST_BYTES:
            return ()
        self.store.put_files({digest: Path(control.blobs, digest.hash) for digest in known})
        return tuple(sorted(map(str, known)))


def _is_decided_outside(verification: Verification) -> bool:
    builds = verification.builds
    return bool(find_deciding(builds, verification.varied) or find_shared(builds))
