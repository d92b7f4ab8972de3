"""Whether the reports of all jobs of a matrix have, together, every artifact once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftc.model.artifact import is_declared
from pytest_ftc.model.support.serialization import from_json
from pytest_ftc.reporting.seal import DIGEST, digest
from pytest_ftc.verification.sharding.split import Part


@dataclass(frozen=True, slots=True)
class ShardReport:
    """The report of one job."""

    name: str
    """The file that it is in."""
    document: Mapping[str, Any]
    part: Part
    left_out: frozenset[str]
    """The IDs of what is not in the job's sample."""


@dataclass(frozen=True, slots=True)
class Together:
    """What the reports of jobs have together."""

    problems: tuple[str, ...]
    """What is missing, one sentence each."""
    total: int
    """How many artifacts there are."""
    verdicts: Mapping[str, int]
    """How many artifacts have each verdict."""


def read_shard_report(name: str, document: Mapping[str, Any]) -> ShardReport | str:
    """Return the report `document`, or why it is not that of one part.

    Raises LookupError, TypeError, ValueError and AttributeError where it is no report at all.
    """
    if document.get(DIGEST) != digest(document):
        return f"{name} was changed: its digest does not match its contents"
    shard = document["session"].get("shard")
    if shard is None:
        return f"{name} is not the report of a shard"
    own = {key: value for key, value in shard.items() if key != "left_out"}
    return ShardReport(name, document, from_json(Part, own), frozenset(shard["left_out"]))


def put_together(reports: Sequence[ShardReport]) -> Together:
    """Return what `reports` have together."""
    verdicts = Counter(artifact["verdict"] for report in reports for artifact in report.document["artifacts"])
    total = reports[0].part.total if reports else 0
    return Together(tuple(_find_problems(reports)), total, dict(sorted(verdicts.items())))


def _find_problems(reports: Sequence[ShardReport]) -> Iterator[str]:
    if not reports:
        return
    first = reports[0]
    for report in reports[1:]:
        yield from _compare(first, report)
    places = Counter(report.part.number for report in reports)
    for number in range(1, first.part.count + 1):
        if not places[number]:
            yield f"shard {number} of {first.part.count} has no report"
        elif places[number] > 1:
            names = ", ".join(report.name for report in reports if report.part.number == number)
            yield f"shard {number} of {first.part.count} has {places[number]} reports: {names}"
    for report in reports:
        verified = {artifact["id"] for artifact in report.document["artifacts"]}
        for one in report.part.artifacts:
            # A test may be skipped, and so verify nothing.
            if is_declared(one) and one not in verified and one not in report.left_out:
                yield f"{one} has no verdict in {report.name}"


def _compare(first: ShardReport, other: ShardReport) -> Iterator[str]:
    """Yield why two reports do not belong to one division."""
    for what, one, another in (
        ("number of shards", first.part.count, other.part.count),
        ("commit", _commit(first), _commit(other)),
        ("division of the artifacts", first.part.split, other.part.split),
    ):
        if one != another:
            yield f"{other.name} has another {what} than {first.name}"


def _commit(report: ShardReport) -> str:
    return str(report.document["session"].get("source", {}).get("commit", ""))
