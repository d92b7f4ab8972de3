"""Audits the action cache of a real BuildGrid that holds 40 results, ten of them planted: are all ten named?

    .venv/bin/python benchmarks/audit_buildgrid.py

Thirty are what their commands make on this machine.  The others leak the time, depend on a race, name altered bytes, or
name contents that are gone.  `ftc audit-cache --on-farm` gets the actions as a log of executions, and then with
--check-only as a list of digests alone: it shows what of the ten no list can tell.  The exit status is 1 if one of the
ten is not named, or one of the thirty is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from services.buildbox import python_folders
from services.buildgrid_server import BuildGrid
from services.planted_cache import PATH, PlantedCache
from services.reapi_servers import STANDARD

from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.model.digest import Digest

_SOUND = {
    "copy": "cat in > out",
    "sort": "LC_ALL=C sort in > out",
    "reverse": "tac in > out",
    "digest": "sha256sum in > out",
    "lines": "wc -l < in > out",
    "upper": "tr a-z A-Z < in > out",
    "gzip": "gzip -n < in > out",
    "xz": "xz -c < in > out",
    "base64": "base64 in > out",
    "tar": "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a=r -cf out in",
    "awk": "awk '{ print length }' in > out",
    "sed": "sed s/line/row/ in > out",
    "python": "python3 -S -c 'print(sorted(open(\"in\")))' > out",
    "head": "head -n 3 in > out",
    "cut": "cut -c 1-3 in > out",
}
_SEEDS = ("one", "two")
"""Each of the commands above runs on two inputs."""
_RACE = "".join(f"(sleep 0.0$(shuf -i 10-90 -n 1); echo {name} >> out) & " for name in "abcdef") + "wait"
_LOOP = "for i in 1 2 3 4 5 6 7; do (sleep 0.0$(shuf -i 10-90 -n 1); echo $i >> out) & done; wait"
_WRONG = {
    "time in a text": ("date +%s > out", "unreproducible"),
    "time in an archive": ("tar cf out in", "unreproducible"),
    "time in a gzip header": ('python3 -S -c \'import gzip; gzip.open("out", "w").write(b"x")\'', "unreproducible"),
    "race of writers": (_RACE, "unreproducible"),
    "race in a loop": (_LOOP, "unreproducible"),
    "altered output": ("echo altered one > out", "altered"),
    "altered input": ("wc -c < in > out", "altered"),
    "output gone": ("echo output gone > out", "dangling"),
    "output in a folder gone": ("mkdir tree; echo deep gone > tree/out", "dangling"),
    "input gone": ("wc -l < in > out", "dangling"),
}
"""By name: the command, and what has to be said."""


def main() -> int:
    """Plant, audit, print, and return the exit status."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with BuildGrid(python_folders()) as server, tempfile.TemporaryDirectory(prefix="audit-") as name:
        folder = Path(name)
        with Connection(RemoteAddress(target=server.target)) as connection:
            cache = PlantedCache(connection, lambda digest: server.file(digest.hash), properties=STANDARD)
            outputs = plant(cache)
        write_log(folder / "log.json", cache, outputs)
        cache.write_list(folder / "list")
        begin = time.monotonic()
        found = audit(server, folder, "log.json", "--on-farm")
        took = time.monotonic() - begin
        checked = audit(server, folder, "list", "--check-only")
    return report(found, checked, took)


def plant(cache: PlantedCache) -> dict[str, dict[str, bytes]]:
    """Fill the cache; return the outputs of each action."""
    outputs: dict[str, dict[str, bytes]] = {}
    for seed in _SEEDS:
        text = "".join(f"line {number} of {seed}\n" for number in range(20)).encode()
        for name, script in _SOUND.items():
            outputs[f"{name} {seed}"] = {"out": run(script, text)}
            cache.plant(f"{name} {seed}", script, outputs[f"{name} {seed}"], inputs={"in": text})
    for name, (script, _) in _WRONG.items():
        text = f"input of {name}\n".encode()
        if name == "output in a folder gone":
            outputs[name] = {"tree/out": b"deep gone\n"}
            cache.plant(name, script, {}, inputs={"in": text}, trees={"tree": {"out": b"deep gone\n"}})
        else:
            outputs[name] = {"out": run(script, text)}
            cache.plant(name, script, outputs[name], inputs={"in": text})
    cache.alter(b"altered one\n")
    cache.alter(b"input of altered input\n")
    cache.remove(b"output gone\n")
    cache.remove(b"deep gone\n")
    cache.remove(b"input of input gone\n")
    return outputs


def run(script: str, text: bytes) -> bytes:
    """Return what `script` makes on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in").write_bytes(text)
        subprocess.run(["/bin/sh", "-c", script], cwd=folder, check=True, env={"PATH": PATH})
        return Path(folder, "out").read_bytes()


def write_log(path: Path, cache: PlantedCache, outputs: Mapping[str, Mapping[str, bytes]]) -> None:
    """Write what Bazel's --execution_log_json_file would say of the actions."""
    entries = []
    for name, digest in cache.listed.items():
        listed = [{"path": each, "digest": as_json(Digest.of(data))} for each, data in outputs[name].items()]
        entries.append({"targetLabel": name, "digest": as_json(digest), "actualOutputs": listed})
    path.write_text("\n".join(map(json.dumps, entries)))


def as_json(digest: Digest) -> dict[str, str]:
    """Return `digest` as in a log of Bazel."""
    return {"hash": digest.hash, "sizeBytes": str(digest.size), "hashFunctionName": "SHA-256"}


def audit(server: BuildGrid, folder: Path, listed: str, how: str) -> dict[str, Any]:
    """Return what the command says of each action, by its name."""
    words = ["audit-cache", listed, how, f"--server-cas={server.endpoint}", "--json=found.json", f"--state={listed}.s"]
    words.append("--timeout=60s")
    done = subprocess.run(
        [sys.executable, "-m", "pytest_ftc", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 1:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return {one["label"]: one for one in json.loads((folder / "found.json").read_text())["actions"]}


def report(found: Mapping[str, Any], checked: Mapping[str, Any], took: float) -> int:
    """Print what was said of the ten, and how it compares; return the exit status."""
    executions = sum(one["executions"] for one in found.values())
    print(f"{len(found)} actions audited on BuildGrid in {took:.0f} s, with {executions} executions\n")
    print(f"{'planted':26}{'with the log':16}{'list, contents only':22}causes, or reason")
    for name in _WRONG:
        causes = sorted({f"{each['cause']}{'' if each['confirmed'] else ' (likely)'}" for each in found[name]["found"]})
        said = ", ".join(causes) or found[name]["reason"][:100]
        print(f"{name:26}{found[name]['standing']:16}{checked[name]['standing']:22}{said}")
    named = [name for name, (_, expected) in _WRONG.items() if found[name]["standing"] == expected]
    false = {name: one["standing"] for name, one in found.items() if name not in _WRONG}
    false = {name: standing for name, standing in false.items() if standing != "reproducible"}
    print(
        f"\nnamed {len(named)} of {len(_WRONG)}; false alarms {len(false)} of {len(found) - len(_WRONG)} {false or ''}"
    )
    hidden = [name for name, one in checked.items() if one["standing"] == "absent"]
    print(f"what only the log tells: {', '.join(hidden)}: {checked[hidden[0]]['reason']}" if hidden else "")
    return int(len(named) < len(_WRONG) or bool(false))


if __name__ == "__main__":
    sys.exit(main())
