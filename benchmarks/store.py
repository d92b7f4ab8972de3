"""What the store costs, as ratios against doing the same by hand in one run.

    python benchmarks/store.py

- 1 GB: putting it, against `cp` and `sha256sum` of the same file (and with `sync` behind `cp`, since what is put is
  durable), and getting it, verified, against `cp` and `sha256sum`;
- small contents: putting and getting 100,000 of 1 kB, against a loop that writes and reads plain files;
- cache: verifying 100 and 1,000 unchanged artifacts, against `sha256sum` of their sources, in seconds beyond what
  pytest takes by itself; after a change of one source file, which artifacts are built.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pytest_ftc.model.digest import Digest
from pytest_ftc.store.cas import LocalStore

LARGE = 1 << 30
SMALL, COUNT = 1000, 100_000
RUNS = 3


def seconds(call: Callable[[], object]) -> float:
    """Return the time of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def median_seconds(call: Callable[[], object]) -> float:
    """Return the median time of some calls."""
    return statistics.median(seconds(call) for _ in range(RUNS))


def run(*command: str | Path) -> None:
    """Run `command`, which must succeed."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def measure_large(folder: Path) -> None:
    """Print what one large content costs."""
    source, copy = folder / "source", folder / "copy"
    with open(source, "wb") as file:
        for _ in range(LARGE >> 20):
            file.write(os.urandom(1 << 20))
    run("sync", "-f", folder)
    digest = Digest("", 0)

    def put() -> None:
        nonlocal digest
        store = LocalStore(folder / "large")
        digest = store.put_file(source)
        store.close()
        put_places.append(store.layout.blob(digest.hash))

    def by_hand(*, sync: bool) -> None:
        copy.unlink(missing_ok=True)
        run("cp", source, copy)
        run("sha256sum", copy)
        if sync:
            run("sync", "-f", folder)

    put_places: list[str] = []
    times = []
    for _ in range(RUNS):
        for place in put_places:
            Path(place).unlink(missing_ok=True)
        times.append(seconds(put))
    plain = median_seconds(lambda: by_hand(sync=False))
    synced = median_seconds(lambda: by_hand(sync=True))
    store = LocalStore(folder / "large")

    def get() -> None:
        store.get_file(digest, copy)

    got = median_seconds(get)
    put_time = statistics.median(times)
    print(f"1 GB, cp and sha256sum:        {plain:7.2f} s; with sync {synced:.2f} s")
    print(f"1 GB, put (durable):           {put_time:7.2f} s, ratio {put_time / plain:.2f}, {put_time / synced:.2f}")
    print(f"1 GB, get (verified):          {got:7.2f} s, ratio {got / plain:.2f}")
    store.close()


def measure_small(folder: Path) -> None:
    """Print what many small contents cost."""
    contents = [os.urandom(SMALL) for _ in range(COUNT)]
    plain = folder / "plain"
    for number in range(256):
        (plain / f"{number:02x}").mkdir(parents=True)

    def write() -> None:
        for number, data in enumerate(contents):
            with open(plain / f"{number % 256:02x}" / str(number), "wb") as file:
                file.write(data)
        run("sync", "-f", folder)

    def read() -> None:
        for number in range(COUNT):
            with open(plain / f"{number % 256:02x}" / str(number), "rb") as file:
                file.read()

    written, done = seconds(write), median_seconds(read)
    store = LocalStore(folder / "small")
    digests: list[Digest] = []

    def put() -> None:
        with store.batch() as batch:
            digests.extend(batch.put(data) for data in contents)

    def get() -> None:
        for digest in digests:
            store.get(digest)

    put_time, get_time = seconds(put), median_seconds(get)
    print(f"{COUNT:,} of 1 kB, plain files: write {COUNT / written:,.0f}/s (with one sync), read {COUNT / done:,.0f}/s")
    print(f"{COUNT:,} of 1 kB, the store:   put {COUNT / put_time:,.0f}/s, ratio of times {put_time / written:.2f}")
    print(f"{'':30} get {COUNT / get_time:,.0f}/s, ratio of times {get_time / done:.2f} (verified)")
    store.close()


def make_project(folder: Path, count: int) -> None:
    """Write a project of `count` artifacts with sources of their own, and commit it."""
    tables = []
    for number in range(count):
        source = folder / "src" / f"a{number}"
        source.mkdir(parents=True)
        for name in range(5):
            (source / f"{name}.txt").write_text(f"{count} {number} {name}\n" * 50)
        tables += [
            f"[artifacts.a{number}]",
            f'source = "src/a{number}"',
            "build = 'cat *.txt > out'",
            "outputs = ['out']",
        ]
    (folder / "ftc.toml").write_text("\n".join(tables))
    (folder / "pytest.ini").write_text("[pytest]\n")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "all")):
        run("git", "-C", folder, *arguments)


def measure_cache(folder: Path, count: int) -> None:
    """Print what verifying unchanged artifacts costs."""
    make_project(folder, count)
    report = folder.parent / f"report-{count}.json"
    command = [sys.executable, "-m", "pytest", "-q"]
    verify = [*command, "--ftc-verify", "--ftc-variations=quick,-time", f"--ftc-json={report}"]

    def call(words: list[str], status: int = 0) -> float:
        def act() -> None:
            assert subprocess.run(words, cwd=folder, stdout=subprocess.DEVNULL).returncode == status

        return seconds(act)

    first = call(verify)
    empty = statistics.median(call(command, 5) for _ in range(RUNS))
    again = statistics.median(call(verify) for _ in range(RUNS))
    sources = sorted(str(path) for path in (folder / "src").rglob("*.txt"))
    digests = median_seconds(lambda: run("sha256sum", *sources))
    (folder / "src" / "a7" / "0.txt").write_text(f"changed {count}\n")
    call(verify)
    built = [one["name"] for one in json.loads(report.read_bytes())["artifacts"] if not one["cached"]]
    beyond = again - empty
    print(f"{count:5} artifacts, first:         {first:7.2f} s")
    print(f"{count:5} unchanged:                {again:7.2f} s, {beyond:.2f} s beyond pytest's own {empty:.2f} s")
    print(f"{'':6}against sha256sum:        {digests:7.2f} s, ratio {beyond / digests:.0f}")
    print(f"{'':6}one source file changed:  built {', '.join(built)}")


def main() -> None:
    """Measure all of it, on the disk that holds the temporary folder."""
    with tempfile.TemporaryDirectory(prefix="store-benchmark-") as name:
        folder = Path(name)
        os.environ["FTC_STORE"] = str(folder / "store")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each session would compile everything anew
        measure_large(folder)
        measure_small(folder)
        for count in (100, 1000):
            (folder / str(count)).mkdir()
            measure_cache(folder / str(count), count)


if __name__ == "__main__":
    main()
