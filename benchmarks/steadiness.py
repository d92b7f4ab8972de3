"""Whether verdicts are the same every time, and whether anything is left behind.

    python benchmarks/steadiness.py [RUNS]

Verifies a mixed set of the fixtures RUNS times (200 by default), each time in a new session without the cache, and
prints every verdict that is not the expected one and everything that a session has left behind:
processes, mounts, folders, shared memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from shutil import copytree

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).parent.parent / "fixtures"
sys.path.append(str(FIXTURES.parent / "tests"))
EXPECTED = {
    "tar-keeps-mtimes": "unreproducible",
    "tar-with-fixed-metadata": "reproducible",
    "tar-in-readdir-order": "unreproducible",
    "zip-with-fixed-metadata": "reproducible",
    "embeds-timestamp": "unreproducible",
    "embeds-build-path": "unreproducible",
    "embeds-random-bytes": "unreproducible",
    "executable-bit-by-umask": "unreproducible",
    "concatenated-in-sorted-order": "reproducible",
    "json-of-set": "unreproducible",
    "json-of-sorted-set": "reproducible",
    "plain-copy": "reproducible",
    "exits-with-error": "failed",
    "breaks-under-other-umask": "fragile",
}


def verify(project: Path, report: Path) -> Counter[tuple[str, str]]:
    """Return how often each fixture of `project` got which verdict."""
    asked = ["--ftc-verify", "--ftc-no-cache", "--ftc-diagnose=off", f"--ftc-store={report.with_name('store')}"]
    command = [sys.executable, "-m", "pytest", *asked, f"--ftc-json={report}", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    try:
        artifacts = json.loads(report.read_text())["artifacts"]
    except (OSError, ValueError):
        sys.exit(f"no report: {done.stdout}{done.stderr}")
    finally:
        report.unlink(missing_ok=True)
    return Counter((artifact["name"], artifact["verdict"]) for artifact in artifacts)


def gather(project: Path) -> None:
    """Make one project of all the fixtures: an artifact each, with its folder as the source."""
    tables = []
    for name in EXPECTED:
        folder = project / name
        copytree(FIXTURES / name, folder)
        own = folder / "ftc.toml"
        text = own.read_text() if own.exists() else (folder / "pyproject.toml").read_text()
        document = tomllib.loads(text)
        settings = document if own.exists() else document["tool"]["ftc"]
        (artifact,) = settings["artifacts"].values()
        keys = [f"{key} = {json.dumps(value)}" for key, value in artifact.items() if not isinstance(value, dict)]
        env = [f"{key} = {json.dumps(value)}" for key, value in artifact.get("env", {}).items()]
        tables += [f"[artifacts.{name}]", f"source = '{name}'", *keys]
        tables += [f"[artifacts.{name}.env]", *env] if env else []
    (project / "ftc.toml").write_text("\n".join(tables))
    (project / "pytest.ini").write_text("[pytest]\n")


def main() -> None:
    """Run and print."""
    from leftovers import find_leftovers, wait_until_gone

    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seen: Counter[tuple[str, str]] = Counter()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="steadiness-") as folder:
        project = Path(folder, "project")
        project.mkdir()
        gather(project)
        before = find_leftovers()
        left: set[str] = set()
        for _ in range(runs):
            seen += verify(project, Path(folder, "report.json"))
            left |= wait_until_gone(before)
    wrong = {pair: count for pair, count in seen.items() if EXPECTED[pair[0]] != pair[1]}
    missing = {name for name in EXPECTED if sum(seen[name, verdict] for verdict in set(EXPECTED.values())) != runs}
    minutes = (time.monotonic() - begin) / 60
    print(f"{runs} runs of {len(EXPECTED)} artifacts in {minutes:.1f} min on {os.cpu_count()} CPUs")
    print(f"verdicts: {sum(seen.values())}, other than expected: {sum(wrong.values())} {wrong or ''}")
    print(f"left behind: {len(left)} {sorted(left) if left else ''}")
    sys.exit(bool(wrong or missing or left))


if __name__ == "__main__":
    main()
