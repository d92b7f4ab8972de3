"""``ftc attest verify --vsa``: writes the result as a Verification Summary Attestation."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from pytest_ftc import __version__
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.judge import Judgement
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Subject
from pytest_ftc.attestation.summary import Verifier, make_summary, package_url
from pytest_ftc.cli.keys import add_keyring_argument, open_keyring
from pytest_ftc.integrations.signing import sign
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file

LOCAL_VERIFIER = "urn:pytest-ftc:local"
"""The verifier of whoever names none."""
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")


def add_summary_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of Verification Summary Attestations."""
    group = parser.add_argument_group("Verification Summary Attestation (VSA)")
    group.add_argument("--vsa", type=Path, metavar="PATH", help="write the result for the one FILE to PATH")
    group.add_argument(
        "-k", "--key", action="append", default=[], metavar="KEY", help="sign it, as `ftc attest create` does"
    )
    add_keyring_argument(group)
    group.add_argument("--verifier", default=LOCAL_VERIFIER, metavar="URI", help="who verifies; default: %(default)s")
    group.add_argument("--resource", metavar="URI", help="whence the file is fetched; default: pkg:generic/NAME")


def check_summary_options(options: argparse.Namespace) -> None:
    """Raise ConfigurationError where options of the summary are no URI, or where they are given without it."""
    if options.vsa is None and (options.key or options.resource or options.verifier != LOCAL_VERIFIER):
        raise ConfigurationError("--key, --verifier and --resource are for --vsa PATH, which is missing")
    for name in ("verifier", "resource"):
        value = getattr(options, name)
        if value is not None and not _URI.fullmatch(value):
            raise ConfigurationError(f"--{name}: expected a URI such as https://ci.example/, found {value!r}")


def write_summary(options: argparse.Namespace, policy_sha256: str, results: Mapping[str, Judgement]) -> None:
    """Write the summary of the one result, by the name of its artifact, signed by the keys that are given.

    Raises ConfigurationError for several results, FtcError.
    """
    if len(results) != 1:
        raise ConfigurationError(f"--vsa: expected one artifact, found {len(results)}: verify them one by one")
    ((name, judgement),) = results.items()
    subject = Subject(Path(name).name, {"sha256": judgement.sha256})
    signers = open_keyring(options.keyring).signers(options.key)
    verifier = Verifier(
        id=options.verifier,
        version=__version__,
        policy=options.policy.name,
        policy_sha256=policy_sha256,
    )
    resource = options.resource or package_url(subject)
    data = make_summary(subject, judgement, verifier, resource, datetime.now(timezone.utc)).encode()
    encoded = sign(Envelope(PAYLOAD_TYPE, data), signers).encode() if signers else data
    try:
        options.vsa.parent.mkdir(parents=True, exist_ok=True)
        replace_file(options.vsa, encoded + b"\n")
    except OSError as error:
        raise FtcError(f"{options.vsa}: {error.strerror or error}") from None
