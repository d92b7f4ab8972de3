"""How long a farm takes, what it costs and where it is held up: a simulation with service times measured here.

    python benchmarks/farm_simulation.py [--seed N] [--quick] [--plot FILE] [--validate]

Prints tables: artifacts against workers and failures, hedged attempts, and a thousand runners at once, with and without
`ftc warm` and jitter.  `--plot` draws the first and the last as SVG; `--validate` compares the simulation with real
sessions on this machine.  All its parameters are in `Costs`, each with its source.  Needs SimPy.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import simpy
from farm_stampede import Load, print_stampede

Steps = Generator[Any, Any, Any]
_FULL = 0.75
"""The share of the time for which a resource is busy that holds up everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds and megabytes.  "Measured" is on two cores of a virtual machine, Python 3.11, buildbox-casd 1.4.25."""

    gap: float = 2.1
    """Between the starts of the two builds.  Source: pytest_ftc/builds/staggered.py."""
    median_build: float = 0.77
    """Of the builds' seconds: a lognormal distribution.  Measured: CPU time of `python -m build -n -w` for the source
    distributions of attrs, idna, packaging, pluggy, psutil, Pygments, PyYAML, requests, rich and sqlparse."""
    spread_of_builds: float = 1.05
    """The standard deviation of its logarithm, from artifact to artifact.  Measured: the same packages."""
    spread_of_one: float = 0.08
    """The same from build to build of one artifact.  Measured: the same packages, built twice."""
    stragglers: float = 0.02
    """The share of attempts on a worker that is slow.  Assumed."""
    straggling: float = 10.0
    """How many times as long an attempt takes there.  Assumed."""
    set_up: float = 0.09
    """Of the environment on the worker.  Measured: benchmarks/overhead.py."""
    output_mb: float = 0.3
    """The outputs of one build.  Measured: the wheels of the same packages, on average."""
    taken_mb_per_second: float = 640.0
    """Reading, hashing and writing outputs on the worker.  Measured: benchmarks/overhead.py."""
    compared_mb_per_second: float = 500.0
    """Finding and reading the places that differ, at the client.  Assumed; the first difference alone takes 0.05 s in
    256 MB, see benchmarks/overhead.py."""
    source_mb: float = 1.0
    """What an artifact's source tree adds to the storage.  Assumed."""
    link_mb_per_second: float = 115.0
    """Between client and farm.  Assumed: 1 Gbit/s.  Measured on loopback: 230 up, 375 down."""
    client: float = 0.066
    """The client's own work for one artifact.  Measured: CPU time of a session of 40 artifacts less one of one."""
    client_call: float = 0.002
    """The same for one build that is executed.  Measured: CPU time of gRPC in Python, Execute with its uploads."""
    server: float = 0.010
    """The server's work for one build, one after another.  Measured: CPU time of buildbox-casd for one Execute."""
    start: float = 1.6
    """From the start of the session to its first build.  Measured."""
    unnoticed: float = 10.0
    """Until the server knows that a worker is lost.  Source: keepalive of BuildGrid."""
    retries: int = 2
    """Of one build.  Source: pytest_ftc/builds/retrying.py."""
    retries_of_all: int = 20
    """Of a session.  Source: the same."""
    first_wait: float = 0.5
    """Longest wait before the first retry, doubled with each.  Source: the same."""
    open: int = 64
    """Most verifications that a client has begun and not ended.  Source: pytest_ftc/verification/open_session.py."""
    mismatches: float = 0.1
    """The share of artifacts that differ, and get a diagnosis.  Assumed."""
    diagnosis: tuple[int, ...] = (2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 7, 8, 10, 11, 11, 13, 14)
    """Its builds: 19 quantiles, median 4.  Measured: benchmarks/diagnosis.py, 333 cases."""
    at_once: int = 2
    """Builds of one round of it.  Source: pytest_ftc/diagnosis/confirm.py."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is verified, and on what."""

    artifacts: int
    workers: int
    failures: float = 0.0
    """The share of attempts whose worker is lost."""
    hedged: bool = False
    """Whether an attempt that takes longer than 95 % of an artifact's builds gets a second one beside it."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    verdicts: list[float] = field(default_factory=list)
    """Seconds from the start of the session until each verdict, in order."""
    without: int = 0
    """Artifacts without a verdict, since a build was lost for good."""
    builds: int = 0
    """Builds that ended well, and whose result was used."""
    attempts: int = 0
    """Attempts begun on a worker."""
    worked: float = 0.0
    """Seconds for which workers ran attempts of all kinds."""
    used: float = 0.0
    """Those of them that a used result took."""
    makespan: float = 0.0
    held_up_by: str = ""
    """What was busy while the first half of the verdicts came, or what the others spent most time on."""

    def percentile(self, percent: int) -> float:
        """Return the time until that share of the verdicts is there."""
        return _at(self.verdicts, percent) if self.verdicts else math.nan


class Held:
    """A resource of SimPy, and the time for which its places were taken."""

    def __init__(self, env: simpy.Environment, places: int) -> None:
        self.env = env
        self.places = simpy.Resource(env, places)
        self.busy = 0.0

    @property
    def share(self) -> float:
        """The share of its places that was taken until now."""
        return self.busy / (self.places.capacity * self.env.now) if self.env.now else 0.0

    def take(self, seconds: float) -> Steps:
        """Wait for a place and hold it for `seconds`."""
        with self.places.request() as turn:
            yield turn
            yield from self.hold(seconds)

    def hold(self, seconds: float) -> Steps:
        """Let `seconds` pass that count as busy."""
        begin = self.env.now
        try:
            yield self.env.timeout(seconds)
        finally:
            self.busy += self.env.now - begin


class Draws:
    """The chances of one artifact.  They are the same for every number of workers, so that scenarios compare."""

    def __init__(self, costs: Costs, seed: int, artifact: int) -> None:
        self.costs = costs
        self._name = f"{seed}-{artifact}"
        chance = random.Random(self._name)
        self.usual = costs.median_build * math.exp(chance.gauss(0, costs.spread_of_builds))
        self.differs = chance.random() < costs.mismatches
        self.further = chance.choice(costs.diagnosis) if self.differs else 0

    @property
    def late(self) -> float:
        """The seconds that 95 % of its builds stay below."""
        return self.usual * math.exp(1.645 * self.costs.spread_of_one) + self.overhead

    @property
    def overhead(self) -> float:
        """The worker's seconds beside the build itself."""
        return self.costs.set_up + self.costs.output_mb / self.costs.taken_mb_per_second

    def attempt(self, build: int, number: int) -> tuple[float, float, float]:
        """Return an attempt's seconds, the chance that decides whether it is lost, and the share of it until then."""
        chance = random.Random(f"{self._name}-{build}-{number}")
        seconds = self.usual * math.exp(chance.gauss(0, self.costs.spread_of_one))
        if chance.random() < self.costs.stragglers:
            seconds *= self.costs.straggling
        return seconds + self.overhead, chance.random(), chance.random()

    def wait(self, build: int, number: int) -> float:
        """Return the seconds before retry `number`, from 1: full jitter."""
        longest = self.costs.first_wait * 2 ** (number - 1)
        return random.Random(f"{self._name}-{build}-{number}-wait").uniform(0, longest)


class Farm:
    """One session on a farm."""

    def __init__(self, costs: Costs, scenario: Scenario, seed: int = 0) -> None:
        self.costs, self.scenario, self.seed = costs, scenario, seed
        self.env = env = simpy.Environment()
        self.outcome = Outcome()
        self.workers = Held(env, scenario.workers)
        self.server, self.client, self.link = Held(env, 1), Held(env, 1), Held(env, 1)
        self.open = simpy.Resource(env, costs.open)
        self.left = costs.retries_of_all
        self.spent = {"gap": 0.0, "builds": 0.0, "diagnosis": 0.0}
        self.full = ""
        self.ended = 0

    def run(self) -> Outcome:
        """Simulate, once."""
        for number in range(self.scenario.artifacts):
            self.env.process(self._verify(Draws(self.costs, self.seed, number)))
        self.env.run()
        return self.outcome

    def _verify(self, draws: Draws) -> Steps:
        costs = self.costs
        yield self.env.timeout(costs.start)
        with self.open.request() as turn:
            yield turn
            yield from self.client.take(costs.client)
            yield from self.link.take(costs.source_mb / costs.link_mb_per_second)
            fine = yield from self._build_apart(draws, 0)
            if fine and draws.differs:
                fine = yield from self._diagnose(draws)
        self._end(fine)

    def _end(self, fine: bool) -> None:
        self.ended += 1
        self.outcome.makespan = self.env.now
        if fine:
            self.outcome.verdicts.append(self.env.now)
        else:
            self.outcome.without += 1
        if self.ended == (self.scenario.artifacts + 1) // 2:
            self.full = self._find_full()
            self.spent = dict.fromkeys(self.spent, 0.0)
        if self.ended == self.scenario.artifacts:
            self.outcome.held_up_by = self.full or max(self.spent, key=lambda one: self.spent[one])

    def _find_full(self) -> str:
        """Return what has been busy nearly all the time until now; "" if nothing."""
        places = {"workers": self.workers, "client": self.client, "server": self.server, "link": self.link}
        share, name = max((place.share, name) for name, place in places.items())
        if share >= _FULL:
            return name
        return "client's limit" if self.open.queue else ""

    def _build_apart(self, draws: Draws, first: int) -> Steps:
        """Build twice, the second at least the gap after the first; return whether both ended well."""
        started = self.env.event()
        control = self.env.process(self._build(draws, first, started))
        yield started | control
        begin = self.env.now
        yield self.env.timeout(self.costs.gap)
        if not control.is_alive and not control.value:
            return False
        experiment = self.env.process(self._build(draws, first + 1, self.env.event()))
        both = yield control & experiment
        self.spent["gap"] += self.costs.gap
        self.spent["builds"] += self.env.now - begin - self.costs.gap
        return all(both.values())

    def _diagnose(self, draws: Draws) -> Steps:
        """Build on in rounds, the last one with the gap since it proves a remedy; return whether all ended well."""
        costs = self.costs
        begin = self.env.now
        yield from self._fetch(2)
        for build in range(2, 2 + draws.further, costs.at_once):
            count = min(costs.at_once, 2 + draws.further - build)
            if build + costs.at_once >= 2 + draws.further and count == 2:
                fine = yield from self._build_apart(draws, build)
            else:
                events = [self.env.process(self._build(draws, build + n, self.env.event())) for n in range(count)]
                results = yield self.env.all_of(events)
                fine = all(results.values())
            if not fine:
                return False
            yield from self._fetch(count)
        self.spent["diagnosis"] += self.env.now - begin
        return True

    def _fetch(self, builds: int) -> Steps:
        """Download the outputs and compare them."""
        amount = builds * self.costs.output_mb
        yield from self.link.take(amount / self.costs.link_mb_per_second)
        yield from self.client.take(amount / self.costs.compared_mb_per_second)

    def _build(self, draws: Draws, build: int, started: simpy.Event) -> Steps:
        """Build, and again where a worker is lost; return whether it ended well."""
        for number in range(self.costs.retries + 1):
            if number:
                if self.left <= 0:
                    return False
                self.left -= 1
                yield self.env.timeout(draws.wait(build, number))
            if (yield from self._race(draws, build, 2 * number, started)):
                return True
        return False

    def _race(self, draws: Draws, build: int, number: int, started: simpy.Event) -> Steps:
        """Attempt it, and where that takes long and hedging is asked for, twice; return whether one ended well."""
        mine = self.env.event()
        first = self.env.process(self._attempt(draws, build, number, started, mine))
        if not self.scenario.hedged:
            return (yield first)
        yield mine | first
        yield self.env.timeout(draws.late) | first
        if not first.is_alive:
            return first.value
        second = self.env.process(self._attempt(draws, build, number + 1, started, self.env.event()))
        yield first | second
        running = [one for one in (first, second) if one.is_alive]
        if any(one.value for one in (first, second) if not one.is_alive):
            for one in running:
                one.interrupt()
            return True
        return (yield running[0]) if running else False

    def _attempt(self, draws: Draws, build: int, number: int, *started: simpy.Event) -> Steps:
        """Run once on a worker; return whether it ended well.  Interrupted, it is cancelled."""
        costs, outcome = self.costs, self.outcome
        seconds, chance, share = draws.attempt(build, number)
        lost = chance < self.scenario.failures
        runs = seconds * share if lost else seconds
        begin = math.inf
        try:
            yield from self.client.take(costs.client_call)
            yield from self.server.take(costs.server)
            with self.workers.places.request() as turn:
                yield turn
                outcome.attempts += 1
                begin = self.env.now
                for event in started:
                    if not event.triggered:
                        event.succeed()
                yield from self.workers.hold(runs)
                if lost:
                    # Its place stays taken: the worker that replaces it starts when the loss is noticed.
                    yield from self.workers.hold(costs.unnoticed)
                    return False
                outcome.builds += 1
                outcome.used += seconds
                return True
        except simpy.Interrupt:
            return False
        finally:
            outcome.worked += min(max(0.0, self.env.now - begin), runs)


def simulate(costs: Costs, scenario: Scenario, seed: int = 0) -> Outcome:
    """Return what comes of one session."""
    return Farm(costs, scenario, seed).run()


ARTIFACTS = (10, 100, 1_000, 10_000)
WORKERS = (1, 10, 100, 1_000)
FAILURES = (0.0, 0.05, 0.2)


def print_farm(costs: Costs, seed: int, artifacts: Sequence[int]) -> dict[int, list[tuple[int, float]]]:
    """Print a row for each scenario; return the makespans without failures, by artifacts, each with its workers."""
    curves: dict[int, list[tuple[int, float]]] = {}
    heads = ("artifacts", "workers", "lost", "makespan", "CPU hours", "P50", "P95", "P99")
    widths = (9, 7, 5, 9, 9, 7, 7, 7)
    print(*(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)), " no verdict  held up by")
    for count in artifacts:
        for workers in WORKERS:
            for failures in FAILURES:
                outcome = simulate(costs, Scenario(artifacts=count, workers=workers, failures=failures), seed)
                if not failures:
                    curves.setdefault(count, []).append((workers, outcome.makespan))
                times = " ".join(f"{_clock(outcome.percentile(percent)):>7}" for percent in (50, 95, 99))
                print(
                    f"{count:>9} {workers:>7} {failures:>5.0%} {_clock(outcome.makespan):>9} "
                    f"{outcome.worked / 3600:>9.2f} {times}  {outcome.without:>10}  {outcome.held_up_by}"
                )
    return curves


def print_hedging(costs: Costs, seed: int) -> None:
    """Print what a second attempt beside a slow one does to the tail, and costs."""
    print("\n1000 artifacts, 5 % of the attempts lost: a second attempt beside one that is late")
    for workers in (100, 1_000):
        for hedged in (False, True):
            scenario = Scenario(artifacts=1_000, workers=workers, failures=0.05, hedged=hedged)
            outcome = simulate(replace(costs, retries_of_all=1_000), scenario, seed)
            print(
                f"{workers:>9} workers, {'hedged' if hedged else 'plain':<6} P50 {_clock(outcome.percentile(50))}, "
                f"P99 {_clock(outcome.percentile(99))}, makespan {_clock(outcome.makespan)}, "
                f"{outcome.worked / 3600:.2f} CPU hours, {outcome.attempts} attempts"
            )


def print_slow_builds(costs: Costs, seed: int) -> None:
    """Print the same for builds of minutes: other resources hold them up."""
    print("\n1000 artifacts by the median of their builds, no worker lost")
    for median in (costs.median_build, 10.0, 60.0):
        for workers in WORKERS:
            outcome = simulate(replace(costs, median_build=median), Scenario(artifacts=1_000, workers=workers), seed)
            print(
                f"{median:>9.1f} s, {workers:>5} workers: makespan {_clock(outcome.makespan)}, "
                f"P99 {_clock(outcome.percentile(99))}, {outcome.worked / 3600:.1f} CPU hours, {outcome.held_up_by}"
            )


def print_budgets(costs: Costs, seed: int) -> None:
    """Print what the budget of retries does where many workers are lost."""
    print("\n1000 artifacts, 100 workers: artifacts without a verdict, by the session's budget of retries")
    for failures in FAILURES[1:]:
        for budget in (costs.retries_of_all, 200, 2_000):
            scenario = Scenario(artifacts=1_000, workers=100, failures=failures)
            outcome = simulate(replace(costs, retries_of_all=budget), scenario, seed)
            print(
                f"{failures:>9.0%} lost, {budget:>5} retries: {outcome.without:>4}, makespan {_clock(outcome.makespan)}"
            )


def _at(values: Sequence[float], percent: int) -> float:
    return values[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _clock(seconds: float) -> str:
    if math.isnan(seconds):
        return "-"
    return (
        f"{seconds:.1f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def draw_plot(curves: dict[int, list[tuple[int, float]]], waits: dict[str, list[float]]) -> str:
    """Return the makespans, and what a thousand runners wait for, as SVG."""
    from farm_plot import Panel, draw

    makespans = Panel(
        title="Makespan by workers",
        below="workers",
        beside="seconds",
        curves={f"{count:,} artifacts": points for count, points in curves.items()},
        ticks_below=WORKERS,
        ticks_beside=(1, 10, 100, 1_000, 10_000, 100_000),
    )
    shares = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99, 100)
    stampede = Panel(
        title="1,000 runners: seconds that each waits for its data",
        below="percent of the runners",
        beside="seconds",
        curves={name: [(share, _at(values, share)) for share in shares] for name, values in waits.items()},
        ticks_below=(0, 25, 50, 75, 100),
        ticks_beside=(0, 50, 100, 150, 200, 250, 300),
        logarithmic=False,
    )
    return draw([makespans, stampede])


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed of the draws")
    parser.add_argument("--quick", action="store_true", help="no more than 1,000 artifacts")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the plot of docs/farm.md")
    parser.add_argument("--validate", action="store_true", help="run sessions here and compare")
    options = parser.parse_args()
    costs = Costs()
    counts = ARTIFACTS[:3] if options.quick else ARTIFACTS
    curves = print_farm(costs, options.seed, counts)
    print_slow_builds(costs, options.seed)
    print_budgets(costs, options.seed)
    print_hedging(costs, options.seed)
    waits = print_stampede(Load(), options.seed)
    if options.plot:
        options.plot.write_text(draw_plot(curves, waits), encoding="utf-8")
    if options.validate:
        from farm_validation import print_validation

        print_validation(costs)


if __name__ == "__main__":
    main()
