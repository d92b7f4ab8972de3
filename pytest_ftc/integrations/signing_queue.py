"""Attestations that wait in the store for signatures, and signing them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_ftc.attestation.bundle import encode_bundle
from pytest_ftc.attestation.envelope import Envelope, parse_envelope
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.signer_backoff import SignerBackoff
from pytest_ftc.integrations.signers import SignerReference
from pytest_ftc.integrations.signing import SECONDS, sign_once
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.store.layout import Layout
from pytest_ftc.store.waiting import AlteredError, WaitingDocuments


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An attestation that is to be written when all its signers have signed."""

    target: Path
    """The file for the envelope."""
    envelope: Envelope
    """With the signatures made so far."""
    missing: tuple[SignerReference, ...]
    bundle: bool = False
    """Whether each signature is also written as a Sigstore bundle, beside the envelope."""

    @property
    def name(self) -> str:
        """What it is called in the store."""
        return name_of(self.target)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "target": str(self.target),
            "envelope": self.envelope.encode().decode(),
            "missing": [{"uri": one.uri, "pem": one.pem.decode()} for one in self.missing],
            "bundle": self.bundle,
        }


def name_of(target: Path) -> str:
    """Return what the attestation for the file `target` is called in the store: one file has one."""
    return hashlib.sha256(os.fsencode(target)).hexdigest()


@dataclass(slots=True)
class Progress:
    """What became of attestations that waited."""

    signed: list[Path] = field(default_factory=list)
    """The files written."""
    waiting: list[Path] = field(default_factory=list)
    """Those not yet written."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why, by signer or file: one sentence each."""
    altered: list[str] = field(default_factory=list)
    """What waited and was changed, or is of another key of the store: one sentence each."""


class SigningQueue:
    """The attestations that wait in the store of `layout`, sealed with the store's `key`."""

    def __init__(self, layout: Layout, key: bytes) -> None:
        self._documents = WaitingDocuments(layout, key)
        self._backoff = SignerBackoff(layout.waiting / "signers.json")

    def add(self, waiting: Waiting) -> None:
        """Let an attestation wait, instead of an earlier one for the same file.  Raises StoreUnavailableError."""
        with self._documents.locked():
            self._documents.write(waiting.name, waiting.to_json())

    def targets(self) -> list[Path]:
        """Return the files whose attestations wait.  Raises StoreUnavailableError."""
        return [one.target for one in self._entries(Progress())]

    def forget(self, target: Path) -> None:
        """Let what waits for the file `target` wait no more.  Raises ConfigurationError, StoreUnavailableError."""
        waiting = [str(one) for one in self.targets()]
        if str(target) not in waiting:
            raise ConfigurationError(f"nothing waits for {target}{did_you_mean(str(target), waiting)}".rstrip("."))
        with self._documents.locked():
            self._documents.remove(name_of(target))

    def sign(
        self, only: Collection[Waiting] | None = None, *, patient: bool = False, seconds: float = SECONDS
    ) -> Progress:
        """Sign and write what waits, or `only` these.

        A signer that fails is not asked again.  If `patient`, those that failed a while ago are not asked at all.
        Raises StoreUnavailableError.
        """
        progress = Progress()
        for waiting in self._entries(progress, only):
            for signer in waiting.missing:
                self._sign_one(waiting, signer, progress, seconds, patient=patient)
            self._finish(waiting, progress)
        for one in only or ():
            if one.target not in (*progress.signed, *progress.waiting):
                # Another process has taken it: it has signed it, unless it was altered or replaced.
                (progress.signed if _is_written(one) else progress.waiting).append(one.target)
        return progress

    def _sign_one(
        self, waiting: Waiting, signer: SignerReference, progress: Progress, seconds: float, *, patient: bool
    ) -> None:
        if signer.uri in progress.reasons:
            return
        why = self._backoff.why_not_now(signer.uri) if patient else ""
        if why:
            progress.reasons[signer.uri] = why
            return
        try:
            signed = sign_once(waiting.envelope, signer, seconds=seconds)
        except FtcError as error:
            progress.reasons[signer.uri] = error.message
            self._backoff.failed(signer.uri, error.message)
            return
        self._backoff.worked(signer.uri)
        self._keep(waiting, signer, signed)

    def _keep(self, waiting: Waiting, signer: SignerReference, signed: Envelope) -> None:
        """Add the signature of `signer` to what waits, unless that was replaced or signed meanwhile."""
        with self._documents.locked():
            now = self._read(waiting.name)
            if now and now.envelope.payload == waiting.envelope.payload and signer in now.missing:
                envelope = now.envelope.with_signature(signed.signatures[-1])
                missing = tuple(one for one in now.missing if one != signer)
                self._documents.write(now.name, replace(now, envelope=envelope, missing=missing).to_json())

    def _finish(self, waiting: Waiting, progress: Progress) -> None:
        """Write the envelope of what waited if all have signed it."""
        with self._documents.locked():
            now = self._read(waiting.name)
            if now and now.missing:
                progress.waiting.append(waiting.target)
            elif now and (problem := _write(now)):
                progress.waiting.append(waiting.target)
                progress.reasons[str(waiting.target)] = problem
            else:
                progress.signed.append(waiting.target)
                self._documents.remove(waiting.name)

    def _entries(self, progress: Progress, only: Collection[Waiting] | None = None) -> Iterator[Waiting]:
        wanted = None if only is None else {one.name for one in only}
        names = (name for name in self._documents.names() if wanted is None or name in wanted)
        yield from filter(None, (self._read_or_tell(name, progress) for name in names))

    def _read_or_tell(self, name: str, progress: Progress) -> Waiting | None:
        try:
            return self._read(name)
        except AlteredError as error:
            progress.altered.append(error.message)
            return None

    def _read(self, name: str) -> Waiting | None:
        document = self._documents.read(name)
        return None if document is None else _parse(document)


def _parse(document: Mapping[str, Any]) -> Waiting:
    """Return what `Waiting.to_json` wrote; the seal has shown that it did."""
    return Waiting(
        target=Path(document["target"]),
        envelope=parse_envelope(document["envelope"].encode()),
        missing=tuple(SignerReference(one["uri"], one["pem"].encode()) for one in document["missing"]),
        bundle=document["bundle"],
    )


def _is_written(waiting: Waiting) -> bool:
    """Return whether the file has an envelope with this payload."""
    try:
        return parse_envelope(waiting.target.read_bytes()).payload == waiting.envelope.payload
    except (OSError, DocumentError):
        return False


def _write(waiting: Waiting) -> str:
    """Write the envelope and the bundles; return why that failed, or nothing."""
    try:
        waiting.target.parent.mkdir(parents=True, exist_ok=True)
        for path, data in _files(waiting):
            replace_file(path, data + b"\n")
    except OSError as error:
        return f"{waiting.target}: {error.strerror or error}"
    return ""


def _files(waiting: Waiting) -> Iterator[tuple[Path, bytes]]:
    """Yield the bundles, then the envelope: a bundle has one signature, so there is one for each."""
    signatures = waiting.envelope.signatures if waiting.bundle else ()
    stem = waiting.target.name.removesuffix(".json").removesuffix(".dsse")
    for number, one in enumerate(signatures, start=1):
        middle = f".{number}" if len(signatures) > 1 else ""
        yield waiting.target.with_name(f"{stem}{middle}.sigstore.json"), encode_bundle(waiting.envelope, one.key_id)
    yield waiting.target, waiting.envelope.encode()
