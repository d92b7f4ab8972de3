"""Attestations in files: finds those with trusted signatures, and judges artifacts by them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from pytest_ftc.attestation.bundle import parse_envelopes
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.judge import Judgement, Signed, judge
from pytest_ftc.attestation.others.link import parse_plain_statement, read_statement
from pytest_ftc.attestation.policy import Policy
from pytest_ftc.attestation.strict_json import MOST_BYTES, DocumentError
from pytest_ftc.integrations.signing import facts_of, find_signers
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.bounded_file import read_bounded

SBOM_SUFFIX = ".cdx.json"
"""The end of the names of SBOMs (https://cyclonedx.org/specification/overview/), which are no attestations."""


def load_signed(paths: Sequence[Path], policy: Policy) -> list[Signed]:
    """Return the statements in the files and folders `paths` that keys of `policy` have signed.

    Statements without a trusted signature are ignored.  Raises ConfigurationError for a file that cannot be read,
    DocumentError for one that holds no attestation, NotInstalledError.
    """
    return [one for path in paths for file in _list_files(path) for one in _load_file(file, policy)]


def find_signed(envelopes: Sequence[Envelope], source: str, data: bytes, policy: Policy) -> Iterator[Signed]:
    """Yield the statements in `envelopes` that keys of `policy` have signed; `data` of the file `source` holds them.

    Raises DocumentError, NotInstalledError.
    """
    now = datetime.now(timezone.utc)
    keys = [key for key in policy.trusted.values() if key.counts_at(now)]
    for envelope in envelopes:
        signers = find_signers(envelope, keys)
        if not signers:
            continue
        try:
            statement = read_statement(envelope)
        except DocumentError as error:
            raise DocumentError(f"{source}: {error}") from None
        if statement:
            yield Signed(source, statement, signers, hashlib.sha256(data).hexdigest())


def load_unverified(paths: Sequence[Path]) -> list[Signed]:
    """Return all statements in the files and folders `paths`, whoever signed them, and those that nobody signed.

    Raises ConfigurationError for a file that cannot be read, DocumentError for one that holds no attestation.
    """
    return [one for path in paths for file in _list_files(path) for one in _load_unverified(file)]


def judge_file(path: Path, signed: Sequence[Signed], policy: Policy) -> Judgement:
    """Return whether `policy` accepts the file `path`.  Raises ConfigurationError, DocumentError."""
    return judge_digest(digest_of(path), signed, policy)


def judge_digest(sha256: str, signed: Sequence[Signed], policy: Policy) -> Judgement:
    """Return whether `policy` accepts the file with this digest.  Raises DocumentError."""
    return judge(sha256, signed, policy, facts_of, datetime.now(timezone.utc))


def judge_subjects(signed: Sequence[Signed], policy: Policy) -> dict[str, Judgement]:
    """Return whether `policy` accepts what the statements `signed` are about, by name.

    Where several files have one name, the name is followed by their digests.  Raises DocumentError.
    """
    now = datetime.now(timezone.utc)
    digests = {
        subject.digest["sha256"]: subject.name or subject.digest["sha256"]
        for one in signed
        for subject in one.statement.files
        if "sha256" in subject.digest
    }
    times = Counter(digests.values())
    return {
        name if times[name] == 1 else f"{name} sha256:{digest}": judge(digest, signed, policy, facts_of, now)
        for digest, name in digests.items()
    }


def is_attestation(path: Path) -> bool:
    """Return whether `path` has the name of a file with attestations."""
    return path.name.endswith((".dsse.json", ".intoto.jsonl", ".sigstore.json", ".link", ".link.json"))


def find_beside(path: Path) -> list[Path]:
    """Return the attestations beside the file `path` whose names begin with its name."""
    begin = f"{path.name}."
    folder = path.parent
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(one for one in found if one.name.startswith(begin) and is_attestation(one) and one.is_file())


def digest_of(path: Path) -> str:
    """Return the sha256 of the file `path`.  Raises ConfigurationError."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from None
    return digest.hexdigest()


def _load_file(file: Path, policy: Policy) -> Iterator[Signed]:
    data = _read(file)
    return find_signed(_parse(file, data), str(file), data, policy)


def _load_unverified(file: Path) -> Iterator[Signed]:
    data = _read(file)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        plain = parse_plain_statement(data)
        if plain:
            yield Signed(str(file), plain, (), sha256)
            return
        for statement in map(read_statement, parse_envelopes(data)):
            if statement:
                yield Signed(str(file), statement, (), sha256)
    except DocumentError as error:
        raise DocumentError(f"{file}: {error}") from None


def _read(file: Path) -> bytes:
    try:
        return read_bounded(file, MOST_BYTES)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror or error}") from None
    except ValueError as error:
        raise DocumentError(f"{file}: {error}") from None


def _parse(file: Path, data: bytes) -> Sequence[Envelope]:
    """Return the envelopes in `file`, none if it is a statement that nobody has signed.  Raises DocumentError."""
    try:
        return parse_envelopes(data)
    except DocumentError as error:
        with suppress(DocumentError):
            if parse_plain_statement(data):
                return ()
        raise DocumentError(f"{file}: {error}") from None


def _list_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    listed = (one for one in path.iterdir() if not one.name.endswith(SBOM_SUFFIX))
    files = sorted(one for one in listed if one.suffix in (".json", ".jsonl", ".link") and one.is_file())
    if not files:
        raise ConfigurationError(f"{path}: no attestations (*.json, *.jsonl, *.link) are there")
    return files
