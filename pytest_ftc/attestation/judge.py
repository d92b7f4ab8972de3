"""Whether the attestations of an artifact satisfy a policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from pytest_ftc.attestation.evidence import Evidence
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.attestation.parity import builder_of, is_logged, read_parity
from pytest_ftc.attestation.policy import Policy
from pytest_ftc.attestation.provenance import PROVENANCE_TYPE
from pytest_ftc.attestation.statement import Statement
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model import Verdict

_ANOTHER_MACHINE = "machine"
"""The variation that one machine cannot vary."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What distinguishes a public key from others."""

    material: bytes
    """Digest of the key itself, regardless of its name or ID."""
    scheme: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement, and the trusted keys that signed it."""

    source: str
    """Where it was read, for messages."""
    statement: Statement
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether an artifact is accepted, and why not."""

    problems: tuple[str, ...]
    """One sentence for each requirement that is not met; empty if it is accepted."""
    keys: int = 0
    operators: int = 0
    builders: int = 0
    builds: int = 0
    machines: int = 0
    negative: tuple[Evidence, ...] = ()
    """The negative attestations about it."""

    @property
    def accepted(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class _Claim:
    """An attribute report about the artifact."""

    is_logged: bool
    evidence: Evidence
    builder: str
    keys: tuple[PublicKey, ...]


def judge(
    sha256: str, signed: Sequence[Signed], policy: Policy, facts: Callable[[PublicKey], KeyFacts], now: datetime
) -> Judgement:
    """Return whether the artifact with this digest is accepted at the time `now`.

    A key counts once, under whatever names; so does an operator, and a builder with its largest number of builds.
    Raises DocumentError when a signed statement about the artifact is malformed.
    """
    about = [one for one in signed if one.keys and one.statement.is_about(sha256)]
    if not about:
        return Judgement(problems=("no attestation that a trusted key has signed is about it",))
    claims = [claim for one in about if (claim := _read_claim(one))]
    negative = tuple(one.evidence for one in claims if one.evidence.verdict is Verdict.UNREPRODUCIBLE)
    counted = [one for one in claims if _counts(one, policy, facts)]
    signers = [key for claim in counted for key in claim.keys]
    builds, machines = _most(counted, "builds"), _most(counted, "machines")
    found = Judgement(
        problems=(),
        keys=len({facts(key).material for key in signers}),
        operators=len({key.operator for key in signers}),
        builders=len({claim.builder for claim in counted}),
        builds=sum(builds.values()),
        machines=sum(machines.values()),
        negative=negative,
    )
    against = [_describe_negative(one) for one in negative if policy.refuses_negative]
    problems = against or [*_compare(found, policy), *_check_provenance(about, policy, now)]
    if problems and len(counted) < len(claims) - len(negative):
        problems.append(_describe_uncounted(claims, policy, facts))
    return Judgement(
        problems=tuple(problems),
        keys=found.keys,
        operators=found.operators,
        builders=found.builders,
        builds=found.builds,
        machines=found.machines,
        negative=negative,
    )


def _read_claim(signed: Signed) -> _Claim | None:
    builder = builder_of(signed.statement)
    # A key speaks only for the builders that the policy says.
    keys = tuple(key for key in signed.keys if not key.builders or builder in key.builders)
    try:
        evidence = read_parity(signed.statement)
        logged = evidence is not None and is_logged(signed.statement)
    except DocumentError as error:
        raise DocumentError(f"{signed.source}: {error}") from None
    return _Claim(logged, evidence, builder, keys) if evidence and keys else None


def _counts(claim: _Claim, policy: Policy, facts: Callable[[PublicKey], KeyFacts]) -> bool:
    required = set(policy.varied) - {_ANOTHER_MACHINE}
    return (
        claim.evidence.verdict is Verdict.REPRODUCIBLE
        and required <= set(claim.evidence.varied)
        and (claim.is_logged or not policy.log)
        and set(policy.schemes) <= {facts(key).scheme for key in claim.keys}
    )


def _most(claims: Sequence[_Claim], name: str) -> dict[str, int]:
    """Return the largest number of each builder: its statements may be about the same builds."""
    most: dict[str, int] = {}
    for claim in claims:
        most[claim.builder] = max(most.get(claim.builder, 0), getattr(claim.evidence, name))
    return most


def _compare(found: Judgement, policy: Policy) -> list[str]:
    machines = max(policy.machines, 2 if _ANOTHER_MACHINE in policy.varied else 1)
    numbers: Mapping[str, tuple[int, int]] = {
        "distinct keys": (found.keys, policy.keys),
        "operators": (found.operators, policy.operators),
        "builders": (found.builders, policy.builders),
        "builds that agree": (found.builds, policy.builds),
        "machines": (found.machines, machines),
    }
    return [f"{name}: found {has}, required {needs}" for name, (has, needs) in numbers.items() if has < needs]


def _check_provenance(about: Sequence[Signed], policy: Policy, now: datetime) -> list[str]:
    if not (policy.provenance or policy.max_age):
        return []
    finished = [_finished_on(one.statement) for one in about if one.statement.predicate_type == PROVENANCE_TYPE]
    if not finished:
        return ["no signed provenance"]
    newest = max((one for one in finished if one), default=None)
    if policy.max_age is None:
        return []
    if newest is None:
        return ["the signed provenance does not say when the build ended"]
    if newest > now:
        return [f"the signed provenance is of the future: {newest:%Y-%m-%d}"]
    return [f"the newest signed provenance is of {newest:%Y-%m-%d}: too old"] if now - newest > policy.max_age else []


def _finished_on(statement: Statement) -> datetime | None:
    value: Any = statement.predicate
    for name in ("runDetails", "metadata", "finishedOn"):
        value = value.get(name) if isinstance(value, Mapping) else None
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        return None


def _describe_negative(evidence: Evidence) -> str:
    causes = dict.fromkeys(str(one.get("cause", "unknown")) for one in evidence.findings)
    return f"attested as not reproducible, cause: {', '.join(causes) or 'unknown'}"


def _describe_uncounted(claims: Sequence[_Claim], policy: Policy, facts: Callable[[PublicKey], KeyFacts]) -> str:
    missing: dict[str, None] = {}
    for claim in claims:
        if claim.evidence.verdict is Verdict.REPRODUCIBLE and not _counts(claim, policy, facts):
            missing.update(dict.fromkeys(sorted(set(policy.varied) - {_ANOTHER_MACHINE} - set(claim.evidence.varied))))
            if policy.log and not claim.is_logged:
                missing["a proof that the verdict is in a log"] = None
            schemes = {facts(key).scheme for key in claim.keys}
            missing.update(dict.fromkeys(f"a signature by {one}" for one in policy.schemes if one not in schemes))
    return f"attestations that lack something were not counted: {', '.join(missing)}"
