"""Whether a worker of a farm can do what the one can that the session has surveyed: builds are planned for that one."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ftc.model import Environment, Machine
from pytest_ftc.model.cause import Cause


def find_other_isolation(own: Machine, surveyed: Machine) -> str:
    """Return how this worker isolates builds, if that is another way than on the one surveyed; else empty.

    The same build cannot run in both ways: its paths and its user would be others.
    """
    if own.isolation is surveyed.isolation:
        return ""
    why = f" ({own.isolation_reason})" if own.isolation_reason else ""
    return (
        f"this worker isolates builds by {own.isolation.value}{why}, and the one that was surveyed by "
        f"{surveyed.isolation.value}; choose workers that are alike by their properties"
    )


def find_lacks(own: Machine, surveyed: Machine, environment: Environment) -> dict[str, str]:
    """Return the variations that cannot be in force in a build on this worker although they are on the one surveyed.

    Each has the reason.  They would be claimed otherwise, since their plan is that of the other worker.
    """
    return {cause.value: f"on one of the workers, {reason}" for cause, reason in _lacks(own, surveyed, environment)}


def _lacks(own: Machine, surveyed: Machine, environment: Environment) -> Iterator[tuple[Cause, str]]:
    if surveyed.fresh_proc and not own.fresh_proc:
        yield Cause.PID, own.fresh_proc_reason
    if surveyed.faketime and not own.faketime:
        yield Cause.TIME, own.faketime_reason
    if own.personality_reason and not surveyed.personality_reason:
        yield Cause.ASLR, own.personality_reason
        yield Cause.KERNEL, own.personality_reason
    if own.cpus < surveyed.cpus:
        yield Cause.NUM_CPUS, f"there are {own.cpus} CPUs, and {surveyed.cpus} on the one surveyed"
    if surveyed.zoneinfo and not own.zoneinfo:
        yield Cause.TIMEZONE, "the time zone database is not installed"
    if surveyed.online and not own.online:
        yield Cause.NETWORK, "there is no route to another machine"
    if own.work_filesystem == "tmpfs" != surveyed.work_filesystem:
        yield Cause.FILESYSTEM, f"{own.work_dir} is a tmpfs already"
    locale = environment.variables.get("LC_ALL", "C")
    if _has(surveyed, locale) and not _has(own, locale):
        yield Cause.LOCALES, f"the locale {locale} is not installed"


def _has(machine: Machine, locale: str) -> bool:
    return _plainly(locale) in map(_plainly, ("C", *machine.locales))


def _plainly(locale: str) -> str:
    # locale(1) lists C.utf8 for what is also C.UTF-8.
    return locale.lower().replace("-", "")
