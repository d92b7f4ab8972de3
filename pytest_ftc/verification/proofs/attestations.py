"""The attestations of a session: made at its end, as ``[tool.ftc.attest]`` says."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from pytest_ftc.config.load import Config
from pytest_ftc.model import Verification
from pytest_ftc.model.errors import ConfigurationError, FtcError, UnknownSignerError
from pytest_ftc.verification.metrics.facts import Signings

MODULE = "pytest_ftc.integrations.attesting"
"""What signs; it is loaded only where attestations are asked for."""


class SessionAttestations:
    """Attests the verdicts of a session with `config`; does nothing unless that asks for it."""

    def __init__(self, config: Config | None) -> None:
        """Raise ConfigurationError, before any builds, where nothing could be signed and it is required."""
        self._required = bool(config and config.attest and config.attest.required)
        self._how: Any = None
        self.written = ""
        """What was written, for the summary; empty if nothing was."""
        self.problems: Sequence[str] = ()
        """What was not, one sentence each."""
        self.older = ""
        """What waits from before, maybe of other projects; empty if nothing does."""
        self.signings = Signings()
        """The same for metrics."""
        if config and config.attest:
            self._open(config)

    @property
    def failed(self) -> bool:
        """Whether something that is required could not be attested."""
        return self._required and bool(self.problems)

    def make(self, verifications: Sequence[Verification]) -> None:
        """Attest `verifications`; of several of one artifact the last."""
        each = list({one.id: one for one in verifications}.values())
        if each and self._how is not None:
            attested = import_module(MODULE).attest_session(each, self._how, patient=not self._required)
            self.written, self.problems, self.older = attested.text, attested.problems, attested.older
            self.signings = Signings(
                signed=attested.signed + attested.others, failed=attested.failed, problems=attested.problems
            )
        elif each and self.problems:
            self.signings = Signings(failed=len(each), problems=self.problems)

    def _open(self, config: Config) -> None:
        attesting = import_module(MODULE)
        try:
            self._how = attesting.open_attesting(config, config.attest)
        except FtcError as error:
            # Whoever lacks the key can still verify; a signer of which nobody knows is a mistake everywhere.
            if self._required or isinstance(error, UnknownSignerError):
                raise ConfigurationError(f"attest: {error}") from None
            self.problems = (error.message,)
