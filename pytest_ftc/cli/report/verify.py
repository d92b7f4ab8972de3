"""``ftc report verify``: whether a report is as it was written, and its outputs are attested."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_ftc.attestation.policy import load_policy
from pytest_ftc.cli.output import print_json, say
from pytest_ftc.cli.report.read import read_report
from pytest_ftc.integrations.attestations import judge_digest, load_signed
from pytest_ftc.model import Role
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.reporting.seal import ATTESTATIONS, DIGEST, find_changed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc report verify``."""
    parser.add_argument("report", type=Path, metavar="REPORT", help="the folder of --ftc-report, or a report.json")
    parser.add_argument(
        "-p", "--policy", type=Path, metavar="FILE", help="also require attestations of the outputs that it accepts"
    )
    parser.add_argument(
        "-a",
        "--attestations",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a file or a folder; repeatable; by default REPORT/attestations, or else REPORT",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc report verify``; return 1 if anything was changed, is missing or is not attested."""
    path, document = read_report(options.report)
    try:
        problems, described = list(find_changed(document, path.parent)), list(_describe(document))
        outputs = list(_outputs(document))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: this report cannot be read: {error!r}") from None
    attested: list[str] = []
    if options.policy:
        attested, refused = _judge(outputs, options, path.parent)
        problems += refused
    if options.json:
        print_json({"report": str(path), "digest": document[DIGEST], "problems": problems, "attested": attested})
    else:
        say("\n".join([*map(_as_problem, problems or ()), *([] if problems else [_UNCHANGED]), *described]))
        say(f"  attested    {', '.join(attested) or 'nothing'}" if options.policy else _NOT_ATTESTED)
    return 1 if problems else 0


_UNCHANGED = "✔ the report and the files beside it are as they were written"
_NOT_ATTESTED = "  attested    not asked: a digest does not tell who made the report; see --policy"


def _as_problem(problem: str) -> str:
    return f"✘ {problem}"


def _describe(document: Mapping[str, Any]) -> Iterator[str]:
    session, source = document["session"], document["session"].get("source", {})
    state = {True: ", with changes that are not committed", False: ""}.get(source.get("dirty"), "")
    commit = f"{source['commit']}{state}" if source.get("commit") else "not in a git repository"
    verdicts: dict[str, int] = {}
    for artifact in document.get("artifacts", []):
        verdicts[artifact["verdict"]] = verdicts.get(artifact["verdict"], 0) + 1
    rows = {
        "digest": document[DIGEST],
        "verdicts": ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()) or "nothing was verified",
        "made": f"{session.get('started_at', '')} by {document['tool']['name']} {document['tool']['version']}",
        "source": commit,
        "run": session.get("ci", {}).get("run_url") or session.get("ci", {}).get("service", ""),
    }
    yield from (f"  {name:<11} {value}" for name, value in rows.items() if value)


def _judge(
    outputs: Sequence[tuple[str, str]], options: argparse.Namespace, folder: Path
) -> tuple[list[str], list[str]]:
    """Return the names of those `outputs` that the policy accepts, and why it does not accept others."""
    policy = load_policy(options.policy)
    beside = folder / ATTESTATIONS
    signed = load_signed(options.attestations or [beside if beside.is_dir() else folder], policy)
    accepted, refused = [], []
    for name, sha256 in outputs:
        judgement = judge_digest(sha256, signed, policy)
        if judgement.accepted:
            accepted.append(name)
        else:
            refused.append(f"{name} is not attested: {'; '.join(judgement.problems)}")
    return accepted, refused


def _outputs(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the outputs of reproducible artifacts, each with its digest."""
    for artifact in document.get("artifacts", []):
        if artifact["verdict"] == "reproducible":
            controls = [build for build in artifact["builds"] if build["role"] == Role.CONTROL.value]
            outputs = (one for build in controls for one in build["outputs"])
            yield from ((one["path"], one["sha256"]) for one in outputs if "sha256" in one)
