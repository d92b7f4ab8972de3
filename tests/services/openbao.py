"""Secrets in an OpenBao, which speaks the API of Vault."""

from __future__ import annotations

import time
from typing import Any

from services.kms import Kms

READS = 'path "secret/data/ci/*" { capabilities = ["read"] }\n'
"""A policy that permits to read, and nothing else."""
LEAVES = 'path "auth/token/revoke-self" { capabilities = ["update"] }\n'


class OpenBao:
    """A server that runs, with a KV engine of version 2 at ``secret``."""

    def __init__(self, server: Kms) -> None:
        self.server = server
        self.address = server.address
        self.mount("secret")

    @property
    def client(self) -> Any:
        """A client that may do everything."""
        import hvac

        return hvac.Client(url=self.address, token=self.server.root)

    def mount(self, name: str) -> None:
        """Mount a KV engine of version 2, and wait until it works."""
        self.client.sys.enable_secrets_engine("kv", path=name, options={"version": "2"})
        end = time.monotonic() + 20
        while not self._is_ready(name):
            assert time.monotonic() < end
            time.sleep(0.1)

    def _is_ready(self, name: str) -> bool:
        from hvac.exceptions import VaultError

        try:
            self.client.secrets.kv.v2.create_or_update_secret("first", secret={"a": "b"}, mount_point=name)
        except VaultError:
            return False
        return True

    def put(self, path: str, **fields: object) -> None:
        """Write a new version of a secret."""
        self.client.secrets.kv.v2.create_or_update_secret(path, secret=fields)

    def make_role(self, policy: str, ttl: str = "60s") -> tuple[str, str]:
        """Return the role id and a secret id of a new AppRole."""
        client = self.client
        if "approle/" not in client.sys.list_auth_methods()["data"]:
            client.sys.enable_auth_method("approle")
        client.sys.create_or_update_policy("of-role", policy)
        client.auth.approle.create_or_update_approle(
            "ci", token_policies=["of-role"], token_ttl=ttl, token_no_default_policy=True
        )
        role = client.auth.approle.read_role_id("ci")["data"]["role_id"]
        return str(role), str(client.auth.approle.generate_secret_id("ci")["data"]["secret_id"])

    @property
    def tokens(self) -> int:
        """How many tokens are valid."""
        return len(self.client.list("auth/token/accessors")["data"]["keys"])
