"""Tests plugins' variations one by one, because each may change any field of an environment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pytest_ftc.model import Environment, Machine
from pytest_ftc.model.protocols import Executor, Variation
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.verification.self_test.probe import Seen, look, plan_look

_SEEN_AS = {
    "clock_shift": "time",
    "file_order": "fileordering",
    "source_mtime_shift": "source_mtime",
    "source_umask": "source_mode",
    "identity": "user_group",
    "host": "domain_host",
    "cpus": "num_cpus",
    "randomised_addresses": "aslr",
    "first_pid": "pid",
}
"""Fields of the environment that have another name in the probe's output."""
_NEAR = 60
"""Most seconds between the clocks of two builds that start together."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Replaces a variation that fails."""

    name: str
    mechanism: str
    reason: str

    def unavailable(self, machine: Machine) -> str | None:
        return self.reason

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return environment

    def describe(self, environment: Environment) -> str:
        return ""


def try_effect(variation: Variation, machine: Machine) -> str | Broken:
    """Return a digest of the effect of `variation` on an environment; empty if the `machine` does not support it.

    For a variation that fails or breaks its contract, return a replacement.
    """
    try:
        return _describe_effect(variation, machine)
    except Exception as error:
        problem = f"{type(variation).__name__} failed: {type(error).__name__}: {shorten(str(error))}"
        return Broken(variation.name, variation.mechanism, problem)


def _describe_effect(variation: Variation, machine: Machine) -> str:
    reason: Any = variation.unavailable(machine)
    if reason is not None and not isinstance(reason, str):
        raise TypeError(f"unavailable() returned {reason!r}; expected text or None")
    if reason:
        return ""
    # Always the same folder, so that the digest depends only on the variation.
    plan = plan_look("self-test", replace(machine, work_dir=""), [variation], Path("/self-test"))
    if not plan.varied:
        raise ValueError("vary() changes nothing")
    for action in plan.actions:
        described: Any = action.described[variation.name]
        if not isinstance(described, str):
            raise TypeError(f"describe() returned {described!r}; expected text")
    environments = [to_json(action.environment) for action in plan.actions]
    return hashlib.sha256(json.dumps(environments, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()


def why_unseen(executor: Executor, machine: Machine, variation: Variation, folder: Path) -> str:
    """Return the part of the effect of `variation` that a program does not see; empty if it sees all.

    `folder` is for temporary files.
    """
    plan = plan_look(f"self-test-of-{variation.name}", machine, [variation], folder)
    if not plan.varied:
        return ""  # the plan of every artifact gives the reason
    seen = look(executor, plan)
    if isinstance(seen, str):
        return seen
    control, experiment = (action.environment for action in plan.actions)
    problems = [*seen.not_applied.values(), *_unseen(control, experiment, seen)]
    return "; ".join(problems)


def _unseen(control: Environment, experiment: Environment, seen: Seen) -> Iterator[str]:
    for field in fields(Environment):
        one, other = getattr(control, field.name), getattr(experiment, field.name)
        if field.name == "variables":
            yield from _unseen_variables(one, other, seen)
        elif one != other and not _is_seen(field.name, one, other, seen):
            value = shorten(str(seen.control.get(_name(field.name))), 80)
            yield f"the self-test saw {value!r} for {field.name} in both environments"


def _unseen_variables(one: Mapping[str, str], other: Mapping[str, str], seen: Seen) -> Iterator[str]:
    for name in dict.fromkeys((*one, *other)):
        if one.get(name) != other.get(name):
            found = seen.experiment["variables"].get(name)
            if found != other.get(name):
                yield f"the self-test saw {name}={shorten(str(found), 80)!r}, not the value of the variation"


def _is_seen(field: str, one: Any, other: Any, seen: Seen) -> bool:
    before, after = seen.control.get(_name(field)), seen.experiment.get(_name(field))
    if field == "clock_shift" and before and after:
        moved = other - one
        return abs(moved) > 2 * _NEAR and all(abs(b - a - moved) < _NEAR for a, b in zip(before, after, strict=True))
    return bool(before != after)


def _name(field: str) -> str:
    return _SEEN_AS.get(field, field)
