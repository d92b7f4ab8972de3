"""Pushing to a Pushgateway: one group of series belongs to a project, see https://github.com/prometheus/pushgateway."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from http.client import HTTPException
from typing import IO, Any

from pytest_ftc.config.metrics import Pushgateway
from pytest_ftc.integrations.metrics.exposition import to_registry
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.printable import shorten

_MOST_WORDS = 2048
"""Bytes of an answer that are read."""


class Group:
    """The group of a project in a Pushgateway.  Its methods raise FtcError, whose message holds no secret."""

    def __init__(self, gateway: Pushgateway, project: str, headers: Mapping[str, str]) -> None:
        """`headers` are those of `gateway` with their values."""
        self._gateway = gateway
        self._headers = headers
        self._key = {"project": project, **gateway.grouping}

    @property
    def place(self) -> str:
        """Which group it is, for a person."""
        labels = ", ".join(f"{name}={value}" for name, value in {"job": self._gateway.job, **self._key}.items())
        return f"{self._gateway.url} {{{labels}}}"

    def push(self, measured: Measured, seconds: float) -> None:
        """Replace the group by `measured`, within so many `seconds`."""
        from prometheus_client import push_to_gateway

        self._call(push_to_gateway, seconds, registry=to_registry(measured))

    def delete(self, seconds: float) -> None:
        """Delete the group, within so many `seconds`; nothing happens if there is none."""
        from prometheus_client import delete_from_gateway

        self._call(delete_from_gateway, seconds)

    def _call(self, act: Callable[..., None], seconds: float, **given: Any) -> None:
        try:
            act(
                self._gateway.url,
                job=self._gateway.job,
                grouping_key=self._key,
                timeout=seconds,
                handler=self._handle,
                **given,
            )
        except urllib.error.HTTPError as error:
            with error:
                said = shorten(error.read(_MOST_WORDS).decode("utf-8", "replace").strip())
            raise self._error(f"status {error.code}{f': {said}' if said else ''}") from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise self._error(shorten(str(getattr(reason, "strerror", None) or reason))) from None

    def _error(self, why: str) -> FtcError:
        return FtcError(f"the Pushgateway {self._gateway.url}: {why}")

    def _handle(
        self, url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> Callable[[], None]:
        def handle() -> None:
            request = urllib.request.Request(url, data, {**dict(headers), **self._headers}, method=method)
            handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
            if self._gateway.ca:
                context = ssl.create_default_context(cafile=str(self._gateway.ca))
                handlers.append(urllib.request.HTTPSHandler(context=context))
            with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
                response.read(_MOST_WORDS)

        return handle


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the headers are for this server alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None
