"""The errors pytest-ftc raises on purpose.  Each says what happened, where, and what to do next."""

from __future__ import annotations


class FtcError(Exception):
    """Base class: a message for the user and, optionally, advice on what to do next."""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class ConfigurationError(FtcError):
    """The configuration cannot be used; shown as one of pytest's usage errors (exit status 4)."""


class UnknownSignerError(ConfigurationError):
    """A URI names no signer, on whatever machine."""


class SourceError(FtcError):
    """The source tree of an artifact cannot be read or captured; the verdict is ``error``."""


class PreparationError(FtcError):
    """The build's prerequisites, such as build requirements, could not be provided; the verdict is ``error``."""


class ExecutionError(FtcError):
    """A build could not be run, or its result was lost; the verdict is ``error``."""


class NormalizationError(FtcError):
    """A file cannot be normalized safely; it is left unchanged."""


class StoreUnavailableError(FtcError):
    """The store cannot be read or written; the work is redone, and no verdict depends on it."""


class MissingError(FtcError):
    """The store does not hold a content, or holds it corrupted."""
