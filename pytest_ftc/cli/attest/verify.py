"""``ftc attest verify``: verifies files against attestations and a policy, offline."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from pytest_ftc.attestation.evidence import describe_finding
from pytest_ftc.attestation.judge import Judgement, Signed
from pytest_ftc.attestation.policy import Policy, load_policy
from pytest_ftc.cli.attest.vsa import add_summary_arguments, check_summary_options, write_summary
from pytest_ftc.cli.output import print_json, say
from pytest_ftc.integrations.attestations import (
    digest_of,
    find_beside,
    is_attestation,
    judge_digest,
    judge_file,
    judge_subjects,
    load_signed,
)
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.printable import printable

_MOST_SHOWN = 20
"""Differences of SBOMs; a hostile wheel can have any number."""
_DIGEST = re.compile("sha256:([0-9a-f]{64})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc attest verify``."""
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="an artifact, its digest (sha256:HEX) without the file, or attestations alone",
    )
    parser.add_argument("-p", "--policy", type=Path, required=True, metavar="FILE", help="what is required, in TOML")
    parser.add_argument(
        "-a",
        "--attestations",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a file or a folder; repeatable; FILE.*.dsse.json beside FILE are found anyway",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_summary_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run ``ftc attest verify``."""
    check_summary_options(options)
    policy_sha256 = digest_of(options.policy)
    policy = load_policy(options.policy)
    given = [path for path in options.files if is_attestation(path)]
    files = [path for path in options.files if path not in given]
    beside = [one for path in files for one in find_beside(path)]
    signed = load_signed([*options.attestations, *given, *beside], policy)
    results = {str(path): _judge(path, signed, policy) for path in files}
    if not files:
        results = judge_subjects(signed, policy)
        if not results:
            raise FtcError("no trusted key has signed any of these attestations")
    embedded = {str(path): _compare_embedded(path, results[str(path)]) for path in files}
    if options.vsa:
        write_summary(options, policy_sha256, results)
    if options.json:
        found = {name: {**judgement_as_json(one), "sbom": embedded.get(name, ())} for name, one in results.items()}
        print_json(found)
    else:
        for name, judgement in results.items():
            show_judgement(name, judgement)
            _show_embedded(embedded.get(name, ()))
    return 0 if all(one.accepted for one in results.values()) else 1


def _judge(path: Path, signed: Sequence[Signed], policy: Policy) -> Judgement:
    match = _DIGEST.fullmatch(str(path))
    if path.is_dir():
        raise ConfigurationError(f"{path}: a folder: name files in it; --attestations takes folders")
    if str(path).startswith("sha256:") and not match and not path.exists():
        raise ConfigurationError(f"{path}: expected sha256: and 64 lower-case hexadecimal digits, or a file")
    return judge_digest(match[1], signed, policy) if match else judge_file(path, signed, policy)


def _compare_embedded(path: Path, judgement: Judgement) -> tuple[str, ...]:
    """Return how SBOMs in the wheel at `path` differ from those that are signed; empty for other files."""
    if not judgement.accepted or path.suffix != ".whl":
        return ()
    from pytest_ftc.integrations.sbom.attest import compare_with_signed

    return compare_with_signed(path, (one.statement for one in judgement.attestations))


def _show_embedded(sentences: Sequence[str]) -> None:
    for sentence in sentences[:_MOST_SHOWN]:
        say(f"  {sentence}")
    if len(sentences) > _MOST_SHOWN:
        say(f"  and {len(sentences) - _MOST_SHOWN} more differences between its SBOMs and the signed one")


def show_judgement(name: str, judgement: Judgement) -> None:
    """Print whether the file `name` is accepted, and why not."""
    counts = {"build": judgement.builds, "builder": judgement.builders, "key": judgement.keys}
    numbers = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in counts.items())
    # In one line, whatever it holds: it is what an attestation names its subject.
    shown = printable(name, keep="")
    say(f"✔ accepted  {shown}  {numbers}" if judgement.accepted else f"✘ refused   {shown}")
    for problem in judgement.problems:
        say(f"  {printable(problem, keep='')}")
    findings = (describe_finding(finding) for evidence in judgement.negative for finding in evidence.findings)
    for text in dict.fromkeys(findings):
        say(text)


def judgement_as_json(judgement: Judgement) -> dict[str, object]:
    """Return `judgement` as ``--json`` prints it."""
    return {
        "accepted": judgement.accepted,
        "problems": list(judgement.problems),
        "keys": judgement.keys,
        "operators": judgement.operators,
        "builders": judgement.builders,
        "builds": judgement.builds,
        "machines": judgement.machines,
        "reproduced": judgement.accepted and judgement.is_reproduced,
        "findings": [dict(one) for evidence in judgement.negative for one in evidence.findings],
    }
