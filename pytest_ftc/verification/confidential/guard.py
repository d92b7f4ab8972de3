"""Guards the results of builds with secrets: nothing unmasked is stored or shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.builds.inputs.secrets import Secrets
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.model import Action, BuildResult, Difference, Verification
from pytest_ftc.model.protocols import Executor, MayStart, at_once
from pytest_ftc.verification.claims.not_searched import summarize
from pytest_ftc.verification.confidential.leaks import LeakSearch
from pytest_ftc.verification.confidential.mask_record import NOT_SHOWN, mask_build, mask_file, mask_record


class SecretGuard:
    """Searches each build for `secrets` as soon as it has ended, before any of it is compared or stored."""

    def __init__(self, secrets: Secrets, logs: Path | None, diffs: Path | None = None, *, seconds: float = 600) -> None:
        self._secrets = secrets
        self._logs = logs
        self._diffs = diffs
        self._search = LeakSearch(secrets, seconds)
        self._lock = threading.Lock()

    def admit(self, build: BuildResult) -> BuildResult:
        """Search `build`, and return it with its logs masked and moved to the folder for logs."""
        with self._lock:
            self._search.search(build)
            return mask_build(build, self._secrets, self._logs)

    def hides(self, output: str) -> bool:
        """Return whether no value of `output` may be shown."""
        return output in self._search.hidden

    @property
    def leaks(self) -> tuple[str, ...]:
        """The leaks found so far, one sentence each, without the values."""
        return tuple(dict.fromkeys(map(self._secrets.mask, self._search.leaks)))

    def mask_diff(self, difference: Difference) -> Difference:
        """Return `difference` with its diff masked and moved to the folder for diffs."""
        return replace(difference, diff=self._move(Path(difference.diff)) if difference.diff else "")

    def _move(self, diff: Path) -> str:
        folder = self._diffs or diff.parent
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / self._secrets.mask_whole(diff.name)
        return str(target) if mask_file(diff, target, self._secrets) else ""

    def mask(self, verification: Verification) -> Verification:
        """Return `verification` with its leaks, and without the values themselves."""
        masked = mask_record(verification, self._secrets, self._search.hidden)
        left_out = list(dict.fromkeys(map(self._secrets.mask, self._search.not_searched)))
        notes = summarize("not searched for secrets", left_out)
        return replace(masked, leaks=self.leaks, notes=tuple(dict.fromkeys((*masked.notes, *notes))))


class GuardedExecutor:
    """Runs builds with another executor, and passes each result through the guard."""

    def __init__(self, inner: Executor, guard: SecretGuard) -> None:
        self._inner = inner
        self._guard = guard

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`."""
        return self._guard.admit(self._inner.run(action, started, may_start))

    def cancel(self) -> None:
        """See `pytest_ftc.model.protocols.Executor`."""
        self._inner.cancel()


class GuardedComparators(ComparatorChain):
    """Lets `inner` examine only outputs without secrets."""

    def __init__(self, inner: ComparatorChain, guard: SecretGuard) -> None:
        super().__init__()
        self._inner = inner
        self._guard = guard

    def ask(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        """See `ComparatorChain`."""
        return () if self._guard.hides(difference.output) else self._inner.ask(difference, control, experiment)

    def write_diff(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        """See `ComparatorChain`."""
        if self._guard.hides(difference.output):
            return replace(difference, note=NOT_SHOWN)
        return self._guard.mask_diff(self._inner.write_diff(difference, control, experiment))
