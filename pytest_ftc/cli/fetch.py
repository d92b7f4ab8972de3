"""``ftc fetch``: fetches an artifact from an OCI registry, after all of it is verified."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ftc.attestation.policy import Policy, load_policy
from pytest_ftc.cli.attest.verify import judgement_as_json, show_judgement
from pytest_ftc.cli.metrics.recording import measure_operation
from pytest_ftc.cli.output import print_json, say
from pytest_ftc.integrations.registry.documents import UNVERIFIED
from pytest_ftc.integrations.registry.fetching import (
    Resolved,
    collect_attestations,
    download,
    refuse_others,
    resolve,
)
from pytest_ftc.integrations.registry.judging import Outcome, judge_artifact
from pytest_ftc.integrations.registry.remote import Remote, UntrueError, opened, parse_reference
from pytest_ftc.integrations.registry.retention import expiry_of, is_past
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.oci_reference import ImageName
from pytest_ftc.model.support.printable import shorten

_DESCRIPTION = """\
Fetch an artifact from an OCI registry.  Its digests and sizes are verified, and by --policy the signatures of its
attestations and what they must say, before a file is at its place.  Without --policy, REF must have the digest.
Exit status: 0 if all files were fetched, 1 if they were refused, 2 on an error; then no file is left behind."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc fetch``."""
    parser.description = _DESCRIPTION
    parser.add_argument("reference", metavar="REF", help="such as registry.example.org/team/app:1.0")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", default=Path(), help="where to; default: the current folder"
    )
    parser.add_argument("-p", "--policy", type=Path, metavar="FILE", help="what is required, in TOML")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc fetch``."""
    image = parse_reference(options.reference)
    policy = load_policy(options.policy) if options.policy else None
    if policy is None and not image.digest:
        raise ConfigurationError(
            f"{options.reference}: nothing says what to expect: give --policy, or the digest, as in REF@sha256:..."
        )
    return measure_operation("pull", lambda: _fetch_or_refuse(image, policy, options))


def _fetch_or_refuse(image: ImageName, policy: Policy | None, options: argparse.Namespace) -> int:
    with opened(image) as remote:
        try:
            return _fetch(remote, policy, options)
        except UntrueError as error:
            if options.json:
                print_json({"fetched": False, "problem": str(error)})
            else:
                say(f"✘ refused   {error}")
            return 1


def _fetch(remote: Remote, policy: Policy | None, options: argparse.Namespace) -> int:
    found = resolve(remote)
    outcome = _judge(remote, found, policy) if policy else None
    accepted = outcome is None or outcome.accepted
    if accepted:
        present = refuse_others(found.files, options.output)
        download(remote, {name: one for name, one in found.files.items() if name not in present}, options.output)
    if options.json:
        print_json(_as_json(remote.image, found, outcome))
    else:
        _show(remote.image, found, outcome, options.output)
    return 0 if accepted else 1


def _judge(remote: Remote, found: Resolved, policy: Policy) -> Outcome:
    return judge_artifact(found.files, collect_attestations(remote, found.digest), policy)


def _show(image: ImageName, found: Resolved, outcome: Outcome | None, folder: Path) -> None:
    for name, judgement in outcome.judgements.items() if outcome else ():
        show_judgement(name, judgement)
    if outcome is None or outcome.accepted:
        say(f"✔ fetched   {image.registry}/{image.repository}@{found.digest}")
        for name in found.files:
            say(f"  {folder / name}")
    for text in outcome.unreadable if outcome else ():
        say(f"  not counted: {shorten(text)}")
    reason = found.annotations.get(UNVERIFIED)
    if reason is not None:
        say(f"  published although it was not verified: {shorten(reason)}")
    expiry = expiry_of(found.annotations)
    if expiry and is_past(expiry):
        say(f"  expired on {expiry:%Y-%m-%d}")
    if outcome is None:
        say("  verified: only digests: without --policy, no signature is")
    else:
        say("  verified: digests, signatures, policy" if outcome.accepted else "  nothing was fetched")


def _as_json(image: ImageName, found: Resolved, outcome: Outcome | None) -> dict[str, object]:
    judgements = outcome.judgements if outcome else {}
    return {
        "reference": f"{image.registry}/{image.repository}@{found.digest}",
        "fetched": outcome is None or outcome.accepted,
        "policy": outcome is not None,
        "files": {
            name: {
                "sha256": layer.digest.removeprefix("sha256:"),
                "size": layer.size,
                **(judgement_as_json(judgements[name]) if name in judgements else {}),
            }
            for name, layer in found.files.items()
        },
    }
