"""Trying remedies by rebuilding: a finding's remedy is proved when its difference goes away."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from pytest_ftc.diagnosis.places import Key, Places, showing
from pytest_ftc.diagnosis.remedies import find_remedies
from pytest_ftc.model import BuildResult, BuildStatus, Place, Remedy, RemedyTemplate
from pytest_ftc.model.protocols import Rebuilder
from pytest_ftc.model.remedy import Changes

_VAGUE = ("random", "race", "unknown")
"""Causes that, unless they are known, are no more than a name for not knowing."""
_TIMES = {"race": 3, "random": 3}
"""How often a cure must help where a difference comes and goes by itself; once where it does not."""

Look = Callable[[BuildResult, BuildResult], Places]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyTarget:
    """A place that differs, and what bears on its cure."""

    key: Key
    leaf: Place
    cause: str
    known: bool
    """Whether the cause is known well enough to try cures for it."""
    tools: tuple[str, ...]
    """The commands that made it."""


def try_remedies(
    patients: Sequence[RemedyTarget],
    look: Look,
    rebuilder: Rebuilder,
    epoch: int,
    others: Sequence[RemedyTemplate] = (),
) -> Mapping[RemedyTarget, Remedy]:
    """Return the best remedy for each of `patients`: proved if one could be, else the advice that fits best.

    Cures are those of the catalogue, and before them `others`.

    All are treated at once, each with the first cure that has not failed it yet, for as long as the budget lasts.
    """
    choices = {patient: list(_cures(patient, others)) for patient in patients}
    # What has failed at a place has failed it whichever of its causes it was meant for.
    failed: dict[Key, list[RemedyTemplate]] = {patient.key: [] for patient in choices}
    helped: Counter[RemedyTarget] = Counter()
    helpful: dict[RemedyTarget, RemedyTemplate] = {}
    eager = False
    while rebuilder.left >= 2:
        tried = {
            patient: cure
            for patient, cures in choices.items()
            if (cure := _next(patient, cures, failed[patient.key], eager=eager))
        }
        proved = {patient for patient in tried if _is_proved(patient, helped)}
        tried = _with_company(_with_rewriting(tried, proved, choices, failed), choices, failed)
        if proved.issuperset(tried):
            if eager:
                break
            # What is left of the budget goes to those of whose cause less is known.
            eager = True
            continue
        healed = _credit(tried, _try(tried, {patient.key for patient in patients}, look, rebuilder, epoch))
        for patient, cure in tried.items():
            if patient in healed:
                helped[patient] += 1
                helpful[patient] = cure
            elif not _is_proved(patient, helped):
                helped[patient] = 0
                failed[patient.key].append(cure)
    return {
        patient: _remedy(
            patient, cures, failed[patient.key], helpful[patient] if _is_proved(patient, helped) else None, epoch
        )
        for patient, cures in choices.items()
        if cures
    }


def _next(
    patient: RemedyTarget, cures: Sequence[RemedyTemplate], failed: Sequence[RemedyTemplate], *, eager: bool
) -> RemedyTemplate | None:
    if not (patient.known or (eager and patient.cause not in _VAGUE)):
        return None
    return next((cure for cure in cures if cure.can_be_tried and cure not in failed), None)


def _with_rewriting(
    tried: Mapping[RemedyTarget, RemedyTemplate],
    proved: Collection[RemedyTarget],
    choices: Mapping[RemedyTarget, Sequence[RemedyTemplate]],
    failed: Mapping[Key, Sequence[RemedyTemplate]],
) -> dict[RemedyTarget, RemedyTemplate]:
    """Return `tried` with one cure for all that it may help, where it rewrites their output.

    Whatever else is tried for them in the same builds would be credited with what the rewriting does.
    """
    rewriting: dict[str, list[RemedyTemplate]] = {}
    for patient, cure in tried.items():
        if "{output}" in cure.after:
            rewriting.setdefault(patient.key.output, []).append(cure)
    shared = dict(tried)
    for patient in tried.keys() - set(proved):
        for cure in rewriting.get(patient.key.output, ()):
            if cure in choices[patient] and cure not in failed[patient.key]:
                shared[patient] = cure
    return shared


def _with_company(
    tried: Mapping[RemedyTarget, RemedyTemplate],
    choices: Mapping[RemedyTarget, Sequence[RemedyTemplate]],
    failed: Mapping[Key, Sequence[RemedyTemplate]],
) -> dict[RemedyTarget, RemedyTemplate]:
    """Return `tried` with those whose cause is known less, where the same is tried for their output anyway."""
    offered = {(patient.key.output, cure.summary) for patient, cure in tried.items()}
    company = dict(tried)
    for patient, cures in choices.items():
        cure = _next(patient, cures, failed[patient.key], eager=True)
        if patient not in tried and cure and (patient.key.output, cure.summary) in offered:
            company[patient] = cure
    return company


def _is_proved(patient: RemedyTarget, helped: Mapping[RemedyTarget, int]) -> bool:
    return helped.get(patient, 0) >= _TIMES.get(patient.cause, 1)


def _cures(patient: RemedyTarget, others: Sequence[RemedyTemplate]) -> Sequence[RemedyTemplate]:
    names = patient.key.output.lower().split("/")[-1].split(".")[1:]
    formats = [patient.leaf.format, *(_FORMATS.get(name, name) for name in names)]
    return list(find_remedies(patient.cause, patient.leaf.field, formats, patient.tools, others))


_FORMATS = {
    "a": "ar",
    "deb": "ar",
    "gz": "gzip",
    "jar": "zip",
    "o": "elf",
    "so": "elf",
    "tgz": "tar",
    "whl": "zip",
    "zst": "zstd",
}


def _try(
    cures: Mapping[RemedyTarget, RemedyTemplate], known: Collection[Key], look: Look, rebuilder: Rebuilder, epoch: int
) -> Collection[Key]:
    """Return the places, of all that are `known`, that no longer differ when the artifact is built with `cures`."""
    settings: dict[str, str] = {}
    before: dict[str, None] = {}
    after: dict[str, None] = {}
    for patient, cure in cures.items():
        settings.update({name: _fill(value, patient.key, epoch) for name, value in cure.settings.items()})
        before.update(dict.fromkeys([_fill(cure.before, patient.key, epoch)] if cure.before else []))
        after.update(dict.fromkeys([_fill(cure.after, patient.key, epoch)] if cure.after else []))
    builds = rebuilder.with_changes(Changes(settings=settings, before=tuple(before), after=tuple(after)))
    if len(builds) < 2 or any(build.status is not BuildStatus.OK for build in builds):
        return ()
    places = look(builds[0], builds[1])
    still = showing(known, places)
    return {key for key in known if key not in still and _can_be_compared(key, places, builds)}


def _can_be_compared(key: Key, places: Places, builds: Sequence[BuildResult]) -> bool:
    """Whether the output is there under its name; where the cure gives it another, nothing alike may differ at all."""
    named = all(any(output.path == key.output for output in build.outputs) for build in builds)
    return named or not any(other._replace(output=key.output) == key for other in places)


def _credit(tried: Mapping[RemedyTarget, RemedyTemplate], equal: Collection[Key]) -> Collection[RemedyTarget]:
    """Return whom the cures have helped: of places alike, most have to be `equal`, or a few were so by chance.

    Two builds may well give a file or two the same time, to the second.
    """
    alike: dict[tuple[str, str, str, str], list[RemedyTarget]] = {}
    for patient, cure in tried.items():
        kind = (patient.key.output, patient.key.location, patient.cause, cure.summary)
        alike.setdefault(kind, []).append(patient)
    helped: list[RemedyTarget] = []
    for patients in alike.values():
        those = [patient for patient in patients if patient.key in equal]
        helped += those if 2 * len(those) >= len(patients) else []
    return frozenset(helped)


def _fill(text: str, key: Key, epoch: int) -> str:
    return text.replace("{epoch}", str(epoch)).replace("{output}", shlex.quote(key.output))


def _remedy(
    patient: RemedyTarget,
    choices: Sequence[RemedyTemplate],
    failed: Sequence[RemedyTemplate],
    proved: RemedyTemplate | None,
    epoch: int,
) -> Remedy:
    cure = proved or next((cure for cure in choices if cure not in failed), choices[0])
    return Remedy(
        summary=_fill(cure.summary, patient.key, epoch),
        settings={name: _fill(value, patient.key, epoch) for name, value in cure.settings.items()},
        before=_fill(cure.before, patient.key, epoch),
        after=_fill(cure.after, patient.key, epoch),
        proved=proved is not None,
        tried=proved is not None or cure in failed,
        also_tried=()
        if proved
        else tuple(_fill(other.summary, patient.key, epoch) for other in failed if other != cure),
        source=cure.source,
    )
