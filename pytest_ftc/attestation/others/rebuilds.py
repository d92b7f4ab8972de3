"""Builds that others attest: links of rebuilderd, provenance of OSS Rebuild, of GitHub and the like.

Each is about one build.  It says nothing about variations, and is no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ftc.attestation.evidence import Evidence
from pytest_ftc.attestation.others.link import LINK_TYPE
from pytest_ftc.attestation.provenance import BUILD_TYPE, PROVENANCE_TYPE
from pytest_ftc.attestation.statement import Statement
from pytest_ftc.model import Verdict

_EQUIVALENCE = "https://docs.oss-rebuild.dev/builds/ArtifactEquivalence@"
"""https://docs.oss-rebuild.dev/builds/ArtifactEquivalence@v0.1: equal after times, orders and modes were removed."""
_ONE_BUILD = Evidence(verdict=Verdict.REPRODUCIBLE, builds=1, machines=1, varied=(), not_varied={})
NOT_EQUAL_BYTES = "equal bytes: it attests equality after stabilization"
NO_REBUILD = "a rebuild: it is a link of another step"


def read_rebuild(statement: Statement) -> Evidence | None:
    """Return the one build of the subjects that `statement` attests; None where it attests none, or is of ours.

    Provenance of ours is no build of its own: the verdict beside it has them.
    """
    return _ONE_BUILD if is_provenance(statement) and _build_type(statement) != BUILD_TYPE else None


def is_provenance(statement: Statement) -> bool:
    """Return whether `statement` says from what its subjects were built: provenance, or the link of a rebuild."""
    return statement.predicate_type in (LINK_TYPE, PROVENANCE_TYPE) and not find_missing(statement)


def find_missing(statement: Statement) -> str:
    """Return why a link or provenance is not about a build of the same bytes; empty if it is."""
    if statement.predicate_type == LINK_TYPE:
        name = statement.predicate.get("name")
        # rebuilderd names the step after the file; older rebuilders use the word alone.
        is_rebuild = isinstance(name, str) and (name == "rebuild" or name.startswith("rebuild "))
        return "" if is_rebuild else NO_REBUILD
    is_equivalence = statement.predicate_type == PROVENANCE_TYPE and _build_type(statement).startswith(_EQUIVALENCE)
    return NOT_EQUAL_BYTES if is_equivalence else ""


def _build_type(statement: Statement) -> str:
    definition = statement.predicate.get("buildDefinition")
    kind = definition.get("buildType") if isinstance(definition, Mapping) else None
    return kind if isinstance(kind, str) else ""
