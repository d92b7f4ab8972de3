"""Which workers of a farm builds are given to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.model import Replica


@dataclass(frozen=True, slots=True)
class Workers:
    """The platform properties that workers must have."""

    properties: Mapping[str, str] = field(default_factory=dict)
    replicas: Mapping[Replica, Mapping[str, str]] = field(default_factory=dict)
    """Further ones by the kind of worker; empty if all are alike."""

    def properties_for(self, replica: Replica | None) -> Mapping[str, str]:
        """Return the properties of the workers of one kind, None for any."""
        return {**self.properties, **(self.replicas.get(replica, {}) if replica else {})}
