"""A thousand runners that start at once: what they wait for, with and without `ftc warm` and jitter."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Megabytes and seconds."""

    runners: int = 1_000
    needed: float = 200.0
    """What a runner whose store is empty fetches.  Assumed."""
    server: float = 1_150.0
    """Megabytes a second that the cache's server sends to all.  Assumed: 10 Gbit/s."""
    runner: float = 115.0
    """Megabytes a second that one runner receives at most.  Assumed: 1 Gbit/s."""
    lead: float = 60.0
    """Between the start of `ftc warm` and the first look-up: a runner installs its tools meanwhile.  Assumed."""
    artifacts: int = 20
    """What a runner verifies where the server has nothing.  Assumed."""
    jobs: int = 2
    """How many of them at once."""
    verification: float = 5.0
    """Seconds that one takes where it is built.  Median of the simulation of the farm, 10 workers."""


def share_bandwidth(starts: Sequence[float], amount: float, total: float, each: float) -> list[float]:
    """Return when transfers of `amount` that begin at `starts` end; all share `total`, and none exceeds `each`.

    All transfers under way have received the same since any moment, so that each ends when the common amount has grown
    by its own.
    """
    waiting = sorted((start, index) for index, start in enumerate(starts))
    running: list[tuple[float, int]] = []
    ends = [math.nan] * len(starts)
    now = received = 0.0
    while waiting or running:
        rate = min(each, total / len(running)) if running else 0.0
        end = now + (running[0][0] - received) / rate if running else math.inf
        if waiting and waiting[0][0] <= end:
            start, index = waiting.pop(0)
            received += (start - now) * rate
            now = start
            heapq.heappush(running, (received + amount, index))
        else:
            received, index = heapq.heappop(running)
            now = ends[index] = end
    return ends


def fetch(load: Load, *, warm: bool, jitter: float, rate: float = math.inf, seed: int = 0) -> list[float]:
    """Return the seconds for which each runner waits for data that the server has, in order.

    With `warm` it asks for them `lead` seconds before it needs them, receives at most `rate`, and starts by up to
    `jitter` seconds later; without, `jitter` delays the runner itself and is part of its wait.
    """
    chance = random.Random(seed)
    delays = [chance.uniform(0, jitter) for _ in range(load.runners)]
    needed = load.lead if warm else 0.0
    return sorted(
        max(0.0, end - needed) for end in share_bandwidth(delays, load.needed, load.server, min(rate, load.runner))
    )


def build_cold(load: Load, *, jitter: float, seed: int = 0) -> tuple[int, float]:
    """Return the verifications that all runners build where the server has none, and the last one's end in seconds.

    What one has verified, the others find.  Each takes the artifacts in an order of its own, and its jobs one after
    another.
    """
    chance = random.Random(seed)
    turns: list[tuple[float, int]] = []
    orders: list[list[int]] = []
    for runner in range(load.runners):
        orders.append(chance.sample(range(load.artifacts), load.artifacts))
        start = chance.uniform(0, jitter)
        turns += [(start, runner)] * load.jobs
    heapq.heapify(turns)
    there: dict[int, float] = {}
    built, last = 0, 0.0
    while turns:
        now, runner = heapq.heappop(turns)
        last = max(last, now)
        if not orders[runner]:
            continue
        artifact = orders[runner].pop()
        if there.get(artifact, math.inf) > now:
            built += 1
            now += load.verification
            there[artifact] = min(there.get(artifact, math.inf), now)
        heapq.heappush(turns, (now, runner))
    return built, last


def print_stampede(load: Load, seed: int = 0) -> dict[str, list[float]]:
    """Print what the runners wait for; return the waits by what was done."""
    asked = {
        "nothing": fetch(load, warm=False, jitter=0.0, seed=seed),
        "jitter of 60 s": fetch(load, warm=False, jitter=60.0, seed=seed),
        "ftc warm": fetch(load, warm=True, jitter=0.0, seed=seed),
        "ftc warm, jitter of 60 s": fetch(load, warm=True, jitter=60.0, seed=seed),
        "ftc warm, 10 minutes before": fetch(replace(load, lead=600.0), warm=True, jitter=300.0, rate=20.0, seed=seed),
    }
    least = load.runners * load.needed / load.server
    print(f"\n{load.runners} runners with empty stores, {load.needed:.0f} MB each: {least:.0f} s of the server's link")
    for name, waits in asked.items():
        at = [waits[math.ceil(len(waits) * percent / 100) - 1] for percent in (50, 95, 99)]
        print(f"{name:<28} wait: P50 {at[0]:.0f} s, P95 {at[1]:.0f} s, P99 {at[2]:.0f} s")
    print(f"\n{load.runners} runners, {load.artifacts} artifacts, and nothing on the server")
    for jitter in (0.0, 10.0, 60.0, 300.0):
        built, last = build_cold(load, jitter=jitter, seed=seed)
        each = built / load.artifacts
        print(
            f"starts within {jitter:>3.0f} s: {built:>5} verifications built, {each:>5.1f} of each, {last:.0f} s in all"
        )
    return asked
