"""``ftc publish``: pushes a verified artifact with its attestations to an OCI registry."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path

from pytest_ftc.cli.gate import REPORT
from pytest_ftc.cli.metrics.recording import measure_operation
from pytest_ftc.cli.output import print_json, say
from pytest_ftc.cli.quantities import duration
from pytest_ftc.config.project import load_project
from pytest_ftc.integrations.registry.documents import EXPIRES, UNVERIFIED
from pytest_ftc.integrations.registry.outputs import UnverifiedError, list_files, opened_outputs
from pytest_ftc.integrations.registry.proofs import Proofs, find_proofs
from pytest_ftc.integrations.registry.publishing import Published, publish
from pytest_ftc.integrations.registry.remote import UntrueError, opened, parse_reference, parse_repository
from pytest_ftc.integrations.registry.retention import expire_after, find_expired, remove
from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.oci_reference import ImageName
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.reporting.verification_files import find_verification_files, read_verification_file
from pytest_ftc.verification.user_folders import store_folder

_DESCRIPTION = """\
Push the verified outputs of an artifact to an OCI registry, with its attestations attached.  The outputs are those
bytes that were verified, from the disk or the store.  What is there already is not sent again: after an interruption,
give the same command again.  --expired and --remove-expired come
without ARTIFACT and REF.  Exit status: 0 if it is published, 1 if it was refused, 2 on an error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc publish``."""
    parser.description = _DESCRIPTION
    parser.add_argument("artifact", nargs="?", metavar="ARTIFACT", help="its name in the report")
    parser.add_argument("reference", nargs="?", metavar="REF", help="such as registry.example.org/team/app:1.0")
    parser.add_argument("--report", type=Path, metavar="DIR", help="default: as configured, else ftc-report")
    parser.add_argument("--files", type=Path, default=Path(), metavar="DIR", help="default: the current folder")
    parser.add_argument("--store", type=Path, metavar="DIR", help="the store that may have the outputs")
    parser.add_argument(
        "-a", "--attestations", type=Path, metavar="DIR", help="default: attestations/ in the report's folder"
    )
    parser.add_argument("--unsigned", action="store_true", help="publish it without any signed attestation")
    parser.add_argument("--unverified", metavar="REASON", help="publish it although it is not reproducible")
    parser.add_argument("--expire", metavar="AGE", type=duration, help="when it may be removed, such as 90d")
    parser.add_argument("--expired", metavar="REPOSITORY", help="list what is past its date")
    parser.add_argument("--remove-expired", metavar="REPOSITORY", help="remove what is past its date")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc publish``."""
    repository = options.expired or options.remove_expired
    if bool(repository) == bool(options.artifact) or (options.expired and options.remove_expired):
        raise ConfigurationError("name ARTIFACT and REF, or give either --expired or --remove-expired")
    if repository:
        return _show_expired(parse_repository(repository), options)
    if not options.reference:
        raise ConfigurationError("name where to publish it, such as registry.example.org/team/app:1.0")
    image = parse_reference(options.reference)
    if image.digest:
        raise ConfigurationError(f"{options.reference}: expected a tag; the digest follows from the outputs")
    return measure_operation("push", lambda: _publish_or_refuse(image, options))


def _publish_or_refuse(image: ImageName, options: argparse.Namespace) -> int:
    try:
        return _publish(image, options)
    except (UnverifiedError, UntrueError) as error:
        if options.json:
            print_json({"published": False, "problem": str(error)})
        else:
            say(f"✘ refused   {error}")
        return 1


def _publish(image: ImageName, options: argparse.Namespace) -> int:
    record, verification = _find_record(options)
    annotations = _annotate(verification, options)
    proofs = _find_proofs(record, verification, options)
    store = options.store or store_folder()
    with opened_outputs(verification, options.files, store) as contents, opened(image) as remote:
        published = publish(remote, contents, proofs.documents, annotations)
    notes = [content.note for content in contents if content.note]
    if options.json:
        print_json(_as_json(image, published, annotations, [*notes, *proofs.passed_over]))
        return 0
    _show(image, published, annotations)
    for note in notes:
        say(f"  {note}")
    for text in proofs.passed_over:
        say(f"  not attached: {text}")
    if not proofs.covered:
        say("  nobody has signed that it is reproducible")
    return 0


def _find_record(options: argparse.Namespace) -> tuple[Path, Verification]:
    """Return the file with the record of the artifact, and the record.  Raises ConfigurationError."""
    records = find_verification_files(options.report or _default_report())
    found = {path: read_verification_file(path) for path in records}
    for path, one in found.items():
        if options.artifact in (one.name, one.id):
            return path, one
    names = sorted(one.name for one in found.values())
    hint = did_you_mean(options.artifact, names)
    raise ConfigurationError(
        f"the report has no artifact {options.artifact!r}{hint}  Artifacts: {', '.join(names) or 'none'}"
    )


def _default_report() -> Path:
    configured = load_project(Path.cwd(), {}, needs_artifacts=False).report
    folder = configured or Path(REPORT)
    if not folder.is_dir():
        raise ConfigurationError(f"name the folder of the report with --report: there is none in {folder}")
    return folder


def _annotate(verification: Verification, options: argparse.Namespace) -> dict[str, str]:
    """Return the annotations of the manifest.  Raises UnverifiedError for what may not be published."""
    name, annotations = verification.name, dict[str, str]()
    if verification.leaks:
        raise UnverifiedError(f"{name}: a secret would be published: {verification.leaks[0]}")
    if not verification.passed or verification.verdict is Verdict.EQUIVALENT:
        found = verification.verdict.value
        if verification.verdict is Verdict.REPRODUCIBLE:
            found += ", but it used undeclared inputs, and is strict"
        if not (options.unverified or "").strip():
            raise UnverifiedError(
                f"{name}: its verdict is {found}; to publish it nevertheless, give --unverified REASON"
            )
        annotations[UNVERIFIED] = f"{found}: {options.unverified.strip()}"
    elif options.unverified is not None:
        raise ConfigurationError(f"--unverified: {name} is reproducible: publish it without")
    if options.expire is not None:
        annotations[EXPIRES] = expire_after(options.expire, datetime.now(timezone.utc))
    return annotations


def _find_proofs(record: Path, verification: Verification, options: argparse.Namespace) -> Proofs:
    """Return what is attested of the artifact.  Raises UnverifiedError where one of its files is not attested."""
    outputs = {output.sha256: output.path for output in list_files(verification)}
    folder = options.attestations or record.parent.parent / "attestations"
    found = Proofs(documents=(), covered=frozenset(), passed_over=())
    if options.attestations or folder.is_dir():
        found = find_proofs(folder, outputs, slug(verification.name), verification.verdict)
    missing = [path for digest, path in sorted(outputs.items()) if digest not in found.covered]
    if missing and not options.unsigned:
        raise UnverifiedError(
            f"{missing[0]}: no signed attestation in {folder} is about these bytes: make one with "
            "`ftc attest create --key`, or give --unsigned"
        )
    return found


def _show(image: ImageName, published: Published, annotations: dict[str, str]) -> None:
    say(f"✔ published  {_name(image)}@{published.digest}")
    for name, sent in published.files.items():
        say(f"  {name}: {'pushed' if sent else 'was there already'}")
    for name, attached in published.documents.items():
        say(f"  {name}: {'attached' if attached else 'was attached already'}")
    if published.before and published.before != published.digest:
        say(f"  the tag {image.tag} was {published.before} before")
    if UNVERIFIED in annotations:
        say(f"  not verified: {annotations[UNVERIFIED]}")
    if EXPIRES in annotations:
        say(f"  may be removed after {annotations[EXPIRES]}")


def _as_json(image: ImageName, published: Published, annotations: dict[str, str], notes: list[str]) -> object:
    return {
        "published": True,
        "reference": f"{_name(image)}@{published.digest}",
        "digest": published.digest,
        "before": published.before or None,
        "files": dict(published.files),
        "documents": dict(published.documents),
        "annotations": annotations,
        "notes": notes,
    }


def _show_expired(image: ImageName, options: argparse.Namespace) -> int:
    removes = options.remove_expired is not None
    with opened(image) as remote:
        found = find_expired(remote)
        for one in found if removes else ():
            remove(remote, one.digest)
    if options.json:
        print_json({"removed" if removes else "expired": found})
        return 0
    for one in found:
        names = f" ({', '.join(one.tags)})" if one.tags else ""
        say(f"{'removed' if removes else 'expired'} {one.expired}  {one.digest}{names}")
    if not found:
        say("nothing has expired")
    return 0


def _name(image: ImageName) -> str:
    return f"{image.registry}/{image.repository}:{image.tag}"
