"""Remedies that are proved for one cause of a place, or for another place, and heal more than that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_ftc.diagnosis.trials.bench import Built
from pytest_ftc.diagnosis.trials.target import Applied, RemedyTarget
from pytest_ftc.model import Cause, Remedy


def with_shared(best: Mapping[RemedyTarget, Remedy | None], built: Sequence[Built]) -> dict[RemedyTarget, Remedy]:
    """Return the `best` remedies; for what nothing was tried for, one of another cause that is proof for this one too.

    A setting for the time that leaves out its zone is proved for both, and options of tar that sort too for the order.
    What may agree by luck, such as a random value beside a time, needs as many builds as if it had been tried for that.
    """
    proved = {target: remedy for target, remedy in best.items() if remedy and remedy.proved}
    found = {}
    for target, remedy in best.items():
        untried = remedy is None or not (remedy.tried or remedy.proved)
        others = [
            (other, _has(other, remedy))
            for one, other in proved.items()
            if untried and (one.key == target.key or (one.key.output == target.key.output and _has(other, remedy)))
        ]
        shared = (one for other, is_part in others if (one := _share(other, target, built, is_part=is_part)))
        if chosen := next(shared, remedy):
            found[target] = chosen
    return found


def _has(remedy: Remedy, part: Remedy | None) -> bool:
    """Return whether all options that `part` sets are among those of `remedy`."""
    if part is None or not part.settings:
        return False
    return all(
        set(value.split()) <= set(remedy.settings.get(name, "").split()) for name, value in part.settings.items()
    )


def _share(remedy: Remedy, target: RemedyTarget, built: Sequence[Built], *, is_part: bool) -> Remedy | None:
    """Return what the builds with this remedy say of it for `target`; None if that is nothing good.

    Only those with it alone are proof.  With others, they say something where it has what was made for the target.
    """
    trial, alone = target.trial, True
    for remedies, outcome in built:
        is_with = any(_is(one, remedy) for one in remedies)
        if is_with and (is_part or len(remedies) == 1) and not outcome.failure:
            equal = target.key in outcome.equal and target.key.output not in outcome.changed
            trial = trial.with_pair(equal=equal)
            alone = alone and len(remedies) == 1
    if trial.different:
        return None
    if alone and trial.is_proved(len({remedies for remedies, _ in built})):
        return remedy
    # What mends a time mends its zone and its words too; another suggestion would be one more setting for nothing.
    is_part = is_part or target.cause in (Cause.TIMEZONE, Cause.LOCALES)
    return replace(remedy, proved=False, equal_pairs=trial.equal) if is_part and trial.equal else None


def _is(one: Applied, remedy: Remedy) -> bool:
    own = one.summary, dict(one.settings), one.before, one.after
    return own == (remedy.summary, dict(remedy.settings), remedy.before, remedy.after)
