"""Secrets in Vault or OpenBao: fields of a KV engine of version 2, read by hvac with a token or an AppRole."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from pytest_ftc.builds.inputs.secret_sources import SecretSource, VaultField, VaultLogin, parse_source
from pytest_ftc.integrations.deadline import call_within
from pytest_ftc.integrations.retry import Persistence, Service, ServiceError
from pytest_ftc.integrations.vault_session import RefusedError, explain, make_session
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.suggestion import suggest

T = TypeVar("T")
NO_EXTRA = "secrets in Vault need the extra 'vault': pip install 'pytest-ftc[vault]'"
_ADDRESS = "VAULT_ADDR"
_TOKEN_FILE = "~/.vault-token"
"""Where the command line of Vault keeps a token."""


class VaultSecrets:
    """Reads fields, and logs in for the first one.  Nothing that a server or a library says is shown as it is."""

    def __init__(
        self,
        login: VaultLogin,
        environ: Mapping[str, str],
        read_plain: Callable[[SecretSource], bytes],
        cancelled: Callable[[], bool] = lambda: False,
        persistence: Persistence = Persistence(),  # noqa: B008
    ) -> None:
        """`read_plain` returns the value of a variable or of a file.  Raises FtcError."""
        self._login = login
        self._environ = environ
        self._read_plain = read_plain
        self._cancelled = cancelled
        self._address = check_address(environ.get(_ADDRESS, ""), plain=login.plain_http)
        try:
            import_module("hvac")
        except ImportError:
            raise FtcError(NO_EXTRA) from None
        self._service = Service(persistence, cancelled)
        self._client: Any = None
        self.problem = ""
        """Why the token of this session could not be revoked."""

    def read(self, field: VaultField) -> str:
        """Return the value of `field`.  Raises FtcError."""
        client = self._client or self._log_in()
        try:
            answer = self._call(partial(_read, client, field))
        except RefusedError as error:
            if not (error.stale and self._login.role_id):
                raise FtcError(self._at(str(error))) from None
            # The token of an AppRole is short-lived, and may have ended since the first secret was read.
            self._client = None
            answer = self._again(field)
        return self._pick(answer, field)

    def close(self) -> None:
        """Revoke the token, if this session has created it; may be called again."""
        client, self._client = self._client, None
        if client is None or not self._login.role_id:
            return
        try:
            call_within(self._login.seconds, lambda: explain(client.auth.token.revoke_self, "it cannot be revoked"))
        except (RefusedError, ServiceError, TimeoutError):
            self.problem = (
                "the Vault token of this session could not be revoked, and counts until it expires: "
                "let a policy of its role permit to update auth/token/revoke-self"
            )

    def _again(self, field: VaultField) -> Mapping[str, Any]:
        client = self._log_in()
        try:
            return self._call(partial(_read, client, field))
        except RefusedError as error:
            raise FtcError(self._at(str(error))) from None

    def _log_in(self) -> Any:
        try:
            self._client = self._log_in_with_role() if self._login.role_id else self._make_client(self._find_token())
        except RefusedError as error:
            raise FtcError(self._at(str(error))) from None
        return self._client

    def _log_in_with_role(self) -> Any:
        role, secret = (
            self._credential(text) if text else None for text in (self._login.role_id, self._login.secret_id)
        )
        client, mount = self._make_client(""), self._login.approle.strip("/")
        refused = (
            f"the AppRole at auth/{mount} is refused: role id or secret id is wrong or expired, or it is not there"
        )

        def log_in() -> str:
            answer = explain(
                lambda: client.auth.approle.login(role_id=role, secret_id=secret, use_token=False, mount_point=mount),
                refused,
            )
            token = answer.get("auth", {}).get("client_token") if isinstance(answer, dict) else None
            if not isinstance(token, str) or not token:
                raise RefusedError("the answer to the login holds no token")
            return token

        client.token = self._call(log_in)
        return client

    def _find_token(self) -> str:
        if self._login.token:
            return self._credential(self._login.token)
        if self._environ.get("VAULT_TOKEN"):
            return self._check("VAULT_TOKEN", self._environ["VAULT_TOKEN"].encode("utf-8", "surrogateescape"))
        if Path(_TOKEN_FILE).expanduser().is_file():
            return self._credential(f"file:{_TOKEN_FILE}")
        raise FtcError("there is no token for Vault: set VAULT_TOKEN, or log in with role_id and secret_id of [vault]")

    def _credential(self, text: str) -> str:
        source = parse_source(text)
        assert source is not None
        try:
            return self._check(text, self._read_plain(source))
        except FtcError as error:
            raise FtcError(f"to log in to Vault: {error.message}") from None

    def _check(self, name: str, value: bytes) -> str:
        """Return a credential that is valid in a header; an error of a library would quote it."""
        text = value.strip().decode("ascii", "replace")
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise FtcError(f"{name}: expected a credential of Vault: printable ASCII without spaces")
        return text

    def _make_client(self, token: str) -> Any:
        return import_module("hvac").Client(
            url=self._address.geturl(),
            token=token,
            timeout=self._login.seconds,
            allow_redirects=False,
            session=make_session(local=_is_local(self._address)),
            namespace=self._environ.get("VAULT_NAMESPACE") or None,
        )

    def _call(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, after retries of transient faults.  Raises RefusedError, and FtcError."""

        def once() -> T:
            try:
                return call_within(self._login.seconds, call, self._cancelled)
            except TimeoutError as error:
                raise ServiceError(str(error)) from None

        try:
            return self._service.call(once)
        except ServiceError as error:
            raise FtcError(self._at(str(error))) from None

    def _at(self, problem: str) -> str:
        return f"Vault at {self._address.netloc}: {problem}"

    def _pick(self, answer: Any, field: VaultField) -> str:
        outer = answer.get("data") if isinstance(answer, dict) else None
        fields = outer.get("data") if isinstance(outer, dict) else None
        where = f"{field.mount}/{field.path}"
        if not isinstance(fields, dict):
            raise FtcError(self._at(f"{where} is no secret of a KV engine of version 2"))
        if field.field not in fields:
            near = suggest(field.field, fields)
            raise FtcError(self._at(f"{where} has no field {field.field!r}" + f"; did you mean {near!r}?" * bool(near)))
        value = fields[field.field]
        if not isinstance(value, str):
            raise FtcError(
                self._at(f"the field {field.field!r} of {where} is no text, but of the type {type(value).__name__}")
            )
        return value


def check_address(text: str, *, plain: bool) -> SplitResult:
    """Return the address of the server, which may be `plain` HTTP to another machine.  Raises FtcError."""
    if not text:
        raise FtcError(f"{_ADDRESS} is not set: expected the address of Vault, such as https://vault.example.org:8200")
    try:
        address = urlsplit(text)
        usable = address.scheme in ("http", "https") and bool(address.hostname) and (address.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or "@" in text or address.query or address.fragment or not text.isprintable():
        raise FtcError(f"{_ADDRESS}: expected https://HOST:PORT, without a password or a query")
    if address.scheme == "http" and not plain and not _is_local(address):
        raise FtcError(
            f"{_ADDRESS}: plain HTTP would show the token to others on the way to {address.netloc}: "
            "expected https, or plain_http = true in [vault]"
        )
    return address


def _is_local(address: SplitResult) -> bool:
    host = address.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(client: Any, field: VaultField) -> Any:
    where = f"{field.mount}/{field.path}" + (f", version {field.version}," if field.version else "")
    return explain(
        lambda: client.secrets.kv.v2.read_secret_version(
            path=field.path, version=field.version, mount_point=field.mount, raise_on_deleted_version=True
        ),
        f"permission to read {where} is denied: the policies of the token do not permit it",
        missing=f"{where} is not there, or was deleted",
    )
