"""Finding which of many variations breaks a build, by testing groups of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Group = tuple[str, ...]


def find_breaking(
    names: Sequence[str], break_build: Callable[[Sequence[Group]], Sequence[bool]], budget: int
) -> Group | None:
    """Return a smallest group of `names` that breaks the build, given that all of them together do.

    `break_build` tells of each of some groups whether it breaks the build; it is asked about two at a time, which can
    be built in parallel.  A group that breaks only as a whole is returned as it is.  Returns None when `budget` builds
    were not enough.
    """
    suspects = tuple(names)
    while len(suspects) > 1:
        if budget < 2:
            return None
        budget -= 2
        halves = suspects[: len(suspects) // 2], suspects[len(suspects) // 2 :]
        breaks = break_build(halves)
        if not any(breaks):
            return suspects
        suspects = halves[0] if breaks[0] else halves[1]
    return suspects
