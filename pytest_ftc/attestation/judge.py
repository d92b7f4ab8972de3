"""Whether the attestations of an artifact satisfy a policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from itertools import combinations

from pytest_ftc.attestation.evidence import Evidence
from pytest_ftc.attestation.independence import count_machines, hosts_of, look_up
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.attestation.others.link import LINK_TYPE
from pytest_ftc.attestation.others.rebuilds import find_missing, is_provenance, read_rebuild
from pytest_ftc.attestation.parity import builder_of, is_logged, read_parity
from pytest_ftc.attestation.policy import Policy
from pytest_ftc.attestation.provenance import PROVENANCE_TYPE
from pytest_ftc.attestation.sbom.statement import is_sbom
from pytest_ftc.attestation.statement import Statement
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model import Verdict
from pytest_ftc.model.support.suggestion import suggest

_ANOTHER_MACHINE = "machine"
"""The variation that one machine cannot vary."""
_MOST_VARIATIONS = 200
"""Of an attestation in which a similar name is looked for."""
_FRACTION = re.compile(r"\.[0-9]+Z$")


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
    sha256: str = ""
    """Of the file that it was read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether an artifact is accepted, and why not."""

    problems: tuple[str, ...]
    """One sentence for each requirement that is not met; empty if it is accepted."""
    sha256: str = ""
    """Of the artifact."""
    keys: int = 0
    operators: int = 0
    builders: int = 0
    builds: int = 0
    machines: int = 0
    negative: tuple[Evidence, ...] = ()
    """The negative attestations about it."""
    is_reproduced: bool = False
    """Whether builders of two operators at least, with provenance of each, have built these bytes."""
    attestations: tuple[Signed, ...] = ()
    """All signed statements about it, each by keys that may speak for their builder."""

    @property
    def accepted(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class _Claim:
    """An attribute report about the artifact, or a build of it that others attest."""

    evidence: Evidence
    is_logged: bool
    builder: str
    keys: tuple[PublicKey, ...]
    is_verdict: bool = True
    """Whether it names the variations that were active."""


def judge(
    sha256: str, signed: Sequence[Signed], policy: Policy, facts: Callable[[PublicKey], KeyFacts], now: datetime
) -> Judgement:
    """Return whether the artifact with this digest is accepted at the time `now`.

    A key counts once, under whatever names; so does an operator, and a builder with its largest number of builds.
    A key stands for one builder, however many its statements name.  What others attest is one build at their builder.
    Raises DocumentError when a signed statement about the artifact is malformed.
    """
    about = [part for one in signed if one.statement.is_about(sha256) for part in _split_by_builder(one)]
    if not about:
        return Judgement(problems=("no attestation that a trusted key has signed is about it",), sha256=sha256)
    claims = [claim for one in about if (claim := _read_claim(one))]
    negative = tuple(one.evidence for one in claims if one.evidence.verdict is Verdict.UNREPRODUCIBLE)
    positive = [one for one in claims if one.evidence.verdict is Verdict.REPRODUCIBLE]
    counted = [one for one in positive if not _find_lacking(one, policy, facts)]
    found = replace(_count(counted, about, facts), negative=negative, attestations=tuple(one for one, _ in about))
    against = [_describe_negative(one) for one in negative if policy.refuses_negative]
    problems = against or [
        *_compare(found, policy),
        *_check_varied(counted, policy),
        *_check_provenance([one for one, _ in about], policy, now),
        *_check_sbom([one for one in signed if one.statement.is_about(sha256)], policy, facts),
    ]
    lacking = dict.fromkeys(what for one in positive for what in _find_lacking(one, policy, facts))
    lacking |= dict.fromkeys(filter(None, (find_missing(one.statement) for one, _ in about)))
    if problems and lacking:
        problems.append(f"attestations that lack something were not counted: {', '.join(lacking)}")
    return replace(found, problems=tuple(problems), sha256=sha256)


def _split_by_builder(signed: Signed) -> Iterator[tuple[Signed, str]]:
    """Yield `signed` with the keys that may speak for the builder that it is about, and that builder.

    A link names none: it is about the one builder that `builders` of its key names.
    """
    named = builder_of(signed.statement)
    is_link = signed.statement.predicate_type == LINK_TYPE
    speaking: dict[str, list[PublicKey]] = {}
    for key in signed.keys:
        builder = key.builders[0] if is_link and len(key.builders) == 1 else named
        if not key.builders or builder in key.builders:
            speaking.setdefault(builder, []).append(key)
    for builder, keys in speaking.items():
        yield replace(signed, keys=tuple(keys)), builder


def _read_claim(about: tuple[Signed, str]) -> _Claim | None:
    signed, builder = about
    try:
        evidence = read_parity(signed.statement)
        logged = evidence is not None and is_logged(signed.statement)
    except DocumentError as error:
        raise DocumentError(f"{signed.source}: {error}") from None
    if evidence:
        return _Claim(evidence, logged, builder, signed.keys)
    rebuild = read_rebuild(signed.statement)
    return _Claim(rebuild, False, builder, signed.keys, is_verdict=False) if rebuild else None


def _find_lacking(claim: _Claim, policy: Policy, facts: Callable[[PublicKey], KeyFacts]) -> list[str]:
    """Return what a positive claim lacks to be counted."""
    evidence = claim.evidence
    varied = {*policy.varied} - {_ANOTHER_MACHINE} - {*evidence.varied} if claim.is_verdict else ()
    schemes = {facts(key).scheme for key in claim.keys}
    return [
        *(["a builder, which `builders` of the key names"] if not (claim.builder or claim.is_verdict) else []),
        *(f"{one}{_suggest(one, evidence)}" for one in sorted(varied)),
        *(["a proof that the verdict is in a log"] if policy.log and not claim.is_logged else []),
        *(f"a signature by {one}" for one in policy.schemes if one not in schemes),
    ]


def _suggest(variation: str, evidence: Evidence) -> str:
    """Return a hint where a policy requires a `variation` that the attestation does not know at all."""
    known = {*evidence.varied, *evidence.not_varied}
    near = None if variation in known or len(known) > _MOST_VARIATIONS else suggest(variation, known)
    return f" (did you mean {near!r}?)" if near else ""


def _count(
    claims: Sequence[_Claim], about: Sequence[tuple[Signed, str]], facts: Callable[[PublicKey], KeyFacts]
) -> Judgement:
    builders: dict[bytes, str] = {}
    # Of a key that attests verdicts and builds of several builders, the verdicts count.
    for claim in sorted(claims, key=lambda one: not one.is_verdict):
        for key in claim.keys:
            builders.setdefault(facts(key).material, claim.builder)
    counted = {builder: [one.evidence for one in claims if one.builder == builder] for builder in builders.values()}
    return Judgement(
        problems=(),
        keys=len(builders),
        operators=_count_operators(claims, facts),
        builders=len(counted),
        # The statements of one builder may be about the same builds.
        builds=sum(max(one.builds for one in evidence) for evidence in counted.values()),
        machines=count_machines(
            {builder: max(one.machines for one in evidence) for builder, evidence in counted.items()},
            _find_hosts(about),
        ),
        is_reproduced=_is_reproduced(builders, about, facts),
    )


def _count_operators(claims: Sequence[_Claim], facts: Callable[[PublicKey], KeyFacts]) -> int:
    """Return the number of operators; those who hold one key, under whatever names, are one."""
    held: dict[str, frozenset[str]] = {}
    for key in (key for claim in claims for key in claim.keys):
        held[key.operator] = held.get(key.operator, frozenset()) | {facts(key).material.hex()}
    return count_machines(dict.fromkeys(held, 1), held)


def _is_reproduced(
    builders: Mapping[bytes, str], about: Sequence[tuple[Signed, str]], facts: Callable[[PublicKey], KeyFacts]
) -> bool:
    """Return whether two of the counted `builders` have provenance, by keys of different operators.

    That is what SLSA asks of a reproduced artifact: https://slsa.dev/spec/v1.2/verified-properties.  Two builders on
    one machine are not independent.
    """
    hosts = _find_hosts(about)
    proved = {
        (builder, key.operator, facts(key).material)
        for signed, builder in about
        if is_provenance(signed.statement)
        for key in signed.keys
        if builder and builders.get(facts(key).material) == builder
    }
    return any(
        all(a != b for a, b in zip(one, other, strict=True)) and hosts[one[0]].isdisjoint(hosts[other[0]])
        for one, other in combinations(proved, 2)
    )


def _find_hosts(about: Sequence[tuple[Signed, str]]) -> dict[str, frozenset[str]]:
    """Return what identifies the machines of each builder, as far as its provenance tells."""
    hosts: dict[str, frozenset[str]] = {}
    for signed, builder in about:
        hosts[builder] = hosts.get(builder, frozenset()) | hosts_of(signed.statement)
    return hosts


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


def _check_varied(counted: Sequence[_Claim], policy: Policy) -> list[str]:
    """Return a problem where builds of others alone are counted: they do not say what was varied."""
    wanted = [one for one in policy.varied if one != _ANOTHER_MACHINE]
    if not wanted or any(one.is_verdict for one in counted):
        return []
    return [f"variations: found none that are attested, required {', '.join(wanted)}"]


def _check_sbom(about: Sequence[Signed], policy: Policy, facts: Callable[[PublicKey], KeyFacts]) -> list[str]:
    """Return what is missing: an SBOM by keys of all kinds that are required.  An SBOM speaks for no builder."""
    found = [{facts(key).scheme for key in one.keys} for one in about if one.keys and is_sbom(one.statement)]
    return [] if not policy.sbom or any(one >= set(policy.schemes) for one in found) else ["no signed SBOM"]


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
    value = look_up(statement.predicate, "runDetails", "metadata", "finishedOn")
    try:
        # Others write fractions of a second as well (RFC 3339).
        return datetime.strptime(_FRACTION.sub("Z", value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        return None


def _describe_negative(evidence: Evidence) -> str:
    causes = dict.fromkeys(str(one.get("cause", "unknown")) for one in evidence.findings)
    return f"attested as not reproducible, cause: {', '.join(causes) or 'unknown'}"
