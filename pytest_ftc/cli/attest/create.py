"""``ftc attest create``: makes and signs attestations of the verdicts in a report."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.attestation.documents import ATTESTED
from pytest_ftc.attestation.parity import is_logged
from pytest_ftc.cli.attest.sboms import add_sbom_arguments, make_sboms
from pytest_ftc.cli.keys import add_keyring_argument, open_keyring
from pytest_ftc.cli.output import say
from pytest_ftc.config.attest import AttestSettings, load_attest
from pytest_ftc.integrations.attesting import (
    LOCAL_BUILDER,
    Attesting,
    Document,
    describe_waiting,
    make_builder,
    make_documents,
    read_log,
    sign_documents,
)
from pytest_ftc.model import Verification
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.reporting.verification_files import find_verification_files, read_verification_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc attest create``."""
    parser.add_argument("report", type=Path, metavar="REPORT", help="the folder of --ftc-report, or one record in it")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="default: attestations/ in the report's folder"
    )
    parser.add_argument(
        "-k",
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="a key of the keyring, or a signer: file2:PATH, hsm:KEY?label=TOKEN, hv:NAME; repeatable; "
        "default: the keys of the configuration's table attest",
    )
    parser.add_argument("--bundle", action="store_true", help="write each signature as a Sigstore bundle too")
    add_keyring_argument(parser)
    parser.add_argument("--store", type=Path, metavar="DIR", help="the store whose log has the verdicts")
    parser.add_argument("--builder", metavar="URI", help=f"who built; default: as configured, else {LOCAL_BUILDER}")
    add_sbom_arguments(parser)
    parser.add_argument("--unsigned", action="store_true", help="write the statements without a signature")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc attest create``."""
    how = _as_asked(options)
    builder = make_builder(how.builder, "--builder")
    records = find_verification_files(options.report)
    folder = options.output or records[0].parent.parent / "attestations"
    _check_folder(folder)
    signers = open_keyring(options.keyring).signers(how.keys)
    verifications = [read_verification_file(one) for one in records]
    sboms = make_sboms(options, verifications, folder)
    documents = [*make_documents(verifications, builder, read_log(options.store)), *sboms.documents]
    _warn(documents)
    if options.unsigned:
        paths = {one: folder / f"{one.stem}.statement.json" for one in documents}
        for one, path in paths.items():
            _write(path, one.statement.encode())
        _tell(verifications, paths)
        return 0 if documents and sboms.complete else 1
    attesting = Attesting(folder=folder, signers=signers, builder=builder, bundle=how.bundle, store=options.store)
    progress = sign_documents(documents, attesting)
    _tell(verifications, {one: folder / f"{one.stem}.dsse.json" for one in documents}, progress.waiting)
    if progress.waiting:
        say(describe_waiting(progress))
    return 0 if documents and sboms.complete and not progress.waiting else 1


def _as_asked(options: argparse.Namespace) -> AttestSettings:
    """Return how to attest: as the command line says, else as the project in this folder is configured."""
    if options.key and options.unsigned:
        raise ConfigurationError("--key and --unsigned exclude each other")
    configured = load_attest(Path().absolute()) or AttestSettings()
    keys = tuple(options.key) or configured.keys
    if not (keys or options.unsigned):
        raise ConfigurationError("name a signer with --key, or give --unsigned; `ftc keys new` makes a key")
    return replace(
        configured,
        keys=() if options.unsigned else keys,
        builder=options.builder or configured.builder or LOCAL_BUILDER,
        bundle=options.bundle or configured.bundle,
    )


def _tell(verifications: Sequence[Verification], paths: Mapping[Document, Path], waiting: Sequence[Path] = ()) -> None:
    """Print which documents were written where, and which were not."""
    for verification in verifications:
        name, verdict = verification.name, verification.verdict.value
        if verification.verdict not in ATTESTED:
            say(f"{name}: not attested: the verdict is {verdict}")
            continue
        for document, path in paths.items():
            if document.verification is verification:
                say(f"{name}: {verdict}: {path}{' waits' if path.absolute() in waiting else ''}")
        if verification.inputs is None:
            say(f"{name}: no provenance: its inputs were not recorded; verify it again with --ftc-no-cache")


def _check_folder(folder: Path) -> None:
    """Raise FtcError for a folder that cannot be made or written: nothing shall wait for it in the store."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Made again for the first file: none may be ready for a while.
        for one in missing:
            one.rmdir()
    except FileExistsError:
        raise FtcError(f"{folder}: expected a folder, found a file") from None
    except OSError as error:
        raise FtcError(f"{folder}: {error.strerror or error}") from None
    if not missing and not os.access(folder, os.W_OK | os.X_OK):
        raise FtcError(f"{folder}: may not be written")


def _warn(documents: Sequence[Document]) -> None:
    """Say which verdicts the log of the store lacks: whoever can write the report can make one up."""
    for one in documents:
        if one.kind == "parity" and not is_logged(one.statement):
            say(f"{one.verification.name}: not in the log: verified with another store, or changed since")


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data + b"\n")
    except OSError as error:
        raise FtcError(f"{path}: {error.strerror or error}") from None
