"""Whether the labels of a corpus hold, by experiment.

Of every case the verdict is checked with everything varied.  Where causes are named, it has to be reproducible without
them all (but for what differs by itself), and unreproducible with each one of them alone put back; with the remedy set
it has to be reproducible.  What differs by itself has to do so when an unknown variable is all that is varied.

The real clock goes on between two builds.  Without `time` it is therefore set to the same moment when a build begins,
by libfaketime; a build that then takes more than a second may be taken for unreproducible.  The times that the kernel
gives to files cannot be set so: a case with ``file_times`` differs whatever is left out, and less is known of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from corpus import INHERENT, Case, Trial

_REPEATS = 12
"""Pairs of builds of what shows only sometimes.  At one in three, none of them differs once in 130 times."""

_MOMENT = 1_577_836_800
"""2020-01-01 00:00:00 UTC."""

Verify = Callable[[Sequence[Trial]], Mapping[str, Mapping[str, Any]]]


def check_labels(cases: Sequence[Case], verify: Verify) -> Iterator[str]:
    """Yield a line for every label that does not hold."""
    expected: dict[str, str] = {}
    trials: list[Trial] = []
    for case in cases:
        for trial, verdict in _trials(case):
            trials.append(trial)
            expected[trial.name] = verdict
    seen = verify(trials)
    for trial in trials:
        artifact = seen[trial.name]
        if expected[trial.name] not in ("", artifact["verdict"]):
            told = f"{trial.variations or 'all'} {' '.join(f'{n}={v}' for n, v in trial.env.items())}".strip()
            reason = f" ({artifact['reason']})" if artifact["reason"] else ""
            yield f"{trial.case.id}: {artifact['verdict']}{reason} with {told}, expected {expected[trial.name]}"
    for case in cases:
        if case.sometimes:
            shown = sum(seen[name]["verdict"] == "unreproducible" for name in _names_of_repeats(case))
            if shown in (0, _REPEATS):
                yield f"{case.id}: differs in {shown} of {_REPEATS} pairs, expected about a third"


def _trials(case: Case) -> Iterator[tuple[Trial, str]]:
    """Yield what to try with `case`, and the verdict expected; an empty one where anything may come."""
    if case.sometimes:
        yield from ((Trial(name=name, case=case, variations="environment"), "") for name in _names_of_repeats(case))
        return
    yield Trial(name=case.id, case=case), case.verdict
    differs_by_itself = case.file_times or bool(INHERENT & set(case.causes))
    if case.varied:
        left = "unreproducible" if differs_by_itself else "reproducible"
        yield _leave_out(case, "without", case.varied), left
    if INHERENT & set(case.causes):
        yield Trial(name=f"{case.id}--by-itself", case=case, variations="environment"), "unreproducible"
    elif len(case.varied) > 1:
        for cause in case.varied:
            yield _leave_out(case, cause, [name for name in case.varied if name != cause], but=cause), "unreproducible"
    if case.remedy:
        yield Trial(name=f"{case.id}--remedy", case=case, env=case.remedy), "reproducible"


def _leave_out(case: Case, name: str, causes: Sequence[str], but: str = "") -> Trial:
    left_out = dict.fromkeys(causes)
    # The order of files is reversed by means of a tmpfs, so it brings another file system along.
    if "filesystem" in left_out and but != "fileordering":
        left_out["fileordering"] = None
    timed = replace(case, build=f"{_set_clock()}{case.build}") if "time" in left_out else case
    return Trial(name=f"{case.id}--{name}", case=timed, variations=",".join(["all", *(f"-{one}" for one in left_out)]))


def _set_clock() -> str:
    """Return shell commands after which it is the same moment in every build."""
    package = find_spec("libfaketime")
    if package is None or not package.origin:
        sys.exit("to set the clock, the PyPI package libfaketime is needed")
    library = Path(package.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    # Not a fixed date, since libfaketime reads that as local time.
    offset = f"-$(($1 - {_MOMENT})).$2"
    variables = f"LD_PRELOAD={library} FAKETIME={offset} NO_FAKE_STAT=1 DONT_FAKE_MONOTONIC=1"
    return f"set -- $(date '+%s %N'); export {variables}\n"


def _names_of_repeats(case: Case) -> list[str]:
    return [f"{case.id}--{number}" for number in range(_REPEATS)]
