"""What collectors answer: OpenTelemetry's exporters take a redirect for a success, although nothing has arrived."""

from __future__ import annotations

import requests

from pytest_ftc.integrations.opentelemetry.said import Said

_LATER = (408, 429)
"""What a collector answers that may take the same request later."""


class Answers:
    """Remembers the status of the last answer in `session`, which follows no redirect: headers may hold a secret."""

    def __init__(self, said: Said) -> None:
        self.session = requests.Session()
        self.session.hooks["response"] = [self._note]
        self._said = said
        self._status = 0

    def confirm(self, success: bool) -> bool:
        """Return whether what the exporter calls a `success` is one; if not, the reason is in `said`."""
        if success and not 200 <= self._status < 300:
            self._said.why = f"status {self._status}"
            return False
        return success

    @property
    def refused(self) -> bool:
        """Whether the last answer says that the same request will never be taken.

        See https://opentelemetry.io/docs/specs/otlp/#failures-1.
        """
        return 400 <= self._status < 500 and self._status not in _LATER

    def _note(self, response: requests.Response, *_: object, **__: object) -> None:
        self._status = response.status_code
        # Older exporters would send the request on, as one without a body.
        response.headers.pop("Location", None)
