"""Conclusions about each difference, from the probabilities of its causes."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.canaries.numbers import AN_INODE
from pytest_ftc.diagnosis.canaries.random_tokens import LOOK_COMPUTED, LOOK_DRAWN
from pytest_ftc.diagnosis.case import UNVARIED_TOO, Case, Investigation
from pytest_ftc.diagnosis.group_testing import (
    Group,
    comes_by_itself,
    likeliest,
    narrowed,
    only_unsettled,
    smallest_healing,
    suspects_left,
)
from pytest_ftc.diagnosis.hypotheses import Kind
from pytest_ftc.diagnosis.places import Key, follows_most_likely, is_code, is_string, may_follow
from pytest_ftc.diagnosis.posterior import LIKELY, SURE, Belief, is_sure
from pytest_ftc.model import Cause, Strength, Suspicion
from pytest_ftc.model.cause import GUESSES, INHERENT

MORE_TIME = "the time for builds was up before it was settled"
_SEVERAL = 3
FOLLOWS_BY_BUILDS = "it follows from another place in this output"


def conclude(case: Case, everything: Group) -> list[tuple[str, bool]]:
    """Return the causes of a case, each with whether builds have confirmed it."""
    belief = case.believe(everything)
    inherent = belief.by_kind(Kind.RANDOM, Kind.CLOCK)
    if comes_by_itself(case.observations) and inherent >= LIKELY:
        return _conclude_inherent(case, belief, everything)
    if all(one.shows for one in case.observations):
        return [(_guess(case, everything), False)]
    if _is_inode(case):
        # Whatever changes a source, its time or its mode, may copy it to another file.
        return [(Cause.FILESYSTEM, inherent <= 1 - SURE)]
    if together := find_together(belief):
        return [(name, True) for name in sorted(together & {*case.suspects, *case.elsewhere} or together)]
    chances = {name: belief.probability(name) for name in everything}
    by_chance = inherent >= LIKELY and max(chances.values(), default=0.0) < SURE
    if by_chance or belief.by_kind(Kind.ALL) >= LIKELY:
        return [(_name_intermittent(case, everything), False)]
    likely = frozenset(name for name in chances if chances[name] >= LIKELY)
    likely = only_unsettled(likely, case.evident)
    if likely:
        names = [*(name for name in case.suspects if name in likely), *sorted(likely - set(case.suspects))]
        if names == [Cause.TIME] and _is_only_a_duration(case):
            return [(Cause.DURATION, False)]
        causes = [(_name_of_order(name, case), is_sure(chances[name], name in case.evident)) for name in names]
        return causes if any(sure for _, sure in causes) or not case.mixed else [(Cause.RACE, False)]
    return [(_guess(case, everything), False)]


def _is_inode(case: Case) -> bool:
    return any(one.cause == Cause.FILESYSTEM and one.why == AN_INODE for one in case.suspicions)


def find_together(belief: Belief) -> Group:
    """Return the variations that make a difference only together; empty if builds have not confirmed any."""
    pairs = {one.names: weight for one, weight in belief.weights if one.kind is Kind.ALL}
    likeliest = max(pairs, key=lambda pair: pairs[pair], default=frozenset[str]())
    return likeliest if likeliest and is_sure(pairs[likeliest], seen=False) else frozenset()


def _is_only_a_duration(case: Case) -> bool:
    """Return whether its values are durations, and no times: a step of the varied clock takes longer."""
    return Cause.DURATION in case.evident and Cause.TIME not in case.suspects


def _name_of_order(name: str, case: Case) -> str:
    """Return the cause of an order that depends on the file system: that in which its folders list the files."""
    listed = name == Cause.FILESYSTEM and Cause.FILEORDERING in case.suspects
    return Cause.FILEORDERING if listed else name


def _conclude_inherent(case: Case, belief: Belief, everything: Group) -> list[tuple[str, bool]]:
    first = _name_inherent(case, everything)
    drawn = (name for name in case.evident if name in (Cause.RANDOM, Cause.TIME, Cause.DURATION) and name != first)
    others = (name for name in case.evident if name not in UNVARIED_TOO)
    return [
        (first, _is_sure_of(first, case, belief, everything)),
        *((name, False) for name in drawn if first in case.evident),
        *((name, name in case.planted) for name in others),
    ]


def _is_sure_of(name: str, case: Case, belief: Belief, everything: Group) -> bool:
    race = case.race_probability(everything)
    if name == Cause.TIME:
        return belief.by_kind(Kind.CLOCK) >= SURE
    if name == Cause.DURATION:
        return belief.by_kind(Kind.RANDOM, Kind.CLOCK) >= SURE
    share = race if name == Cause.RACE else 1 - race
    return belief.by_kind(Kind.RANDOM) * share >= SURE and not _followed(case)


def _name_inherent(case: Case, everything: Group) -> str:
    is_time = case.seems_a_time(everything)
    # Short builds on one CPU are equal too if they start in the same second.
    if (case.pairs or case.mixed) and not is_time and case.race_probability(everything) >= LIKELY:
        return Cause.RACE
    told = any(name in UNVARIED_TOO for name in case.evident)
    if case.tested_by_clock and not told and not is_time:
        return Cause.RANDOM
    inherent = [name for name in case.suspects if name in UNVARIED_TOO and name != Cause.RACE]
    return inherent[0] if inherent else Cause.RANDOM


def _name_intermittent(case: Case, everything: Group) -> str:
    """Return the likeliest cause of a difference that is intermittent, or needs several variations."""
    if _is_only_a_duration(case):
        return Cause.DURATION
    if followed := _followed(case):
        return followed[0]
    healing = smallest_healing(everything, case.observations)
    likely = [*(name for name in case.suspects if name in healing), *case.elsewhere]
    return Cause.RACE if case.mixed else (likely or [Cause.RANDOM])[0]


def _followed(case: Case) -> list[str]:
    """Return the causes of the places that this one seems to follow from."""
    return [one.cause for one in case.suspicions if one.why.startswith(FOLLOWS_BY_BUILDS)]


def _find_needed(case: Case, everything: Group) -> Group:
    """Return the variations without which it never showed, and with which it did in several builds."""
    shows = [one.varied for one in case.observations if one.shows]
    needed = everything.intersection(*shows) if len(shows) >= _SEVERAL else frozenset[str]()
    without = [one.varied for one in case.observations if not one.shows]
    return frozenset(name for name in needed if sum(name not in varied for varied in without) >= _SEVERAL)


def _guess(case: Case, everything: Group) -> str:
    left = suspects_left(everything, case.observations)
    # A difference that never shows without variations is hardly random.
    steady = any(not one.varied for one in case.observations)
    followed = _followed(case)
    likely = [
        name
        for name in case.suspects
        if name in left or name in followed or (name in UNVARIED_TOO and not (steady and name == Cause.RANDOM))
    ]
    return next(iter(likely), likeliest(left) or Cause.UNKNOWN)


def let_follow(cases: Mapping[Key, Case], everything: Group) -> None:
    """Explain unknown places by another place in the same output: digests, sizes and offsets mostly follow from one.

    The other place either also differs without any variation, or differs in the same builds with values that identify
    its cause.
    """
    _let_follow_inherent(cases)
    _note_causes_elsewhere(cases, everything)
    unexplained = {key: case for key, case in cases.items() if _is_unexplained(case, everything)}
    if not unexplained:
        return
    known: dict[tuple[str, tuple[bool, ...]], dict[Key, tuple[str, bool]]] = {}
    for key, case in cases.items():
        cause, confirmed = conclude(case, everything)[0]
        if cause in case.suspects and not comes_by_itself(case.observations):
            known.setdefault((key.output, case.pattern), {})[key] = cause, confirmed
    for key, case in unexplained.items():
        alike = known.get((key.output, case.pattern), {})
        telling = (other for other, (cause, _) in alike.items() if _may_be_all(cause, case))
        leading = [other for other in telling if other != key and may_follow(key, other)]
        ranked = ((not follows_most_likely(key, other), not alike[other][1], other) for other in leading)
        first = min(ranked, key=lambda rank: rank[:2], default=None)
        cause = alike[first[-1]][0] if first else ""
        if cause in suspects_left(everything, case.observations) and not all(case.pattern):
            case.suspicions = [_following(cause), *case.suspicions]
        elif _is_of_strings(key, case) and (strings := _strings_with(key, case, cases)):
            left = suspects_left(everything, case.observations)
            cause = next((one for one in strings if one in left), strings[0])
            case.suspicions = [_following(cause), *case.suspicions]


def _is_of_strings(key: Key, case: Case) -> bool:
    """Return whether it most likely follows from strings: code does, and offsets where builds speak for it."""
    return is_code(key) or (case.place.note == FOLLOWS and not all(case.pattern))


def _may_be_all(cause: str, case: Case) -> bool:
    """Return whether `case` shows in no build that does not vary `cause`, or that is one that shows by itself."""
    return cause in UNVARIED_TOO or all(cause in one.varied for one in case.observations if one.shows)


def _strings_with(key: Key, case: Case, cases: Mapping[Key, Case]) -> list[str]:
    """Return the causes of strings of the same program that differ whenever `case`, in its code or offsets, does.

    Linkers put a string on the end of another one that ends alike, so that its address follows from the digits of a
    time.
    """
    strings = [other for other, one in cases.items() if other[:2] == key[:2] and is_string(other) and one.evident]
    nearest = sorted(strings, key=lambda other: not follows_most_likely(key, other))
    alike = (cases[other] for other in nearest if is_within(case.pattern, cases[other].pattern))
    return [cause for one in alike for cause in one.evident]


def is_within(pattern: tuple[bool, ...], other: tuple[bool, ...]) -> bool:
    """Return whether a place showed only in builds in which another one did, as their patterns tell."""
    return len(pattern) == len(other) and all(theirs for own, theirs in zip(pattern, other, strict=True) if own)


def _is_unexplained(case: Case, everything: Group) -> bool:
    name, confirmed = conclude(case, everything)[0]
    # Numbers that look like addresses may be any.
    is_guess = name in GUESSES or name == Cause.ASLR
    return not confirmed and not case.evident and is_guess and not comes_by_itself(case.observations)


def _note_causes_elsewhere(cases: Mapping[Key, Case], everything: Group) -> None:
    """Note causes that are confirmed elsewhere in the artifact for places that show only in some of their builds.

    A line holds another element of a set, or the same one, depending on more than the seed of its hash.
    """
    asked = [case for case in cases.values() if not case.sources and not comes_by_itself(case.observations)]
    confirmed: dict[str, None] = {}
    doubtful: list[tuple[Case, Group]] = []
    for case in asked:
        case.elsewhere = ()
        together = find_together(case.believe(everything))
        sure = [name for name, sure in conclude(case, everything) if sure]
        if sure and not together:
            confirmed.update(dict.fromkeys(sure))
        elif not case.evident:
            doubtful.append((case, together or _find_needed(case, everything)))
    for case, needed in doubtful:
        case.elsewhere = tuple(name for name in confirmed if name in needed)


def _following(cause: str) -> Suspicion:
    return Suspicion(cause, Strength.WEAK, "", "", f"{FOLLOWS_BY_BUILDS}, whose cause is {cause}")


def _let_follow_inherent(cases: Mapping[Key, Case]) -> None:
    """Suspect unknown places that differ in every build to follow from one that tells why it does.

    One of the same file comes first: what is computed from a file follows from what differs in it.
    """
    found = {key: case for key, case in cases.items() if comes_by_itself(case.observations)}
    leading = {key: one for key, case in found.items() if (one := _tell_inherent(case))}
    for key, case in found.items():
        told = case.evident or case.tested_by_clock or any(one.why == LOOK_DRAWN for one in case.suspicions)
        if told or key in leading:
            continue
        near = [other for other in leading if other != key and other.output == key.output and may_follow(key, other)]
        alike = [other for other in near if other.member == key.member]
        # The digest of another file is recognised by that file's content: any other is drawn sooner than computed.
        is_digest = any(one.why in LOOK_COMPUTED for one in case.suspicions)
        sure = [other for other in near if leading[other].strength >= Strength.STRONG and not is_digest]
        if first := next(iter(alike or sure), None):
            case.suspicions = [_following(leading[first].cause), *case.suspicions]


def _tell_inherent(case: Case) -> Suspicion | None:
    """Return what the values tell of why it differs in every build; None if they only may."""
    drawn = (one for one in case.suspicions if one.strength > Strength.GUESS and one.cause in UNVARIED_TOO)
    return next(drawn, None)


def why_by_builds(case: Case, cause: str, confirmed: bool, given: Investigation) -> str:
    """Return what the builds showed about a cause that no value suggests."""
    everything = given.everything
    if cause in case.elsewhere:
        return f"it differs only when {cause} is varied, but not always then"
    repeats = [one.shows for one in case.observations if not one.varied and not one.stopped]
    if cause in INHERENT and any(repeats):
        stopped = [one.shows for one in case.observations if one.stopped]
        also = ", and in those whose clock stands still" if any(stopped) else ""
        return f"it differs in {sum(repeats)} of {len(repeats)} more builds in the same environment{also}"
    if cause in INHERENT and not confirmed:
        return "it is intermittent, or needs several variations at once"
    left = suspects_left(everything, case.observations)
    if cause == Cause.UNKNOWN and len(case.observations) > 1 and (names := narrowed(everything, case.observations)):
        more = MORE_TIME if given.is_late else "a larger --ftc-max-builds=N can narrow it down"
        return f"the cause is one of {', '.join(sorted(names))}; {more}"
    if not confirmed and cause in left and cause not in case.suspects and len(left) > 1:
        return f"builds have ruled out all but {', '.join(sorted(left))}"
    if cause in case.suspects or cause in INHERENT or not confirmed:
        return ""
    return f"it differs when {cause} is varied, and not otherwise"
