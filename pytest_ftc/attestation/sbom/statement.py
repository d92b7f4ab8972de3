"""Statements about what an artifact is made of.

See https://cyclonedx.org/specification/overview/ and
https://github.com/in-toto/attestation/blob/main/spec/predicates/cyclonedx.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ftc.attestation.statement import Statement, subjects_of
from pytest_ftc.model import Verification

SBOM_TYPE = "https://cyclonedx.org/bom"
"""The predicate type; documents of others may have a version behind it."""


def make_sbom_statement(verification: Verification, document: Mapping[str, Any]) -> Statement:
    """Return the statement that the CycloneDX `document` is about the outputs of `verification`.

    Raises FtcError when there is no output.
    """
    return Statement(subjects_of(verification), SBOM_TYPE, document)


def is_sbom(statement: Statement) -> bool:
    """Return whether `statement` holds a CycloneDX document."""
    kind = statement.predicate_type
    named = kind == SBOM_TYPE or kind.startswith(f"{SBOM_TYPE}/")
    return named and statement.predicate.get("bomFormat") == "CycloneDX"
