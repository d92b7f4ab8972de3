"""What is measured leaves: it is added to the totals, and they are written and pushed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.config.load import Config
from pytest_ftc.config.metrics import MetricsSettings
from pytest_ftc.integrations.metrics.exposition import require_library
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.metrics.pushgateway import Group
from pytest_ftc.integrations.metrics.stored import measure_store
from pytest_ftc.integrations.metrics.textfile import write_textfile
from pytest_ftc.integrations.metrics.totals import Totals
from pytest_ftc.integrations.opentelemetry.metrics import OtlpMetrics
from pytest_ftc.model.errors import ConfigurationError, FtcError, StoreUnavailableError
from pytest_ftc.verification.cache.shared_store import read_headers
from pytest_ftc.verification.user_folders import store_folder

_SHORTEST = 0.1
"""Seconds that a push may take in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The ways out of a project's metrics, and its totals."""

    settings: MetricsSettings
    totals: Totals
    store: Path
    """The folder of the project's store."""
    group: Group | None
    """The project's group in a Pushgateway; None if it has none."""
    otlp: OtlpMetrics | None = None
    """A collector for OpenTelemetry; None if there is none."""

    def leave(self, measured: Measured, end: float) -> str:
        """Add `measured` to the totals, and send them until about `end`, by the monotonic clock.

        Returns why that failed, in one sentence; empty if it did not.
        """
        try:
            self.totals.add(measured)
        except StoreUnavailableError as error:
            # Without the totals, counters would seem to be reset now, and to jump with the next session.
            return "; ".join([f"no totals: {error.message}", *self._send(measured.gauges(), end)])
        return "; ".join(self._send_totals(end))

    def look_at_store(self) -> Measured:
        """Return what the store holds; nothing if it cannot be read."""
        try:
            return measure_store(self.settings.project, self.store)
        except StoreUnavailableError:
            return Measured(self.settings.project)

    def _send_totals(self, end: float) -> list[str]:
        problems: list[str] = []
        try:
            self.totals.hand_out(lambda totals: problems.extend(self._send(totals, end)))
        except StoreUnavailableError as error:
            problems.append(f"no totals: {error.message}")
        return problems

    def _send(self, measured: Measured, end: float) -> list[str]:
        problems: list[str] = []
        textfile, group, otlp = self.settings.textfile, self.group, self.otlp
        if textfile:
            _attempt(lambda: write_textfile(measured, textfile), problems)
        if group:
            _attempt(lambda: group.push(measured, max(_SHORTEST, end - time.monotonic())), problems)
        if otlp:
            _attempt(lambda: otlp.push(measured, max(_SHORTEST, end - time.monotonic())), problems)
        return problems

    def close(self) -> None:
        """End what is open; may be called again."""
        if self.otlp:
            self.otlp.close()


def _attempt(act: Callable[[], None], problems: list[str]) -> None:
    try:
        act()
    except FtcError as error:
        problems.append(error.message)


def open_export(config: Config, otlp: OtlpMetrics | None = None) -> Export:
    """Return the ways out that `config` has, and `otlp`.

    Raises ConfigurationError if prometheus_client or a secret for a header is missing.
    """
    settings = config.metrics or MetricsSettings(project=config.root.absolute().name)
    if config.metrics:
        require_library()
    store = (config.store or store_folder()).absolute()
    return Export(
        settings=settings,
        totals=Totals(settings.project, config.root, store),
        store=store,
        group=_open_group(config, settings),
        otlp=otlp,
    )


def _open_group(config: Config, settings: MetricsSettings) -> Group | None:
    gateway = settings.pushgateway
    if gateway is None:
        return None
    try:
        return Group(gateway, settings.project, read_headers(gateway.headers, config, lambda: False))
    except FtcError as error:
        raise ConfigurationError(f"[tool.ftc.metrics] headers: {error.message}", advice=error.advice) from None
