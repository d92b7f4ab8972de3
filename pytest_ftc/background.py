"""Verifies artifacts in the background, while ordinary tests run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from pytest_ftc.model import Artifact, Verification

_AT_ONCE = 16
"""Verifications open at once.  Most of their time they wait for the gap between builds or for a free job."""

_PATIENCE = 0.2
"""Seconds."""


class Background:
    """Runs `verify` for artifacts in threads; `cancel` has to make running calls return soon."""

    def __init__(self, verify: Callable[[Artifact], Verification], cancel: Callable[[], None]) -> None:
        self._verify = verify
        self._cancel = cancel
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ftc-verify")
        self._futures: dict[str, Future[Verification]] = {}
        self._lock = threading.Lock()

    def start(self, artifacts: Iterable[Artifact]) -> None:
        """Begin to verify `artifacts`, in their order; those begun already go on."""
        with self._lock:
            for artifact in artifacts:
                if artifact.id not in self._futures:
                    self._futures[artifact.id] = self._pool.submit(self._verify, artifact)

    def result(self, artifact: Artifact) -> Verification:
        """Return the verification of `artifact`, begun now if need be.  Raises what `verify` raises."""
        self.start([artifact])
        future = self._futures[artifact.id]
        # The kernel may hand Ctrl-C to another thread, and then Python heeds it when this one wakes up: see signal(7).
        while not wait([future], timeout=_PATIENCE).done:
            pass
        return future.result()

    def close(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        with self._lock:
            for future in self._futures.values():
                future.cancel()
        self._cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
