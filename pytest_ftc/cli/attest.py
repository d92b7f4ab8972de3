"""``ftc attest``: makes, signs and verifies attestations of verdicts."""

from __future__ import annotations

import argparse
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_ftc import __version__
from pytest_ftc.attestation.envelope import Envelope
from pytest_ftc.attestation.evidence import describe_finding, evidence_digest
from pytest_ftc.attestation.judge import Judgement
from pytest_ftc.attestation.parity import make_parity, make_test_result
from pytest_ftc.attestation.policy import load_policy
from pytest_ftc.attestation.provenance import Builder, Invocation, make_provenance
from pytest_ftc.attestation.statement import PAYLOAD_TYPE, Statement
from pytest_ftc.attestation.verdict_log import Contents, InclusionProof
from pytest_ftc.cli.keys import add_keyring_argument, open_keyring
from pytest_ftc.cli.log import open_log
from pytest_ftc.cli.output import print_json, say
from pytest_ftc.cli.parser import add_action
from pytest_ftc.integrations.attestations import find_beside, is_attestation, judge_file, judge_subjects, load_signed
from pytest_ftc.integrations.signing import sign
from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.reporting.verification_files import find_verification_files, read_verification_file

LOCAL_BUILDER = "urn:pytest-ftc:local"
"""The builder of whoever names none."""
_ATTESTED = (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc attest``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    brief = "make and sign attestations of the verdicts in a report: provenance, parity, test result"
    create = add_action(actions, "create", brief)
    create.add_argument("report", type=Path, metavar="REPORT", help="the folder of --ftc-report, or one record in it")
    create.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="default: attestations/ in the report's folder"
    )
    create.add_argument(
        "-k",
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="a key of the keyring, or a signer: file2:PATH, hsm:KEY?label=TOKEN, hv:NAME; repeatable",
    )
    add_keyring_argument(create)
    create.add_argument("--store", type=Path, metavar="DIR", help="the store whose log has the verdicts")
    create.add_argument("--builder", default=LOCAL_BUILDER, metavar="URI", help="who built; default: %(default)s")
    create.add_argument("--unsigned", action="store_true", help="write the statements without a signature")
    brief = "verify files against attestations and a policy, offline; exit status 1 if one is refused"
    check = add_action(actions, "verify", brief)
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="an artifact, or attestations alone")
    check.add_argument("-p", "--policy", type=Path, required=True, metavar="FILE", help="what is required, in TOML")
    check.add_argument(
        "-a",
        "--attestations",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a file or a folder; repeatable; FILE.*.dsse.json beside FILE are found anyway",
    )
    check.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc attest``."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {"create": _create, "verify": _verify}
    return actions[options.action](options)


def _create(options: argparse.Namespace) -> int:
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
        if one.verdict not in _ATTESTED:
            say(f"{one.name}: not attested: the verdict is {one.verdict.value}")
            continue
        for kind, statement in _statements(one, builder, _prove(log, one)):
            signed = sign(Envelope(PAYLOAD_TYPE, statement.encode()), signers)
            path = folder / f"{slug(one.name)}.{kind}.dsse.json"
            _write(path, signed.encode() if options.key else statement.encode())
            say(f"{one.name}: {one.verdict.value}: {path}")
            written += 1
    return 0 if written else 1


def _prove(log: Contents, verification: Verification) -> InclusionProof | None:
    """Return the proof that the verdict is in the log; None where it is not, as on another machine."""
    wanted = {"artifact": verification.id, "evidence": evidence_digest(verification)}
    index = log.find(lambda entry: wanted.items() <= entry.items())
    return None if index is None else log.prove(index)


def _statements(
    verification: Verification, builder: Builder, logged: InclusionProof | None
) -> Iterator[tuple[str, Statement]]:
    yield "parity", make_parity(verification, builder, logged)
    yield "test-result", make_test_result(verification)
    if verification.inputs is None:
        say(f"{verification.name}: no provenance: its inputs were not recorded; verify it again with --ftc-no-cache")
        return
    started = min(build.started for build in verification.builds)
    finished = max(build.started + build.seconds for build in verification.builds)
    invocation = Invocation(id=f"urn:uuid:{uuid.uuid4()}", started=started, finished=finished)
    yield "provenance", make_provenance(verification, builder, invocation)


def _verify(options: argparse.Namespace) -> int:
    policy = load_policy(options.policy)
    given = [path for path in options.files if is_attestation(path)]
    files = [path for path in options.files if path not in given]
    beside = [one for path in files for one in find_beside(path)]
    signed = load_signed([*options.attestations, *given, *beside], policy)
    results = {str(path): judge_file(path, signed, policy) for path in files}
    if not files:
        results = judge_subjects(signed, policy)
        if not results:
            raise FtcError("no trusted key has signed any of these attestations")
    if options.json:
        print_json({name: _as_json(one) for name, one in results.items()})
    else:
        for name, judgement in results.items():
            _show(name, judgement)
    return 0 if all(one.accepted for one in results.values()) else 1


def _show(name: str, judgement: Judgement) -> None:
    counts = {"build": judgement.builds, "builder": judgement.builders, "key": judgement.keys}
    numbers = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in counts.items())
    say(f"✔ accepted  {name}  {numbers}" if judgement.accepted else f"✘ refused   {name}")
    for problem in judgement.problems:
        say(f"  {problem}")
    shown = (describe_finding(finding) for evidence in judgement.negative for finding in evidence.findings)
    for text in dict.fromkeys(shown):
        say(text)


def _as_json(judgement: Judgement) -> dict[str, object]:
    return {
        "accepted": judgement.accepted,
        "problems": list(judgement.problems),
        "keys": judgement.keys,
        "operators": judgement.operators,
        "builders": judgement.builders,
        "builds": judgement.builds,
        "machines": judgement.machines,
        "findings": [dict(one) for evidence in judgement.negative for one in evidence.findings],
    }


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data + b"\n")
    except OSError as error:
        raise FtcError(f"{path}: {error.strerror or error}") from None
