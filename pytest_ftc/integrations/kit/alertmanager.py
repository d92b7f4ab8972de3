"""The configuration of Alertmanager: who is told of which alert, and which alerts make others pointless."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.integrations.kit.alerts import PAGE, TICKET
from pytest_ftc.integrations.kit.durations import divide
from pytest_ftc.integrations.kit.yaml_text import Node, render_yaml

_OF_STORE = "FtcCacheHitRateFalls|FtcCacheEvicts|FtcBreakerOpen|FtcPermissionErrors|FtcCostHigh"
"""What a store that cannot be used brings about."""
_MAINTENANCE = "maintenance"
_SHORTEST = 1.0
"""Seconds that an exercise waits at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A time of each week in which nobody is told of tickets."""

    weekday: str
    """Such as ``sunday``."""
    begins: str
    """Such as ``02:00``, in UTC."""
    ends: str


def render_alertmanager(
    page_url: str, ticket_url: str, maintenance: Maintenance | None = None, *, haste: float = 1.0
) -> str:
    """Return the configuration as YAML.  Pages are posted to the webhook `page_url`, and tickets to `ticket_url`.

    With `haste`, waits are divided by that, down to a second, for an exercise.
    """
    return render_yaml(
        {
            "route": _route(maintenance, haste),
            "inhibit_rules": _inhibitions(),
            **({"time_intervals": [_interval(maintenance)]} if maintenance else {}),
            "receivers": [_receiver(PAGE, page_url), _receiver(TICKET, ticket_url)],
        }
    )


def _route(maintenance: Maintenance | None, haste: float) -> Node:
    muted: dict[str, Node] = {"mute_time_intervals": [_MAINTENANCE]} if maintenance else {}

    def wait(duration: str) -> str:
        return divide(duration, haste, _SHORTEST)

    return {
        "receiver": TICKET,
        # One message for all artifacts of a project that have the same problem.
        "group_by": ["alertname", "project"],
        "group_wait": wait("30s"),
        "group_interval": wait("5m"),
        "repeat_interval": wait("4h"),
        "routes": [
            {
                "matchers": [f'severity = "{PAGE}"'],
                "receiver": PAGE,
                "group_wait": wait("10s"),
                "repeat_interval": wait("1h"),
            },
            {
                "matchers": [f'severity = "{TICKET}"'],
                "receiver": TICKET,
                "group_by": ["project"],
                "repeat_interval": wait("3d"),
                **muted,
            },
        ],
    }


def _inhibitions() -> list[Node]:
    return [
        {
            "source_matchers": [f'severity = "{PAGE}"'],
            "target_matchers": [f'severity = "{TICKET}"'],
            "equal": ["project"],
        },
        {
            "source_matchers": ['alertname = "FtcStoreOutage"'],
            "target_matchers": [f'alertname =~ "{_OF_STORE}"'],
            "equal": ["project"],
        },
    ]


def _interval(maintenance: Maintenance) -> Node:
    times: Node = {"start_time": maintenance.begins, "end_time": maintenance.ends}
    return {
        "name": _MAINTENANCE,
        "time_intervals": [{"weekdays": [maintenance.weekday], "times": [times]}],
    }


def _receiver(name: str, url: str) -> Node:
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": True}]}
