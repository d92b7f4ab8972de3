"""Verifies artifacts in the background, while ordinary tests run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial

from pytest_ftc.model import Artifact, BuildStatus, Verdict, Verification
from pytest_ftc.model.progress import Load
from pytest_ftc.model.timing.collector import Collector, Stopwatch, timing
from pytest_ftc.model.timing.phase import PhaseKind

_PATIENCE = 0.2
"""Seconds."""

_INCONCLUSIVE = (Verdict.FAILED, Verdict.FRAGILE, Verdict.ERROR)
"""Verdicts that a retry may improve.  UNREPRODUCIBLE is final: two builds have proved it."""


@dataclass(slots=True)
class _Begun:
    artifact: Artifact
    future: Future[Verification]
    returned: bool = False
    """Whether the result has been returned."""


class Background:
    """Runs `verify` for artifacts in `at_once` threads; `cancel` must make running calls return soon."""

    def __init__(
        self,
        verify: Callable[[Artifact], Verification],
        cancel: Callable[[], None],
        at_once: int = 16,
        collector: Collector | None = None,
    ) -> None:
        """With a `collector`, verifications have the phases that it notes."""
        self._verify = verify
        self._cancel = cancel
        self._collector = collector
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="ftc-verify")
        self._begun: dict[str, _Begun] = {}
        self._lock = threading.Lock()

    def start(self, artifacts: Iterable[Artifact]) -> None:
        """Start verifying `artifacts` in their order, except those already started."""
        with self._lock:
            for artifact in artifacts:
                if artifact.id not in self._begun:
                    self._begun[artifact.id] = self._begin(artifact, self._verify)

    def result(self, artifact: Artifact, waiting: Callable[[], None] = lambda: None) -> Verification:
        """Return the verification of `artifact`, started now if necessary.  Raises whatever `verify` raises.

        A second request, from a rerun of the test, verifies it again if the verdict was inconclusive.
        `waiting` is called a few times a second meanwhile.
        """
        begun = self._find_or_begin(artifact)
        # The kernel may deliver Ctrl-C to another thread, and Python handles it when this one wakes up: see signal(7).
        while not wait([begun.future], timeout=_PATIENCE).done:
            waiting()
        begun.returned = True
        return begun.future.result()

    @property
    def open(self) -> tuple[tuple[Artifact, bool], ...]:
        """The artifacts whose verification has not ended, each with whether it is running or queued."""
        with self._lock:
            begun = list(self._begun.values())
        return tuple((one.artifact, one.future.running()) for one in begun if not one.future.done())

    @property
    def load(self) -> Load:
        """How much there is to do, without the builds of verifications that are running."""
        with self._lock:
            futures = [begun.future for begun in self._begun.values()]
        ended = sum(future.done() for future in futures)
        return Load(waiting=sum(not future.running() for future in futures) - ended, ended=ended)

    def close(self) -> None:
        """Cancel running verifications and wait until they have ended."""
        with self._lock:
            for begun in self._begun.values():
                begun.future.cancel()
        self._cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _find_or_begin(self, artifact: Artifact) -> _Begun:
        with self._lock:
            begun = self._begun.get(artifact.id)
            if begun is None:
                begun = self._begin(artifact, self._verify)
            elif begun.artifact != artifact or (begun.returned and begun.future.result().verdict in _INCONCLUSIVE):
                # A rerun test may declare its artifact differently, for example in another temporary folder.
                begun = self._begin(artifact, partial(self._verify_again, before=begun))
            self._begun[artifact.id] = begun
            return begun

    def _begin(self, artifact: Artifact, verify: Callable[[Artifact], Verification]) -> _Begun:
        return _Begun(artifact, self._pool.submit(self._timed, artifact, verify, Stopwatch()))

    def _timed(self, artifact: Artifact, verify: Callable[[Artifact], Verification], queue: Stopwatch) -> Verification:
        if self._collector is None:
            return verify(artifact)
        with self._collector.collecting() as phases:
            timing().add(PhaseKind.QUEUE, artifact.name, queue.started, queue.seconds)
            verification = verify(artifact)
        trace = self._collector.context.trace_id
        return replace(verification, tags=artifact.tags, owner=artifact.owner, phases=tuple(phases), trace_id=trace)

    def _verify_again(self, artifact: Artifact, before: _Begun) -> Verification:
        wait([before.future])  # both would build in the same folders
        verification = self._verify(artifact)
        if before.artifact != artifact or before.future.exception():
            return verification
        return _with_failures(verification, before.future.result())


def _with_failures(verification: Verification, before: Verification) -> Verification:
    """Return `verification` with the failure of the one `before` it: an artifact that passes now is flaky."""
    failed = {build.role: build for build in reversed(before.builds) if build.status is BuildStatus.FAILED}
    builds = tuple(
        replace(
            build,
            attempts=failed[build.role].attempts + build.attempts,
            failed_before=(*failed[build.role].failed_before, failed[build.role].reason, *build.failed_before),
        )
        if build.role in failed
        else build
        for build in verification.builds
    )
    note = f"verified again; the first verdict was {before.verdict.value}: {before.reason}"
    return replace(verification, builds=builds, notes=(*before.notes, note, *verification.notes))
