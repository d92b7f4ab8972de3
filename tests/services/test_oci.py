"""Published files in a registry: ``reference = "oci:..."``."""

import contextlib
import hashlib
import importlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from services.conftest import PASSWORD, USER

from pytest_ftc.integrations.oci import Bounds, OciImages
from pytest_ftc.integrations.retry import Persistence
from pytest_ftc.model.errors import SourceError

PROJECT = """
[artifacts.{name}]
build = "echo built > out.txt; echo more > more.txt"
outputs = ["out.txt", "more.txt"]
source = "src"
reference = "oci:{host}/{target}"
"""
GOOD = {"out_txt": b"built\n", "more_txt": b"more\n"}
OPTIONS = ("--ftc-variations=home,umask", "--ftc-diagnose=fast")


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path / "fetched")


def make_images(folder, **persistence):
    """Images that wait but little."""
    quick = Persistence(**{"first_wait": 0.01, **persistence})
    return OciImages(folder, bounds=Bounds(connect=1, read=1, total=3, size=1 << 20, persistence=quick))


def test_builds_must_equal_what_a_registry_holds(verify, project, registry, tmp_path):
    (project / "src").mkdir()
    pushed = registry.push("team/app:1.0", tmp_path / "good", **GOOD)
    registry.push("team/app:2.0", tmp_path / "other", **{**GOOD, "out_txt": b"else\n"})
    registry.push("team/app:3.0", tmp_path / "tampered", out_txt=b"built\n", more_txt=b"tampered\n")
    blob = registry.blob(hashlib.sha256(b"tampered\n").hexdigest())
    blob.write_bytes(b"Tampered\n")
    targets = {
        "equal": "team/app:1.0",
        "pinned": f"team/app@{pushed}",
        "unequal": "team/app:2.0",
        "tampered": "team/app:3.0",
        "missing": "team/app:9.9",
        "nothing": "team/nothing:1.0",
    }
    run = verify(
        "".join(PROJECT.format(name=name, host=registry.host, target=target) for name, target in targets.items()),
        *OPTIONS,
    )
    assert run.verdicts == {
        "equal": "reproducible",
        "pinned": "reproducible",
        "unequal": "unreproducible",
        "tampered": "error",
        "missing": "error",
        "nothing": "error",
    }
    assert "equal to what was published" in " ".join(run.artifact("pinned")["notes"])
    (finding,) = run.artifact("unequal")["findings"]
    assert (finding["output"], finding["evidence"]) == ("out.txt", {"control": "else", "experiment": "built"})
    assert "against what was published" in finding["location"]
    assert "the content does not match the manifest" in run.artifact("tampered")["reason"]
    assert "there is no such manifest" in run.artifact("missing")["reason"]
    # What is remembered is answered for the same published files only.
    registry.push("team/app:1.0", tmp_path / "moved", **{**GOOD, "more_txt": b"moved\n"})
    again = verify(None, *OPTIONS)
    assert (again.verdicts["equal"], again.artifact("equal")["cached"]) == ("unreproducible", False)
    assert (again.verdicts["pinned"], again.artifact("pinned")["cached"]) == ("reproducible", True)


def test_a_password_is_given_and_never_told(private_registry, tmp_path, monkeypatch, images, caplog, capfd):
    caplog.set_level(logging.INFO)
    name = f"oci:{private_registry.host}/app:1.0"
    with pytest.raises(SourceError, match="denies access; log in to it"):
        images.digests(name)
    encoded = importlib.import_module("oras.auth.utils").get_basic_auth(USER, PASSWORD)
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {private_registry.host: {"auth": encoded}}}))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / ".docker"))
    with pytest.raises(SourceError, match="there is no such manifest") as raised:
        images.digests(name)
    told = str(raised.value) + caplog.text + "".join(capfd.readouterr())
    assert not any(secret in told for secret in (PASSWORD, encoded))
    (tmp_path / ".docker" / "config.json").write_text(
        json.dumps({"auths": {private_registry.host: {"auth": encoded[:-4]}}})
    )
    with pytest.raises(SourceError, match="denies access"):
        images.digests(name)


@pytest.mark.parametrize(
    "title", ["../evil", "..", "/etc/passwd", "a\\b", "a\nb", "a\x1b[31m", "", "\u202egpj.exe", None]
)
def test_a_hostile_name_is_refused(registry, tmp_path, images, title):
    registry.push("team/hostile:1.0", tmp_path / "files", **GOOD)
    manifest = registry.manifest("team/hostile:1.0")
    manifest["layers"][0]["annotations"] = {} if title is None else {"org.opencontainers.image.title": title}
    registry.put_manifest("team/hostile:2.0", manifest)
    with pytest.raises(SourceError, match=r"is not a valid file name|has no name") as raised:
        images.fetch(f"oci:{registry.host}/team/hostile:2.0")
    assert str(raised.value).isprintable()


def test_what_is_too_large_twice_there_or_a_folder_is_refused(registry, tmp_path, images):
    registry.push("team/odd:1.0", tmp_path / "files", **GOOD)
    name = f"oci:{registry.host}/team/odd:"
    manifest = registry.manifest("team/odd:1.0")
    registry.put_manifest("team/odd:twice", {**manifest, "layers": manifest["layers"][:1] * 2})
    registry.put_manifest("team/odd:empty", {**manifest, "layers": []})
    packed = {
        **manifest["layers"][0],
        "annotations": {"org.opencontainers.image.title": "d", "io.deis.oras.content.unpack": "true"},
    }
    registry.put_manifest("team/odd:folder", {**manifest, "layers": [packed]})
    registry.push("team/odd:large", tmp_path / "large", large_bin=bytes((1 << 20) + 1))
    for tag, told in (
        ("twice", "two of its files have the same name"),
        ("empty", "it contains no files"),
        ("folder", "d is a packed folder"),
        ("large", "have more than 1048576 bytes"),
    ):
        with pytest.raises(SourceError, match=told):
            images.fetch(name + tag)


@contextlib.contextmanager
def answering(answer):
    """A server that does `answer` with each connection, and what it was sent."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        seen.append(connection.recv(65536))
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", seen
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode() + body


def hang(connection: socket.socket) -> None:
    connection.recv(1)


def send(*data: bytes):
    return lambda connection: connection.sendall(b"".join(data))


ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100000\r\n%b\r\n" % bytes(1 << 20) * 8


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (hang, "did not answer in time"),
        (lambda connection: connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"), "the connection to the registry failed"),
        (send(b"\x00\xff garbage \r\n\r\n"), "the connection to the registry failed"),
        (send(http(b"<html>hello</html>")), "not that of an OCI artifact"),
        (send(http(b"[" * 100_000)), "not that of an OCI artifact"),
        (send(http(b'{"layers": [{"digest": "sha256:1", "size": 1, "annotations": {"org.opencontainers.image.title": "a"}}]}')), "a has no sha256 digest"),
        (send(http(b"{}", Docker_Content_Digest="sha256:" + "0" * 64)), "its manifest has the digest"),
        (send(http(b"", "500 Internal Server Error")), "answered with status 500"),
        (send(http(b"", "302 Found", Location="http://169.254.0.1/secret?sig=hidden")), "refers to 169.254.0.1 over plain HTTP"),
        (send(http(b"", "401 Unauthorized", WWW_Authenticate='Bearer realm="http://169.254.0.1/token",service="x"')), "over plain HTTP"),
        (send(http(b"", "401 Unauthorized")), "denies access"),
        (send(ENDLESS), "sends more than 4194304 bytes"),
        (send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), "the connection was lost"),
    ],
    ids=["hangs", "resets", "garbage", "page", "deep", "digest", "other", "status", "redirect", "realm", "access", "endless", "short"],
)  # fmt: skip
def test_a_registry_that_answers_badly_is_an_error(images, answer, told):
    with answering(answer) as (host, _), pytest.raises(SourceError) as raised:
        images.digests(f"oci:{host}/app:1.0")
    assert told in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_a_redirect_leaves_the_password_behind_and_a_circle_ends(images, tmp_path, monkeypatch):
    (tmp_path / ".docker").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    with answering(lambda connection: connection.sendall(http(b"", "302 Found", Location=f"http://{host}/again"))) as (
        host,
        seen,
    ):
        (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {host: {"auth": "c2VjcmV0"}}}))
        with pytest.raises(SourceError, match="too many redirects"):
            images.digests(f"oci:{host}/app:1.0")
    assert 1 < len(seen) < 10
    assert not any(b"c2VjcmV0" in one for one in seen)


def test_nobody_waits_for_a_registry_that_drips_or_for_one_that_is_not_there(images):
    def slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        ended.wait(0.3)
        while not ended.wait(0.3):
            connection.sendall(b" ")

    ended = threading.Event()
    with answering(slowly) as (host, _):
        with pytest.raises(SourceError, match="did not arrive within 3 s"):
            images.digests(f"oci:{host}/app:1.0")
        ended.set()
    with pytest.raises(SourceError, match="the connection to the registry failed"):
        images.digests(f"oci:{host}/app:1.0")


def test_a_registry_that_drips_holds_up_no_longer_than_so_small_a_file_may_take(images, tmp_path):
    def slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not ended.wait(0.3):
            connection.sendall(b" ")

    ended = threading.Event()
    patient = OciImages(tmp_path, bounds=Bounds(start=1, persistence=Persistence()))
    began = time.monotonic()
    with answering(slowly) as (host, _):
        with pytest.raises(SourceError, match="did not arrive within 1 s"):
            patient.digests(f"oci:{host}/app:1.0")
        ended.set()
    assert time.monotonic() - began < 30


RESET = (socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
BUSY = http(b"", "429 Too Many Requests")
LISTS_ONE = http(json.dumps({"layers": [{"digest": f"sha256:{'1' * 64}", "size": 1, "annotations": {"org.opencontainers.image.title": "a"}}]}).encode())  # fmt: skip


@pytest.mark.parametrize(
    "fault",
    [send(BUSY), send(http(b"", "503 Service Unavailable")), lambda connection: connection.setsockopt(*RESET)],
    ids=["busy", "unavailable", "reset"],
)
def test_a_fault_that_passes_is_outlasted(images, fault):
    faults = iter([fault, fault])
    with answering(lambda connection: next(faults, send(LISTS_ONE))(connection)) as (host, seen):
        assert images.digests(f"oci:{host}/app:1.0") == {"a": "1" * 64}
    assert len(seen) == 3


def test_a_registry_that_hangs_again_and_again_is_left_alone_and_then_asked_once(tmp_path):
    images, ill = make_images(tmp_path, failures=2, rest=1), threading.Event()
    ill.set()
    with answering(lambda connection: (hang if ill.is_set() else send(LISTS_ONE))(connection)) as (host, seen):
        for _ in range(2):
            with pytest.raises(SourceError, match="did not answer in time"):
                images.digests(f"oci:{host}/app:1.0")
        for _ in range(5):
            with pytest.raises(
                SourceError,
                match="it failed 2 times in a row and is paused: .* did not answer in time",
            ):
                images.digests(f"oci:{host}/other:1.0")
        assert len(seen) == 2
        ill.clear()
        time.sleep(1)
        assert images.digests(f"oci:{host}/other:1.0") == {"a": "1" * 64}


def test_a_registry_that_is_ill_does_not_keep_others_from_being_asked(tmp_path):
    images = make_images(tmp_path, failures=1, rest=600)
    with answering(send(b"garbage")) as (ill, _), answering(send(LISTS_ONE)) as (well, _):
        with pytest.raises(SourceError):
            images.digests(f"oci:{ill}/app:1.0")
        assert images.digests(f"oci:{well}/app:1.0") == {"a": "1" * 64}


def test_a_session_that_ends_waits_for_no_registry(tmp_path):
    with answering(hang) as (host, _), pytest.raises(SourceError, match="the session ended"):
        OciImages(tmp_path, lambda: True, Bounds(read=1)).digests(f"oci:{host}/app:1.0")


def test_without_the_extra_it_is_said_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['oras'] = None; from pathlib import Path; from pytest_ftc.integrations.oci import OciImages;"
        "OciImages(Path('.')).digests('oci:example.org/app:1.0')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=os.environ)
    assert "need oras, which is not installed\npip install 'pytest-ftc[oci]'" in done.stderr
