"""What the errors of signers mean, in words for the user."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ftc.integrations.signers import PIN_VARIABLE

_VAULT_SAYS: Mapping[str, str] = {
    "is sealed": "the vault is sealed: unseal it",
    "local node not active": "the vault is not ready",
    "signing key not found": "there is no such key in the vault",
    "less than the minimum encryption key version": "the vault no longer signs with this version: it was retired",
    "higher than the latest key version": "the key has no such version",
    "unsupported path": "there is no transit engine in the vault",
    "no handler for route": "there is no transit engine in the vault",
}
_BY_NAME: Mapping[str, str] = {
    "VaultDown": "the vault is not ready",
    "InvalidPath": "there is no such key in the vault",
    "Unauthorized": "the vault requires a token: set VAULT_TOKEN",
    "RateLimitExceeded": "the vault refuses: too many requests",
    "PinIncorrect": f"the PIN in {PIN_VARIABLE} is wrong",
    "PinLocked": "the PIN of the token is locked",
    "PinLenRange": f"the PIN in {PIN_VARIABLE} is wrong",
    "DeviceRemoved": "the token was removed",
    "GeneralError": "the library of the token reports a general error",
    "TokenNotPresent": "the token is not there",
    "ReadTimeout": "it did not answer in time",
    "ConnectTimeout": "it did not answer in time",
    "EndpointConnectionError": "it cannot be reached",
    "NoCredentialsError": "there are no credentials",
    "MissingSchema": "VAULT_ADDR: expected an address such as https://vault.example:8200",
    "InvalidSchema": "VAULT_ADDR: expected an address such as https://vault.example:8200",
    "InvalidURL": "VAULT_ADDR: expected an address such as https://vault.example:8200",
    "SSLError": "its certificate is not valid",
    "ProxyError": "the proxy refuses the connection",
    "ConnectionError": "it cannot be reached: it is down, or VAULT_ADDR is wrong",
}
EXPIRED = "the token is unknown or has expired: set VAULT_TOKEN again"
FORBIDDEN = "the policy of the token does not permit it"
_MOST = 200


def explain(error: Exception) -> str:
    """Return what `error`, of a signer's library, means."""
    text = str(error)
    kinds = [one.__name__ for one in type(error).__mro__]
    for said, meaning in _VAULT_SAYS.items():
        if said in text:
            return meaning
    if "Forbidden" in kinds:
        return FORBIDDEN if _is_token_known(text) else EXPIRED
    for kind in kinds:
        if kind in _BY_NAME:
            return _BY_NAME[kind]
    first = text.strip().partition("\n")[0][:_MOST]
    if first and type(error) is ValueError:
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _is_token_known(text: str) -> bool:
    """Return whether a vault that refuses knows the token: the status is the same for both, the text is not.

    A policy's refusal is a list of errors; a token's is none, or names the token (Vault 1.15 and later).
    """
    return "error occurred:" in text and "invalid token" not in text
