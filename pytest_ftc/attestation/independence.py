"""Whether two builders are two machines, as far as their provenance tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ftc.attestation.provenance import BOOT, PROVENANCE_TYPE
from pytest_ftc.attestation.statement import Statement


def hosts_of(statement: Statement) -> frozenset[str]:
    """Return what identifies the machine of provenance by pytest-ftc: its own digest, and that of the running kernel.

    Two statements with one in common are of one machine.  Empty where it is unknown.
    """
    if statement.predicate_type != PROVENANCE_TYPE:
        return frozenset()
    machine = look_up(statement.predicate, "buildDefinition", "internalParameters", "machine")
    byproducts = look_up(statement.predicate, "runDetails", "byproducts")
    listed = byproducts if isinstance(byproducts, list) else []
    boots = [look_up(one, "digest", "sha256") for one in listed if look_up(one, "name") == BOOT]
    return frozenset(one for one in (machine, *boots) if isinstance(one, str) and one)


def count_machines(machines: Mapping[str, int], hosts: Mapping[str, frozenset[str]]) -> int:
    """Return the number of machines of builders that had so many `machines` each; those on one host share it."""
    groups: list[tuple[set[str], int]] = []
    for builder, count in machines.items():
        ids = set(hosts.get(builder, ()))
        shared = [group for group in groups if not ids.isdisjoint(group[0])]
        groups = [group for group in groups if group not in shared]
        groups.append((ids.union(*(one for one, _ in shared)), max([count, *(number for _, number in shared)])))
    return sum(count for _, count in groups)


def look_up(value: Any, *names: str) -> Any:
    """Return what is below `names` in nested objects; None where there is nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
