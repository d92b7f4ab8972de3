"""What hundreds of executions in flight cost one client: memory, CPU time, and threads.

`python benchmarks/remote_in_flight.py [--actions N] [--seconds S] [--server HOST:PORT]` gives N actions (500) to a farm
at once, each of which takes S seconds (10), with its command and input tree uploaded and its output read. Without a
server the farm is a small one in another process, which answers by the specification and runs nothing.
The client's figures leave out what importing and connecting cost.

With `--session`, the client is `pytest --ftc-verify --ftc-executor=reapi` with N artifacts; its figures are all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from quick_farm import a_quick_farm

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.attempts import Attempt
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.dispatch import Dispatcher, Policy
from pytest_ftc.integrations.reapi.execution import Execution
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.model.digest import Digest

MOST_MEMORY = 300
"""MB that the client may have with 500 in flight."""
_SESSION = [
    *(sys.executable, "-m", "pytest", "-q", "--ftc-verify", "--ftc-executor=reapi", "--ftc-json=report.json"),
    *("--ftc-builds=2", "--ftc-store=store", "ftc.toml"),
]


def main() -> int:
    """Measure, print, and return the exit status: 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--server", default="")
    parser.add_argument("--session", action="store_true", help="through pytest")
    options = parser.parse_args()
    with nullcontext(options.server) if options.server else a_quick_farm(options.seconds) as target:
        return (measure_session if options.session else measure)(target, options.actions, options.seconds)


def measure_session(target: str, artifacts: int, seconds: float) -> int:
    """Verify `artifacts` on the farm in one session, print the figures, and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="in-flight-") as name:
        folder = Path(name)
        _write_project(folder, target, artifacts)
        begin = time.monotonic()
        session = subprocess.Popen(_SESSION, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threads = _watch_threads(session.pid)
        assert session.stdout is not None
        said = session.stdout.read().decode()
        _, status, used = os.wait4(session.pid, 0)
        session.returncode = status
        wall = time.monotonic() - begin
        report = folder / "report.json"
        if not report.is_file():
            sys.exit(said)
        found = json.loads(report.read_bytes())["artifacts"]
    builds = [build for artifact in found for build in artifact["builds"]]
    verdicts = Counter(artifact["verdict"] for artifact in found)
    at_once = _most_at_once(builds, seconds)
    print(f"artifacts               {artifacts}: {dict(verdicts)}")
    print(f"builds                  {len(builds)}, each {seconds:g} s on the farm, {at_once} at once")
    return _conclude(wall, used.ru_maxrss // 1024, used.ru_utime + used.ru_stime, len(builds), max(threads, default=0))


def _write_project(folder: Path, target: str, artifacts: int) -> None:
    """Write a project with `artifacts`, each with a source of its own."""
    lines = [f'[remote]\nendpoint = "grpc://{target}"\nmax_in_flight = {min(artifacts, 1000)}']
    for number in range(artifacts):
        source = folder / f"source-{number}"
        source.mkdir()
        for index in range(20):
            (source / f"file-{index}").write_text(f"{index} of {number}\n")
        lines.append(f'[artifacts.a{number}]\nsource = "source-{number}"\nbuild = "make out"\noutputs = ["out"]')
    (folder / "ftc.toml").write_text("\n".join(lines) + "\n")
    (folder / "pytest.ini").write_text("[pytest]\n")


def _watch_threads(process: int) -> list[int]:
    """Return a list to which the number of threads of `process` is added each second, until it ends."""
    found: list[int] = []

    def watch() -> None:
        with contextlib.suppress(OSError):
            while True:
                found.append(sum(1 for _ in Path(f"/proc/{process}/task").iterdir()))
                time.sleep(1)

    threading.Thread(target=watch, daemon=True).start()
    return found


def _most_at_once(builds: list[dict[str, Any]], seconds: float) -> int:
    """Return how many of `builds` were on the farm at the same time; each says that it started when it ended."""
    ends: list[float] = sorted(build["started"] for build in builds)
    return max(bisect_right(ends, end) - bisect_right(ends, end - seconds) for end in ends)


def _conclude(wall: float, peak: int, cpu: float, actions: int, threads: int) -> int:
    """Print the figures that all have, and return the exit status."""
    print(f"time                    {wall:.1f} s")
    print(f"memory                  {peak} MB at most")
    print(f"CPU                     {cpu:.1f} s: {cpu / wall:.2f} cores, {cpu / actions * 1000:.1f} ms an action")
    print(f"threads                 {threads}")
    within = peak < MOST_MEMORY and cpu < wall
    print(f"within {MOST_MEMORY} MB and one core: {'yes' if within else 'no'}")
    return 0 if within else 1


def measure(target: str, actions: int, seconds: float) -> int:
    """Give `actions` to the farm at once, print the figures, and return the exit status."""
    with Connection(RemoteAddress(target=target)) as connection:
        connection.call(connection.capabilities())
        memory, cpu, wall, threads = _resident(), _cpu(), time.monotonic(), threading.active_count()
        most: list[int] = []
        answers = connection.call(_run_all(connection, actions, seconds, most))
        cpu, wall = _cpu() - cpu, time.monotonic() - wall
        threads = threading.active_count() - threads
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    assert len(answers) == actions
    print(f"actions                 {actions}, {max(most)} in flight at once, each {seconds:g} s on the farm")
    print(f"for the actions         {peak - memory} MB")
    return _conclude(wall, peak, cpu, actions, threads)


async def _run_all(connection: Connection, actions: int, seconds: float, most: list[int]) -> list[bytes]:
    cas, execution, dispatcher = Cas(connection), Execution(connection), Dispatcher(Policy(max_in_flight=actions))
    running = 0

    async def run(number: int) -> bytes:
        async def launch(attempt: Attempt) -> Any:
            nonlocal running
            running += 1
            most.append(running)
            try:
                contents, action = _describe(number, attempt.number, seconds)
                await cas.upload(contents)
                return await execution.execute(action, on_stage=attempt.enter)
            finally:
                running -= 1

        done = await dispatcher.run(f"artifact {number}", launch)
        (output,) = done.value.result.output_files
        return await cas.read(api.to_digest(output.digest), 1 << 20)

    return await asyncio.gather(*map(run, range(actions)))


def _describe(number: int, attempt: int, seconds: float) -> tuple[dict[Digest, Any], Digest]:
    """Return an action and its contents: the input tree is common to all, the command is not."""
    tree = build_tree([Entry.of(f"source/file-{index}", b"%d" % index) for index in range(20)])
    sh = f"sleep {seconds}; echo {number} > out"
    command = api.serialize(api.Command(arguments=["/bin/sh", "-c", sh], output_paths=["out"]))
    action = api.serialize(
        api.Action(
            command_digest=api.to_message(Digest.of(command)),
            input_root_digest=api.to_message(tree.root),
            do_not_cache=True,
            salt=os.urandom(16) + b"%d" % attempt,
        )
    )
    contents = {**tree.contents, Digest.of(command): command, Digest.of(action): action}
    return contents, Digest.of(action)


def _resident() -> int:
    """Return the MB of memory in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 20


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
