"""The variations that a machine cannot apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_ftc.model import Machine, NotVaried


def list_missing(reasons: Mapping[str, str | None], machine: Machine) -> Iterator[NotVaried]:
    """Yield the variations that have a reason in `reasons`, with what would allow them on `machine`."""
    for name, reason in reasons.items():
        if reason is not None:
            yield NotVaried(variation=name, reason=reason, allow=machine.find_permission(reason))
