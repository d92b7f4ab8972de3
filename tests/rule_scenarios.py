"""For each alert a course of events, by which it has to fire and to clear, as promtool simulates it.

Values are in the notation of https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/, one a
`step`: ``0+0x60`` is 0 sixty times (``0x60`` would be a hexadecimal number), and ``1+2x3`` begins at 1 and grows by 2
three times.  A session pushes once, so that values are steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_P = 'project="lib"'
_HERE = f'{_P},instance="ci"'
_HOUR = 60
_LONG = 30
_DAY = 24 * 60 // _LONG
"""In long steps."""


@dataclass(frozen=True)
class Scenario:
    """What happens, in steps."""

    series: Mapping[str, str]
    quiet: int
    """When the alert does not fire yet."""
    fires: int
    clears: int
    step: int = 1
    """Minutes: what takes days has long ones."""


def _builds(outcome: str) -> str:
    return f'ftc_builds_total{{{_HERE},role="control",outcome="{outcome}"}}'


def _verdicts(verdict: str) -> str:
    return f'ftc_verdicts_total{{{_HERE},artifact="a",cached="false",verdict="{verdict}"}}'


SCENARIOS: Mapping[str, Scenario] = {
    "FtcStoreOutage": Scenario({f"ftc_store_up{{{_HERE}}}": "1x10 0+0x30 1x60"}, quiet=10, fires=20, clears=45),
    # Two documents wait after a session, until the next one or a flush has signed them.
    "FtcSigningKeyFailure": Scenario(
        {
            f"ftc_signing_queue_length{{{_HERE}}}": "0+0x10 2x200 0+0x200",
            f'ftc_signings_total{{{_HERE},outcome="failed"}}': "0+0x10 2x400",
        },
        quiet=10,
        fires=190,
        clears=230,
    ),
    # It was killed at minute 10: nothing moves any more, until the next session begins.
    "FtcSchedulerStuck": Scenario(
        {
            f"ftc_session_active{{{_HERE}}}": "1x120",
            f"ftc_session_progress_timestamp_seconds{{{_HERE}}}": "0+60x10 600x69 4800+60x60",
            f"ftc_build_timeout_seconds{{{_HERE}}}": "600x120",
        },
        quiet=35,
        fires=50,
        clears=90,
    ),
    "FtcMismatchInCriticalArtifact": Scenario(
        {
            f'ftc_artifact_reproducible{{{_HERE},artifact="a"}}': "1x10 0+0x10 1x10",
            f'ftc_artifact_critical{{{_HERE},artifact="a"}}': "1x40",
            f'ftc_artifact_reproducible{{{_HERE},artifact="b"}}': "0+0x40",
            f'ftc_artifact_critical{{{_HERE},artifact="b"}}': "0+0x40",
        },
        quiet=10,
        fires=12,
        clears=25,
    ),
    # A session every ten minutes; for half an hour, one control build in ten fails.
    "FtcBuildSuccessBurnsFast": Scenario(
        {_builds("ok"): "0+10x300", _builds("failed"): "0+0x120 0+3x30 90x500"}, quiet=120, fires=149, clears=260
    ),
    "FtcBuildSuccessBurnsSlowly": Scenario(
        {_builds("ok"): "0+300x500", _builds("failed"): f"0+0x{_DAY} 0+3x{3 * _DAY} {9 * _DAY}x300"},
        quiet=_DAY,
        fires=3 * _DAY,
        clears=5 * _DAY,
        step=_LONG,
    ),
    "FtcReproducibleShareBurnsFast": Scenario(
        {_verdicts("reproducible"): "0+10x300", _verdicts("unreproducible"): "0+0x120 0+1x30 30x500"},
        quiet=120,
        fires=149,
        clears=260,
    ),
    "FtcReproducibleShareBurnsSlowly": Scenario(
        {
            _verdicts("reproducible"): "0+300x500",
            _verdicts("unreproducible"): f"0+0x{_DAY} 0+1x{3 * _DAY} {3 * _DAY}x300",
        },
        quiet=_DAY,
        fires=2 * _DAY,
        clears=5 * _DAY,
        step=_LONG,
    ),
    "FtcBuildsRetried": Scenario(
        {
            f"ftc_build_attempts_total{{{_HERE}}}": "0+10x500",
            f'ftc_build_retries_total{{{_HERE},reason="killed"}}': f"0+0x{_DAY} 0+2x{_DAY} {2 * _DAY}x{5 * _DAY}",
        },
        quiet=_DAY,
        fires=2 * _DAY,
        clears=3 * _DAY + 4,
        step=_LONG,
    ),
    "FtcCacheHitRateFalls": Scenario(
        {
            f'ftc_cache_hits_total{{{_HERE},tier="local"}}': f"0+10x{3 * _DAY} {30 * _DAY}x{2 * _DAY} {30 * _DAY}+10x{3 * _DAY}",
            f'ftc_cache_misses_total{{{_HERE},tier="local"}}': f"0+0x{3 * _DAY} 0+10x{2 * _DAY} {20 * _DAY}x{3 * _DAY}",
        },
        quiet=3 * _DAY,
        fires=4 * _DAY,
        clears=7 * _DAY,
        step=_LONG,
    ),
    "FtcCacheCorrupt": Scenario(
        {f'ftc_cache_corrupt{{{_HERE},tier="local"}}': f"1x{2 * _DAY} 3x{3 * _DAY}"},
        quiet=2 * _DAY,
        fires=2 * _DAY + 2,
        clears=3 * _DAY + 4,
        step=_LONG,
    ),
    "FtcCacheEvicts": Scenario(
        {
            f'ftc_cache_evictions_total{{{_HERE},tier="local"}}': f"5x{_DAY} 100x{3 * _DAY}",
            f'ftc_cache_entries{{{_HERE},tier="local"}}': f"100x{5 * _DAY}",
        },
        quiet=_DAY,
        fires=_DAY + 6,
        clears=2 * _DAY + 4,
        step=_LONG,
    ),
    # The counter is not there before the first failure.
    "FtcRegistryFailures": Scenario(
        {f'ftc_registry_operations_total{{{_HERE},operation="push",outcome="failed"}}': "_x30 1x500"},
        quiet=29,
        fires=40,
        clears=40 + 6 * _HOUR,
    ),
    "FtcBreakerOpen": Scenario(
        {f'ftc_breaker_open{{{_HERE},service="registry"}}': "0+0x10 1x30 0+0x30"}, quiet=10, fires=30, clears=50
    ),
    "FtcPermissionErrors": Scenario(
        {f'ftc_permission_errors_total{{{_HERE},service="store"}}': "0+0x30 2x500"},
        quiet=30,
        fires=40,
        clears=40 + 6 * _HOUR,
    ),
    # From the fourth day, a build takes 30 s instead of 10 s; a week later that is usual.
    "FtcBuildsSlower": Scenario(
        {
            f'ftc_build_seconds_count{{{_HERE},artifact="a"}}': f"0+1x{12 * _DAY}",
            f'ftc_build_seconds_sum{{{_HERE},artifact="a"}}': f"0+10x{3 * _DAY} {30 * _DAY}+30x{9 * _DAY}",
        },
        quiet=3 * _DAY,
        fires=4 * _DAY + 2,
        clears=10 * _DAY,
        step=_LONG,
    ),
    "FtcArtifactUnverified": Scenario(
        {f'ftc_artifact_verified_timestamp_seconds{{{_HERE},artifact="a"}}': f"0+0x{32 * _DAY} {32 * 86400}x{_DAY}"},
        quiet=29 * _DAY,
        fires=31 * _DAY,
        clears=32 * _DAY + 4,
        step=_LONG,
    ),
    "FtcSecretLeak": Scenario(
        {f'ftc_artifact_secret_leaks{{{_HERE},artifact="a"}}': "0+0x10 2x10 0+0x10"}, quiet=10, fires=15, clears=25
    ),
    "FtcCostHigh": Scenario(
        {
            f'ftc_verification_cost_total{{{_HERE},artifact="a",currency="EUR"}}': f"0+0x{_DAY} 0+1x{_DAY} {_DAY}x{3 * _DAY}"
        },
        quiet=_DAY,
        fires=2 * _DAY,
        clears=3 * _DAY + 4,
        step=_LONG,
    ),
}
