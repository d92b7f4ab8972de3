"""Secrets in a real OpenBao: read with a token or an AppRole, and every refusal is one line without a secret."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from services.openbao import LEAVES, READS

from pytest_ftc.builds.inputs.secret_sources import VaultLogin, parse_source
from pytest_ftc.integrations.retry import Persistence
from pytest_ftc.integrations.vault import VaultSecrets
from pytest_ftc.model.errors import FtcError
from pytest_ftc.verification.confidential.named import read_plain

TOKEN = "s.t0ken-of-nobody"
VALUE = "v4ult-pass/word+9"


@pytest.fixture(scope="module")
def filled(openbao):
    openbao.put("ci/deploy", password="old-" + VALUE)
    openbao.put("ci/deploy", password=VALUE, count=3)
    return openbao


def make(server, login=None, **environ):
    """A reader of what is in `server`, an OpenBao or the address of something else; it does not wait long."""
    address, token = (server, TOKEN) if isinstance(server, str) else (server.address, server.server.root)
    environ = {"VAULT_ADDR": address, "VAULT_TOKEN": token, **environ}
    plain = partial(read_plain, environ=environ, root=Path("/"))
    return VaultSecrets(login or VaultLogin(seconds=5), environ, plain, persistence=Persistence(attempts=1))


def read(secrets, name):
    return secrets.read(parse_source(name).vault)


def refusal(secrets, name="vault:secret/ci/deploy#password"):
    with pytest.raises(FtcError) as raised:
        read(secrets, name)
    said = str(raised.value)
    assert said.isprintable(), said
    assert not any(token in said for token in (TOKEN, secrets._environ["VAULT_TOKEN"] or TOKEN))
    return said


def test_a_field_is_read_and_a_version_of_it(filled):
    secrets = make(filled)
    assert read(secrets, "vault:secret/ci/deploy#password") == VALUE
    assert read(secrets, "vault:secret/ci/deploy?version=1#password") == "old-" + VALUE


def test_an_engine_may_have_a_slash_in_its_name(filled):
    filled.mount("team/kv")
    filled.client.secrets.kv.v2.create_or_update_secret("a b", secret={"c": VALUE}, mount_point="team/kv")
    assert read(make(filled), "vault:team%2Fkv/a b#c") == VALUE


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vault:secret/ci/none#password", "secret/ci/none is not there, or was deleted"),
        ("vault:secret/ci/deploy?version=9#password", "secret/ci/deploy, version 9, is not there, or was deleted"),
        ("vault:secret/ci/deploy#pasword", "secret/ci/deploy has no field 'pasword'; did you mean 'password'?"),
        ("vault:secret/ci/deploy#count", "the field 'count' of secret/ci/deploy is no text, but of the type int"),
        ("vault:none/ci/deploy#password", "no engine is mounted there"),
        ("vault:sys/health#password", "sys/health"),
    ],
)
def test_what_is_not_there_is_one_clear_line(filled, name, said):
    assert said in refusal(make(filled), name)


def test_a_deleted_version_is_not_there(filled):
    filled.put("ci/gone", password=VALUE)
    filled.client.secrets.kv.v2.delete_latest_version_of_secret("ci/gone")
    assert "secret/ci/gone is not there, or was deleted" in refusal(make(filled), "vault:secret/ci/gone#password")


def test_a_token_that_is_wrong_expired_or_narrow_is_told_apart(filled):
    stale = "the token is not accepted: it is expired, revoked or wrong"
    assert stale in refusal(make(filled, VAULT_TOKEN="s.nonsense"))
    token = filled.server.token(READS, ttl="1s")
    assert read(make(filled, VAULT_TOKEN=token), "vault:secret/ci/deploy#password") == VALUE
    denied = refusal(make(filled, VAULT_TOKEN=token), "vault:secret/other#password")
    assert "permission to read secret/other is denied" in denied
    time.sleep(1.2)
    assert stale in refusal(make(filled, VAULT_TOKEN=token))


def test_a_token_of_a_file_and_none_at_all(filled, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "there is no token for Vault" in refusal(make(filled, VAULT_TOKEN=""))
    (tmp_path / ".vault-token").write_text(f"{filled.server.root}\n")
    assert read(make(filled, VAULT_TOKEN=""), "vault:secret/ci/deploy#password") == VALUE
    (tmp_path / "odd").write_text("odd-token\nX-Other: header")
    odd = make(filled, VaultLogin(token=f"file:{tmp_path}/odd"))
    assert "odd-token" not in (said := refusal(odd))
    assert "expected a credential of Vault" in said


def test_an_approle_logs_in_and_its_token_is_revoked(filled):
    role, secret = filled.make_role(READS + LEAVES)
    login = VaultLogin(role_id="env:ROLE", secret_id="env:SECRET")
    before = filled.tokens
    secrets = make(filled, login, ROLE=role, SECRET=secret)
    assert filled.tokens == before
    assert read(secrets, "vault:secret/ci/deploy#password") == VALUE
    assert read(secrets, "vault:secret/ci/deploy?version=1#password") == "old-" + VALUE
    assert filled.tokens == before + 1
    secrets.close()
    secrets.close()
    assert (filled.tokens, secrets.problem) == (before, "")


def test_an_approle_whose_token_has_ended_logs_in_again(filled):
    role, secret = filled.make_role(READS + LEAVES, ttl="1s")
    secrets = make(filled, VaultLogin(role_id="env:ROLE", secret_id="env:SECRET"), ROLE=role, SECRET=secret)
    assert read(secrets, "vault:secret/ci/deploy#password") == VALUE
    time.sleep(1.2)
    assert read(secrets, "vault:secret/ci/deploy#password") == VALUE
    secrets.close()


def test_an_approle_that_is_refused_and_one_that_may_not_leave(filled):
    role, secret = filled.make_role(READS)
    login = VaultLogin(role_id="env:ROLE", secret_id="env:SECRET")
    said = refusal(make(filled, login, ROLE=role, SECRET="wr0ng-secret-id"))
    assert "the AppRole at auth/approle is refused" in said
    assert "wr0ng-secret-id" not in said
    assert role not in said
    assert "to log in to Vault: the variable NONE is not set" in refusal(
        make(filled, VaultLogin(role_id="env:ROLE", secret_id="env:NONE"), ROLE=role)
    )
    nowhere = VaultLogin(role_id="env:ROLE", secret_id="env:SECRET", approle="nix")
    assert "the AppRole at auth/nix is refused" in refusal(make(filled, nowhere, ROLE=role, SECRET=secret))
    secrets = make(filled, login, ROLE=role, SECRET=secret)
    assert read(secrets, "vault:secret/ci/deploy#password") == VALUE
    secrets.close()
    assert "could not be revoked" in secrets.problem


def test_a_server_that_is_sealed_or_down_is_one_clear_line(filled):
    filled.server.seal()
    try:
        assert "it is sealed" in refusal(make(filled))
    finally:
        filled.server.unseal()
    assert "the connection failed: is it running?" in refusal(make("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "VAULT_ADDR is not set"),
        ("vault.example.org", "expected https://HOST:PORT"),
        ("https://user:p4ssw0rd@vault.example.org", "expected https://HOST:PORT, without a password"),
        ("https://vault.example.org:99999", "expected https://HOST:PORT"),
        ("http://vault.example.org:8200", "plain HTTP would show the token to others"),
        ("http://127.0.0.1.example.org", "plain HTTP would show the token to others"),
    ],
)
def test_an_address_that_is_no_good_is_refused(address, said):
    with pytest.raises(FtcError) as raised:
        make(address)
    assert said in str(raised.value)
    assert "p4ssw0rd" not in str(raised.value)


def test_plain_http_to_another_machine_is_used_if_it_is_permitted():
    make("http://vault.example.org:8200", VaultLogin(plain_http=True))


@pytest.fixture
def hostile() -> Iterator[tuple[str, list[str]]]:
    """A server that answers as the path of the secret says, and its address; and the tokens that came after a redirect."""
    leaked: list[str] = []

    class Hostile(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/other":
                leaked.append(str(self.headers["X-Vault-Token"]))
            try:
                self.answer(self.path.rpartition("/")[2])
            except OSError:
                return  # the client has gone

        def answer(self, kind: str) -> None:
            if kind == "redirect":
                self.send_response(307)
                self.send_header("Location", "/other")
                self.end_headers()
                return
            self.send_response(500 if kind == "broken" else 200)
            self.end_headers()
            if kind == "huge":
                for _ in range(1 << 12):
                    self.wfile.write(b"x" * 1024)
            elif kind == "slow":
                for _ in range(100):
                    self.wfile.write(b" ")
                    time.sleep(0.1)
            elif kind == "deep":
                self.wfile.write(b"[" * 100_000)
            elif kind == "broken":
                self.wfile.write(json.dumps({"errors": [f"\x1b[31m{TOKEN}"]}).encode())
            else:
                self.wfile.write(kind.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", leaked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("redirect", "it redirects to another address, which is not followed"),
        ("huge", "it sends more than 1048576 bytes"),
        ("slow", "no answer within 1 s"),
        ("deep", ""),
        ("broken", "it does not work (an error of the server)"),
        ("nonsense", "is no secret of a KV engine of version 2"),
        ('{"data": 3}', "is no secret of a KV engine of version 2"),
    ],
)
def test_a_hostile_server_costs_one_line(hostile, kind, said):
    address, leaked = hostile
    # Only one of them is to run out of time, on a busy machine too.
    seconds = 1 if kind == "slow" else 10
    begin = time.monotonic()
    answer = refusal(make(address, VaultLogin(seconds=seconds)), f"vault:secret/{kind}#password")
    assert said in answer
    assert time.monotonic() - begin < seconds + 3
    assert leaked == []
