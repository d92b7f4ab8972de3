"""A small project in which a fault is played: a folder, a store of its own, and sessions that push metrics."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Semaphore

from pytest_ftc.model.support.printable import printable

_SECONDS = 120.0
"""How long a session may take."""
_BETWEEN = 0.2
"""Seconds between two looks."""
_PRICE = 36000
"""Of an hour of a CPU: a second costs what a day may."""
_AS_ANYBODY = """\
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
# PR_CAPBSET_DROP of CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, see capabilities(7): then modes count for root, too.
for capability in (1, 2):
    if libc.prctl(24, capability, 0, 0, 0):
        sys.exit(os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The project of one fault."""

    name: str
    """The label ``project`` of what it measures."""
    folder: Path
    pushgateway: str
    slots: Semaphore
    """So many sessions run at a time."""
    said: list[str] = field(default_factory=list)
    """What its sessions printed."""

    @property
    def project(self) -> Path:
        """The folder with the configuration and the sources."""
        return self.folder / "project"

    @property
    def store(self) -> Path:
        """The folder of the store."""
        return self.folder / "store"

    @property
    def keys(self) -> Path:
        """The folder of the keys that sign."""
        return self.folder / "keys"

    def configure(self, builds: Mapping[str, str], more: str = "", tables: str = "") -> None:
        """Write a configuration with an artifact for each of `builds`, which writes ``out``; `more` goes into each."""
        text = [
            'variations = "time,umask"',
            f"[metrics]\nproject = '{self.name}'\npushgateway = '{self.pushgateway}'",
            f"[cost]\nper_cpu_hour = {_PRICE}\ncurrency = 'EUR'",
            tables,
        ]
        for name, build in builds.items():
            text += [f"[artifacts.{name}]\nbuild = '''{build}'''\noutputs = ['out']\ntimeout = 60\n{more}"]
        self.project.mkdir(parents=True, exist_ok=True)
        (self.project / "ftc.toml").write_text("\n".join(text), encoding="utf-8")

    def change(self, text: str) -> None:
        """Change the source, so that no cached verdict fits."""
        (self.project / "source.txt").write_text(text, encoding="utf-8")

    def verify(self, *options: str, obeys_modes: bool = False) -> None:
        """Run a session, without diagnosis unless `options` say so; with `obeys_modes`, modes count for root too."""
        self.run("verify", "--ftc-builds=2", *(options or ("--ftc-diagnose=off",)), obeys_modes=obeys_modes)

    def run(self, *arguments: str, obeys_modes: bool = False) -> None:
        """Run a command of ``ftc``.  Its exit status says nothing: builds are meant to fail."""
        command = [sys.executable, "-m", "pytest_ftc", *arguments]
        if obeys_modes and hasattr(os, "geteuid") and os.geteuid() == 0:
            command = [sys.executable, "-c", _AS_ANYBODY, *command]
        with self.slots:
            self.said.append(_say(command, self.project, self._environment))

    def verify_and_kill(self) -> None:
        """Run a session, and kill it when it has told that it runs, so that it cannot tell its end."""
        command = [sys.executable, "-m", "pytest_ftc", "verify", "--ftc-builds=2"]
        with self.slots, tempfile.TemporaryFile() as output:
            session = subprocess.Popen(
                command,
                cwd=self.project,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            end = time.monotonic() + _SECONDS
            try:
                while session.poll() is None and time.monotonic() < end and not self._tells_that_it_runs():
                    time.sleep(_BETWEEN)
            finally:
                session.kill()
                session.wait()
            output.seek(0)
            self.said.append(printable(output.read().decode("utf-8", "replace")))

    def _tells_that_it_runs(self) -> bool:
        with urllib.request.urlopen(f"{self.pushgateway}/metrics", timeout=_SECONDS) as response:
            text = response.read().decode()
        return re.search(f'^ftc_session_active{{.*project="{self.name}".*}} 1$', text, re.MULTILINE) is not None

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not re.match("FTC_|PYTEST_|XDG_", name)}
        return {
            **kept,
            "FTC_STORE": str(self.store),
            "FTC_KEYRING": str(self.keys),
            # All share the slots for builds of one user.
            "XDG_CACHE_HOME": str(self.folder.parent / "cache"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "GAME_DAY_SECRET": "correct-horse-battery-staple-4711",
        }


def _say(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"") + f"\nended after {_SECONDS:g} s".encode()
    return printable(output.decode("utf-8", "replace"))
