"""``ftc attest create``: makes and signs attestations of the verdicts in a report."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from pytest_ftc import __version__
from pytest_ftc.attestation.documents import ATTESTED, make_statements, prove_verdict
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.provenance import Builder
from pytest_ftc.attestation.statement import PAYLOAD_TYPE
from pytest_ftc.cli.keys import add_keyring_argument, open_keyring
from pytest_ftc.cli.log import open_log
from pytest_ftc.cli.output import say
from pytest_ftc.integrations.signing import sign
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.reporting.verification_files import find_verification_files, read_verification_file

LOCAL_BUILDER = "urn:pytest-ftc:local"
"""The builder of whoever names none."""


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
        help="a key of the keyring, or a signer: file2:PATH, hsm:KEY?label=TOKEN, hv:NAME; repeatable",
    )
    add_keyring_argument(parser)
    parser.add_argument("--store", type=Path, metavar="DIR", help="the store whose log has the verdicts")
    parser.add_argument("--builder", default=LOCAL_BUILDER, metavar="URI", help="who built; default: %(default)s")
    parser.add_argument("--unsigned", action="store_true", help="write the statements without a signature")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc attest create``."""
    if bool(options.key) == options.unsigned:
        raise ConfigurationError("name a signer with --key, or give --unsigned; `ftc keys new` makes a key")
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+", options.builder):
        raise ConfigurationError(
            f"--builder: expected a URI such as https://ci.example/builder, found {options.builder!r}"
        )
    builder = Builder(id=options.builder, version=__version__)
    records = find_verification_files(options.report)
    folder = options.output or records[0].parent.parent / "attestations"
    keyring = open_keyring(options.keyring)
    signers = [key if ":" in key else f"file2:{keyring.private(key)}" for key in options.key]
    log = open_log(options.store).verify()
    written = 0
    for one in map(read_verification_file, records):
        if one.verdict not in ATTESTED:
            say(f"{one.name}: not attested: the verdict is {one.verdict.value}")
            continue
        for kind, statement in make_statements(one, builder, prove_verdict(log, one)):
            path = folder / f"{slug(one.name)}.{kind}.{'dsse' if signers else 'statement'}.json"
            data = statement.encode()
            _write(path, sign(Envelope(PAYLOAD_TYPE, data), signers).encode() if signers else data)
            say(f"{one.name}: {one.verdict.value}: {path}")
            written += 1
        if one.inputs is None:
            say(f"{one.name}: no provenance: its inputs were not recorded; verify it again with --ftc-no-cache")
    return 0 if written else 1


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data + b"\n")
    except OSError as error:
        raise FtcError(f"{path}: {error.strerror or error}") from None
