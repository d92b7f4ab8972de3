"""The search for all kinds of canaries in one place that differs; the best explanations come first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace, align, whole
from pytest_ftc.diagnosis.canaries.durations import find_durations
from pytest_ftc.diagnosis.canaries.lengths import find_moved
from pytest_ftc.diagnosis.canaries.modes import find_mode, find_modes
from pytest_ftc.diagnosis.canaries.names import find_names, find_owner, find_stored_owner
from pytest_ftc.diagnosis.canaries.numbers import find_addresses, find_inodes, find_numbers
from pytest_ftc.diagnosis.canaries.order import find_order
from pytest_ftc.diagnosis.canaries.paths import find_paths
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.random_tokens import find_tokens
from pytest_ftc.diagnosis.canaries.relative import find_relative_paths
from pytest_ftc.diagnosis.canaries.single_sided import find_lone_variables, find_width, find_zones
from pytest_ftc.diagnosis.canaries.suspicion import Sighting
from pytest_ftc.diagnosis.canaries.timestamps.binary import BinaryClock
from pytest_ftc.diagnosis.canaries.timestamps.elapsed import find_paces
from pytest_ftc.diagnosis.canaries.timestamps.escaped import find_escaped_times
from pytest_ftc.diagnosis.canaries.timestamps.fields import find_mtime, find_times
from pytest_ftc.model import Field, Place, Strength, Suspicion

_MOST_PLACES = 32


def suspect(
    leaf: Place, control: Planted, experiment: Planted, *, believes: Callable[[Suspicion], bool] = lambda _: True
) -> tuple[Suspicion, ...]:
    """Return the suspicions from the two values of `leaf`, one for each cause, the most likely first.

    Only those count that the caller `believes`.
    """
    found = _look(leaf, control, experiment)
    sightings = [(number, sighting) for number, sighting in found if believes(sighting.suspicion)]
    best: dict[str, tuple[Strength, int, Suspicion]] = {}
    explained: dict[str, set[tuple[int, int]]] = {}
    for number, sighting in sightings:
        cause = sighting.suspicion.cause
        explained.setdefault(cause, set()).update((number, change) for change in sighting.changes)
        if cause not in best or best[cause][0] < sighting.suspicion.strength:
            best[cause] = sighting.suspicion.strength, 0, sighting.suspicion
    ranked = sorted(best, key=lambda cause: (-best[cause][0], -len(explained[cause])))
    return tuple(best[cause][2] for cause in ranked)


def _look(leaf: Place, control: Planted, experiment: Planted) -> Iterator[tuple[int, Sighting]]:
    one, other = leaf.control, leaf.experiment
    if leaf.field is Field.MTIME:
        yield from ((0, found) for found in find_mtime(one, other, control, experiment))
    elif leaf.field is Field.MODE:
        yield from ((0, found) for found in find_mode(one, other, control, experiment))
    elif leaf.field is Field.OWNER:
        yield from ((0, found) for found in find_owner(whole(one, other), control, experiment))
    if leaf.field in (Field.ORDER, Field.CONTENT, Field.NAME):
        found_order = find_order(one, other, control, experiment)
        yield from ((0, Sighting(suspicion, frozenset({0}))) for suspicion in found_order)
    if leaf.field is Field.CONTENT:
        yield from ((0, Sighting(found, frozenset({0}))) for found in find_width(one, other, control, experiment))
        yield from ((0, found) for found in find_escaped_times(one, other, control, experiment))
        yield from ((0, Sighting(found, frozenset({0}))) for found in find_moved(leaf, control, experiment))
    if leaf.field in (Field.CONTENT, Field.HEADER, Field.NAME):
        for number, place in enumerate(_places(one, other)):
            yield from ((number, found) for found in _look_at(place, control, experiment))
            yield from ((number, found) for found in find_durations(place, leaf.location, control, experiment))
            yield from ((number, found) for found in find_inodes(place, leaf.location))


def _places(one: bytes, other: bytes) -> Sequence[AlignedPlace]:
    if not one or not other:
        return [whole(one, other)]
    return align(one, other).places[:_MOST_PLACES]


def _look_at(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    yield from find_paths(place, control, experiment)
    yield from find_relative_paths(place, control, experiment)
    yield from find_names(place, control, experiment)
    yield from find_stored_owner(place, control, experiment)
    yield from find_lone_variables(place, control, experiment)
    yield from find_zones(place, control, experiment)
    yield from find_times(place, control, experiment)
    yield from find_paces(place, control, experiment)
    yield from BinaryClock(control, experiment).find(place)
    yield from find_modes(place, control, experiment)
    yield from find_numbers(place, control, experiment)
    yield from find_addresses(place, control, experiment)
    yield from find_tokens(place)
