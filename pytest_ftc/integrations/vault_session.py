"""The connection to Vault: bounded answers, no redirects, and our own words for errors: others may quote a token."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from typing import Any

from pytest_ftc.integrations.retry import ServiceError

_LARGEST = 1 << 20
"""Bytes of an answer."""
_STALE = "the token is not accepted: it is expired, revoked or wrong"


class RefusedError(Exception):
    """The server works, and refuses; `stale` if another token may help."""

    def __init__(self, text: str, *, stale: bool = False) -> None:
        super().__init__(text)
        self.stale = stale


def make_session(*, local: bool) -> Any:
    """Return a `requests` session that reads no more than an answer may hold; a `local` server is asked directly."""
    requests: Any = import_module("requests")

    class Bounded(requests.adapters.HTTPAdapter):  # type: ignore[misc]
        def send(self, request: Any, stream: bool = False, **others: Any) -> Any:
            response = super().send(request, stream=True, **others)
            with closing(response):
                body = b""
                for data in response.iter_content(1 << 16):
                    body += data
                    if len(body) > _LARGEST:
                        raise RefusedError(f"it sends more than {_LARGEST} bytes")
                response._content = body
            return response

    session = requests.Session()
    # hvac takes the certificates from VAULT_CACERT only where the session says nothing.
    session.verify = None
    session.trust_env = not local
    session.mount("https://", Bounded())
    session.mount("http://", Bounded())
    return session


def explain(call: Callable[[], Any], denied: str, *, missing: str = "") -> Any:
    """Return what `call`, a call of hvac, returns.

    Raises RefusedError, with `denied` or `missing` where that is what the server says, and ServiceError.
    """
    exceptions: Any = import_module("hvac.exceptions")
    try:
        answer = call()
    except RefusedError:
        raise
    except exceptions.Forbidden as error:
        raise RefusedError(_STALE, stale=True) if missing and _is_stale(error) else RefusedError(denied) from None
    except (exceptions.InvalidRequest, exceptions.Unauthorized):
        raise RefusedError(denied) from None
    except exceptions.InvalidPath as error:
        raise RefusedError(_explain_missing(error, missing or denied)) from None
    except exceptions.VaultError as error:
        raise _explain_fault(error, exceptions) from None
    except Exception as error:
        raise _explain_connection(error) from None
    status = getattr(answer, "status_code", 200)
    if 300 <= status < 400:
        raise RefusedError("it redirects to another address, which is not followed: the token would go there")
    return answer


def _texts(error: Any) -> str:
    return " ".join(str(one) for one in error.errors or ())


def _is_stale(error: Any) -> bool:
    # A valid token without permission gets "1 error occurred: * permission denied", another one only the last words.
    text = _texts(error).strip()
    return text == "permission denied" or "invalid token" in text or "bad token" in text


def _explain_missing(error: Any, missing: str) -> str:
    text = _texts(error)
    if "no handler for route" in text:
        return f"{missing}: no engine is mounted there"
    if "namespace not found" in text:
        return "there is no such namespace: see VAULT_NAMESPACE"
    return missing


def _explain_fault(error: Any, exceptions: Any) -> Exception:
    if "sealed" in _texts(error):
        return ServiceError("it is sealed: an operator has to unseal it")
    if isinstance(error, exceptions.VaultNotInitialized):
        return ServiceError("it is not initialized")
    if isinstance(error, exceptions.RateLimitExceeded):
        return ServiceError("it answers too many requests, and refuses more", passing=True)
    return ServiceError("it does not work (an error of the server)", passing=True)


def _explain_connection(error: Exception) -> Exception:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    for kind, text, passing in (
        ("SSLError", "its certificate is not accepted: see VAULT_CACERT", False),
        ("Timeout", "it does not answer in time", True),
        ("ConnectionError", "the connection failed: is it running?", True),
        ("ChunkedEncodingError", "the connection was lost", True),
    ):
        if kind in kinds:
            return ServiceError(text, passing=passing)
    return RefusedError(f"unexpected answer ({type(error).__name__})")
