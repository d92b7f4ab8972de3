"""Real servers, started by the tests on free ports of this machine, and ended by them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Here and not where it is used: pytester forgets what is imported while it runs a session in this process, and of what is
# imported again some parts would be those of before.
import oras.client
import pytest
from functional.conftest import (  # noqa: F401
    _no_test_remembers_another,
    _nothing_is_left_behind,
    clean_environment,
    project,
    pytester,
    verify,
)
from services.buildbox import python_folders
from services.buildgrid_server import BuildGrid
from services.kms import Kms
from services.openbao import OpenBao
from services.reapi_servers import Casd

from pytest_ftc.cli.main import main

_CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: {deletes}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_PASSWORDS = 'auth: {{htpasswd: {{realm: "test", path: {folder}/passwords}}}}\n'
USER, PASSWORD = "user", "pass-word-1"
_HASHED = "user:$2b$05$abcdefghijklmnopqrstuupSO9sO3ASIekd.qADcbb/jgkLKkQBR2\n"


@dataclass(frozen=True)
class Registry:
    """A docker-registry that runs."""

    host: str
    folder: Path
    kill: Callable[[], None]
    """Ends it with SIGKILL."""
    restart: Callable[[], None]
    """Starts it again, with what is on its disk."""

    def push(self, target: str, folder: Path, **files: bytes) -> str:
        """Push `files` as oras does; return the digest of their manifest."""
        folder.mkdir()
        for name, data in files.items():
            (folder / name.replace("_", ".")).write_bytes(data)
        client = oras.client.OrasClient(insecure=True)
        paths = sorted(str(path) for path in folder.iterdir())
        response = client.push(f"{self.host}/{target}", files=paths, disable_path_validation=True, quiet=True)
        return str(response.headers["Docker-Content-Digest"])

    def put_manifest(self, target: str, manifest: dict[str, Any]) -> None:
        """Push a `manifest` that no client would."""
        client = oras.client.OrasClient(insecure=True)
        response = client.upload_manifest(manifest, client.get_container(f"{self.host}/{target}"))
        assert response.status_code == 201, response.text

    def manifest(self, target: str) -> dict[str, Any]:
        return dict(oras.client.OrasClient(insecure=True).get_manifest(f"{self.host}/{target}"))

    def blob(self, digest: str) -> Path:
        """Return the file in which the registry holds a content."""
        (found,) = self.folder.rglob(f"{digest.removeprefix('sha256:')}/data")
        return found

    def get(self, path: str, accept: str = "*/*") -> Any:
        """Return the JSON at a `path` below ``/v2/``; None if there is none."""
        request = urllib.request.Request(f"http://{self.host}/v2/{path}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            error.close()
            return None


def start(folder: Path, more: str = "", *, deletes: bool = True) -> Iterator[Registry]:
    program = shutil.which("docker-registry")
    if program is None:
        pytest.fail("docker-registry is not installed (apt-get install docker-registry): its tests cannot run")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / "config.yml"
    text = _CONFIGURATION.format(folder=folder / "data", port=port, deletes=str(deletes).lower())
    file.write_text(text + more.format(folder=folder))
    server = _run(program, folder, port)
    running = [server]

    def restart() -> None:
        running[-1].wait(20)
        running.append(_run(program, folder, port))

    try:
        yield Registry(f"127.0.0.1:{port}", folder, lambda: running[-1].kill(), restart)
    finally:
        running[-1].kill()
        running[-1].wait()


def _run(program: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    with open(folder / "log", "ab") as log:
        environ = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        server = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log, env=environ)
    try:
        _wait_until_it_answers(port, server, folder / "log")
    except BaseException:
        server.kill()
        server.wait()
        raise
    return server


def _wait_until_it_answers(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5).close()
        except urllib.error.HTTPError:
            return  # it asks for a password
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"docker-registry does not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that anybody may use."""
    yield from start(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def private_registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry that only `USER` may use."""
    (tmp_path / "passwords").write_text(_HASHED)
    yield from start(tmp_path, _PASSWORDS)


@pytest.fixture(scope="session")
def running_kms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kms]:
    server = Kms(tmp_path_factory.mktemp("kms"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def kms(running_kms: Kms, monkeypatch: pytest.MonkeyPatch) -> Kms:
    """A key management service that runs, with the variables that name it and its administrator's token."""
    monkeypatch.setenv("VAULT_ADDR", running_kms.address)
    monkeypatch.setenv("VAULT_TOKEN", running_kms.root)
    return running_kms


@pytest.fixture(scope="session")
def openbao(running_kms: Kms) -> OpenBao:
    """The same server, which keeps secrets too."""
    return OpenBao(running_kms)


@pytest.fixture(scope="session")
def running_casd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casd]:
    with Casd(tmp_path_factory.mktemp("casd"), python_folders()) as server:
        yield server


@pytest.fixture
def casd(running_casd: Casd) -> Casd:
    """A farm of one machine that runs, whose workers have the folders of this Python; not to be killed."""
    return running_casd


@pytest.fixture
def own_casd(tmp_path: Path) -> Iterator[Casd]:
    """One that is the test's own, which may be killed."""
    with Casd(tmp_path / "casd", python_folders()) as server:
        yield server


@pytest.fixture(scope="module")
def buildgrid() -> Iterator[BuildGrid]:
    """A farm with a scheduler, and a worker in each of the pools ``a`` and ``b``; it starts within seconds.

    Who kills a part of it starts it again.
    """
    with BuildGrid(python_folders()) as server:
        yield server


@pytest.fixture
def ftc(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command, in this process; it returns what is printed."""

    def run(*arguments: object, status: int = 0) -> str:
        found = main([str(argument) for argument in arguments])
        printed = "".join(capsys.readouterr())
        assert found == status, printed
        assert "Traceback" not in printed
        return printed

    return run
