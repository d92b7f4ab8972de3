"""How good diagnoses are: pure scoring of a report's artifacts against labelled cases."""

from __future__ import annotations

import posixpath
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus import Case

_COMPILERS = frozenset({"as", "cc", "cc1", "c++", "collect2", "g++", "gcc", "ld"})
"""What one call of the compiler runs; which of them wrote the file is its own affair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of one case; None where a question does not arise."""

    case: Case
    verdict: str
    cause: str | None = None
    """Of the first finding."""
    right: bool | None = None
    """Whether that is one of the expected causes."""
    recall: float | None = None
    """Share of the expected causes that some finding names."""
    told: tuple[str, ...] = ()
    """The causes of all findings, each once."""
    confirmed: bool | None = None
    proved: bool | None = None
    """Whether a remedy was proved; asked where a setting exists."""
    culprit: bool | None = None
    """Whether the command named is right; asked where a command wrote the output."""
    named: str = ""
    """The command named."""
    place: bool | None = None
    """Whether the first finding's place is right; asked where the case says where."""
    where: str = ""
    """The output, member and location of the first finding."""
    builds: int = 0
    builds_to_cause: int | None = None
    """Builds up to a confirmed cause, those for remedies not counted; None when there is none."""
    seconds: float = 0.0

    @property
    def detected(self) -> bool:
        """Whether it was called unreproducible."""
        return self.verdict == "unreproducible"


def score(case: Case, artifact: Mapping[str, Any]) -> Score:
    """Return how well `artifact`, of report.json, tells what is known of `case`."""
    verdict, builds = artifact["verdict"], artifact["builds"]
    plain = Score(case=case, verdict=verdict, builds=len(builds), seconds=artifact.get("seconds", 0.0))
    findings = artifact["findings"]
    if case.verdict == "reproducible" or verdict != "unreproducible" or not findings:
        return plain
    first, named = findings[0], _name_of(findings[0]["command"])
    told = tuple(dict.fromkeys(finding["cause"] for finding in findings))
    where = " ".join(part for part in (first["output"], first["member"], first["location"]) if part)
    return Score(
        case=case,
        verdict=verdict,
        cause=first["cause"],
        right=first["cause"] in case.causes,
        recall=len(set(told) & set(case.causes)) / len(case.causes),
        told=told,
        confirmed=bool(first["confirmed"]),
        proved=any((finding.get("remedy") or {}).get("proved") for finding in findings) if case.remedy else None,
        culprit=_is_right(named, case.culprit) if case.culprit else None,
        named=named,
        place=any(word in where for word in case.place) if case.place else None,
        where=where,
        builds=len(builds),
        builds_to_cause=sum(build["role"] != "remedy" for build in builds) if first["confirmed"] else None,
        seconds=plain.seconds,
    )


def _name_of(command: Sequence[str]) -> str:
    """Return the plain name of a command: ``python3`` for ``/usr/bin/python3.11``."""
    name = posixpath.basename(command[0]).lstrip("-") if command else ""
    name = re.sub(r"^.*-linux-(?:gnu\w*|musl)-", "", name)
    return re.sub(r"^(python|perl|node|gcc|g\+\+|cc|ld|ar)([.\d]+|-[\d.]+|\.\w+)$", r"\1", name)


def _is_right(named: str, expected: Sequence[str]) -> bool:
    wanted = {_name_of([name]) for name in expected}
    if wanted & _COMPILERS and named in _COMPILERS:
        return True
    return named in wanted


def summarise(scores: Sequence[Score]) -> dict[str, Any]:
    """Return the figures of a run; a share is None where there was nothing to share."""
    always = [one for one in scores if one.case.causes and not one.case.sometimes]
    now_and_then = [one for one in scores if one.case.sometimes]
    sound = [one for one in scores if not one.case.causes]
    found = [one for one in scores if one.case.causes and one.detected]
    several = [one for one in found if len(one.case.causes) > 1]
    needed = [(one.builds_to_cause, len(one.case.causes)) for one in found if one.builds_to_cause is not None]
    to_one = [builds for builds, causes in needed if causes == 1]
    return {
        "cases": len(scores),
        "detected": _share(one.detected for one in always),
        "detected_sometimes": _share(one.detected for one in now_and_then),
        "false_alarms": sum(one.detected for one in sound),
        "other_verdicts": sum(one.verdict not in ("reproducible", "unreproducible") for one in scores),
        "cause": _share(bool(one.right) for one in found),
        "cause_recall_of_several": _mean(one.recall or 0.0 for one in several),
        "confirmed": _share(bool(one.confirmed) for one in found),
        "median_builds_to_one_cause": statistics.median(to_one) if to_one else None,
        "median_builds_to_cause": statistics.median(builds for builds, _ in needed) if needed else None,
        "median_builds": statistics.median(one.builds for one in found) if found else None,
        "remedies": _share(bool(one.proved) for one in found if one.case.remedy),
        "culprits": _share(bool(one.culprit) for one in found if one.case.culprit),
        "places": _share(bool(one.place) for one in found if one.case.place),
        "median_seconds": statistics.median(one.seconds for one in found) if found else None,
        "per_cause": per_cause(found),
    }


def per_cause(found: Sequence[Score]) -> dict[str, tuple[int, int]]:
    """Return for each cause how many of its cases were told rightly at first place, and how many there are.

    A case with several causes counts for each of them: whichever is named, it is right.
    """
    right: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for one in found:
        of.update(one.case.causes)
        right.update(one.case.causes if one.right else ())
    return {cause: (right[cause], of[cause]) for cause in sorted(of)}


def find_misses(scores: Iterable[Score]) -> Iterator[str]:
    """Yield a line for everything that is not as the labels say."""
    for one in scores:
        wrong = list(_misses(one))
        if wrong:
            yield f"{one.case.id}: {'; '.join(wrong)}"


def _misses(one: Score) -> Iterator[str]:
    case = one.case
    if one.verdict != case.verdict and not (case.sometimes and one.verdict == "reproducible"):
        yield f"verdict {one.verdict}, expected {case.verdict}"
    if not case.causes or not one.detected:
        return
    if not one.right:
        yield f"cause {one.cause}, expected {' or '.join(case.causes)}"
    elif not one.confirmed:
        yield f"cause {one.cause} not confirmed"
    if one.recall and one.recall < 1:
        yield f"only {one.recall:.0%} of the causes {', '.join(case.causes)}"
    if extra := [cause for cause in one.told[1:] if cause not in case.causes]:
        yield f"also {', '.join(extra)}, expected {' and '.join(case.causes)}"
    if case.remedy and not one.proved:
        yield f"no remedy proved, though {' '.join(case.remedy)} heals it"
    if case.place and not one.place:
        yield f"place {one.where}, expected {' or '.join(case.place)}"
    if case.culprit and not one.culprit:
        yield f"culprit {one.named or 'not named'}, expected {' or '.join(case.culprit)}"


def _share(hits: Iterable[bool]) -> tuple[int, int] | None:
    counted = list(hits)
    return (sum(counted), len(counted)) if counted else None


def _mean(values: Iterable[float]) -> float | None:
    counted = list(values)
    return statistics.fmean(counted) if counted else None
