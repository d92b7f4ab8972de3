"""``ftc attest compare``: whether two builders got the same bytes, what differs, and how independent they are."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_ftc import __version__
from pytest_ftc.attestation.account import read_accounts
from pytest_ftc.attestation.compare import Pair, compare_accounts
from pytest_ftc.attestation.documents import ATTESTED, make_statements
from pytest_ftc.attestation.judge import Signed
from pytest_ftc.attestation.policy import load_policy
from pytest_ftc.attestation.provenance import Builder
from pytest_ftc.cli.output import print_json, say
from pytest_ftc.integrations.attestations import load_signed, load_unverified
from pytest_ftc.integrations.signing import facts_of
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.reporting.verification_files import FOLDER, find_verification_files, read_verification_file

_MOST_SHOWN = 10
"""Facts of one section."""
_DIGEST = 12
"""Characters that are shown of a digest."""
_LONGEST = 60
"""Characters that are shown of another value."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc attest compare``."""
    for name in ("a", "b"):
        parser.add_argument(
            name, type=Path, metavar=name.upper(), help="attestations, a folder of them, or the folder of --ftc-report"
        )
    parser.add_argument(
        "-p", "--policy", type=Path, metavar="FILE", help="verify the signatures, by the keys that this policy trusts"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Run ``ftc attest compare``."""
    a, b = (read_accounts(_load(path, options.policy)) for path in (options.a, options.b))
    pairs = compare_accounts(a, b, lambda key: facts_of(key).material)
    if options.json:
        print_json({"parity": all(one.is_equal for one in pairs), "outputs": [_as_json(one) for one in pairs]})
    else:
        for pair in pairs:
            say("\n".join(_describe(pair)))
        if not options.policy:
            say("the signatures were not verified: give --policy FILE")
    return 0 if all(one.is_equal for one in pairs) else 1


def _load(path: Path, policy: Path | None) -> Sequence[Signed]:
    if _is_report(path):
        if policy:
            raise ConfigurationError(f"{path}: a report is not signed: compare attestations, or leave --policy out")
        return list(_read_report(path))
    if policy is None:
        return load_unverified([path])
    signed = load_signed([path], load_policy(policy))
    if not signed:
        raise FtcError(f"{path}: no trusted key has signed any attestation in it")
    return signed


def _is_report(path: Path) -> bool:
    return (path / FOLDER).is_dir() or FOLDER in (path.name, path.parent.name)


def _read_report(path: Path) -> Iterator[Signed]:
    # A report does not say who built.
    builder = Builder(id="", version=__version__)
    for file in find_verification_files(path):
        one = read_verification_file(file)
        if one.verdict in ATTESTED:
            for _, statement in make_statements(one, builder, None):
                yield Signed(str(file), statement, ())


def _describe(pair: Pair) -> Iterator[str]:
    if pair.is_equal:
        yield f"✔ parity   {pair.name}  sha256:{pair.a[0]}"
    else:
        yield f"✘ differs  {pair.name}"
        for side, digests in (("A", pair.a), ("B", pair.b)):
            yield f"  {side}  {' and '.join(f'sha256:{one}' for one in digests) or 'has no such output'}"
    for side in pair.not_reproducible:
        yield f"  {side} attests itself that it is not reproducible"
    yield from _describe_unlike(pair)
    for side in pair.unexplained:
        yield f"  {side} has no provenance: what it was built from is unknown"
    for state in ("shared", "different", "unknown"):
        names = [
            f"{name}{text.removeprefix(state)}" for name, text in pair.independence.items() if text.startswith(state)
        ]
        if names:
            yield f"  {state:<13}{', '.join(names)}"


def _describe_unlike(pair: Pair) -> Iterator[str]:
    for section in dict.fromkeys(one.section for one in pair.unlike):
        those = [one for one in pair.unlike if one.section == section]
        for one in those[:_MOST_SHOWN]:
            yield f"  {section:<13}{one.name}: {_shorten(one.a)} / {_shorten(one.b)}"
        if len(those) > _MOST_SHOWN:
            yield f"  {section:<13}and {len(those) - _MOST_SHOWN} more"


def _shorten(text: str) -> str:
    if len(text) in (40, 64) and not set(text) - set("0123456789abcdef"):
        return text[:_DIGEST]
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…") or "none"


def _as_json(pair: Pair) -> dict[str, object]:
    return {
        "name": pair.name,
        "parity": pair.is_equal,
        "a": list(pair.a),
        "b": list(pair.b),
        "not_reproducible": list(pair.not_reproducible),
        "differences": [{"section": one.section, "name": one.name, "a": one.a, "b": one.b} for one in pair.unlike],
        "without_provenance": list(pair.unexplained),
        "independence": dict(pair.independence),
    }
