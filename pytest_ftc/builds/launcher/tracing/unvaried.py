"""Files that show a property of the machine itself, whatever the environment of the build.

A build that opens one of them evades a variation, which then does not count for this build.
"""

from __future__ import annotations

import re

from pytest_ftc.builds.launcher.tracing.cpuid import Counters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

_ALWAYS = (
    ("timezone", r"/etc/localtime"),
    (
        "num_cpus",
        r"/proc/(interrupts|softirqs|schedstat|(self/|thread-self/|[0-9]+/)?net/softnet_stat)|/sys/bus/cpu/.*",
    ),
    ("num_cpus", r"/sys/devices/system/cpu/cpu[0-9]+/(topology|cache)/.*|/sys/devices/system/cpu/cpufreq(/.*)?"),
    (
        "num_cpus",
        r"/sys/(class|devices/virtual)/(cpuid|msr)(/.*)?|/sys/devices/system/(machinecheck|clockevents)(/.*)?",
    ),
    ("num_cpus", r"/proc/(zoneinfo|timer_list|irq/.*|((self|thread-self|[0-9]+)/)?net/stat/.*)"),
    ("num_cpus", r"/sys/.*/(local_cpus|local_cpulist|cpumask|mq(/.*)?|[rx]ps_cpus)"),
    ("kernel", r"/proc/config\.gz|/boot/.*"),
    ("network", r"/sys/(devices/(?!virtual/).*|bus/.*/devices/.*)/net/.*"),
    ("time", r"/dev/rtc.*|/sys/class/rtc/.*|/sys/devices/.*/rtc[0-9].*|/proc/driver/rtc|/dev/kmsg|/proc/timer_list"),
    ("time", r"/(var/)?run/utmp|/var/log/.*|/proc/sysvipc/.*|/dev/ptp.*|/sys/class/ptp/.*"),
)
_WITHOUT_NAMESPACES = (
    ("num_cpus", r"/proc/(cpuinfo|stat)|/sys/devices/system/(cpu|node)(/.*)?"),
    ("kernel", r"/proc/version|/proc/sys/kernel/osrelease"),
    ("timezone", r"/etc/timezone"),
    ("time", r"/proc/(uptime|stat)"),
    ("home", r"/etc/passwd"),
    ("num_cpus", r"/proc/[0-9]+/(task/[0-9]+/)?status"),
)

_LINKS = ("/etc/localtime",)
"""Symlinks that can be used without opening them."""


class UnvariedFiles:
    """Records the variations that a build has evaded by opening files."""

    def __init__(self, *, isolated: bool) -> None:
        table = _ALWAYS if isolated else (*_ALWAYS, *_WITHOUT_NAMESPACES)
        self._patterns = [(variation, re.compile(pattern)) for variation, pattern in table]
        self._counters = Counters()
        self.evaded: dict[str, str] = {}
        """Variations that do not count, with the reason."""

    def saw(self, path: str, program: str) -> None:
        """Record that `program` opened `path`, or was started with it as an argument."""
        if not path.startswith(("/etc/", "/proc/", "/sys/", "/dev/", "/boot/", "/run/", "/var/")):
            return
        for variation, pattern in self._patterns:
            # bash looks up the user's shell there at every start.
            if pattern.fullmatch(path) and (variation, _name(program)) != ("home", "bash"):
                self.evaded.setdefault(variation, f"{_name(program)} uses {path}, which shows the machine's own")

    def saw_choice_of_cpus(self, program: str) -> None:
        """Record that `program` requests more than one CPU, and thus more than the experiment grants."""
        self.evaded.setdefault("num_cpus", f"{_name(program)} sets its CPUs with sched_setaffinity(2)")

    def saw_code(self, path: str, *, made: bool) -> None:
        """Record that the program or library `path`, possibly `made` by the build, is executed."""
        if self._counters.counts(path, made=made):
            self.evaded.setdefault(
                "num_cpus", f"{_name(path)} contains code that counts the processors with the instruction CPUID"
            )

    def saw_other_proc(self, program: str) -> None:
        """Record that `program` mounts a procfs, in which no file is replaced."""
        for variation in ("num_cpus", "kernel"):
            self.evaded.setdefault(variation, f"{_name(program)} mounts a /proc, which shows the machine's own")

    def find_evaded(self, looked_at: Container[str]) -> dict[str, str]:
        """Return the variations that do not count, and why; files `looked_at` may have been read by readlink(2)."""
        for link in _LINKS:
            if link in looked_at:
                self.saw(link, "")
        return self.evaded

    def saw_arguments(self, words: list[str]) -> None:
        """Record that a command names a link, which it may read without opening it."""
        for link in _LINKS:
            if any(link in word for word in words):
                self.saw(link, words[0])


def _name(program: str) -> str:
    return program.rpartition("/")[2] or "a program"
