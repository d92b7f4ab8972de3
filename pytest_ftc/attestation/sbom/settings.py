"""What is asked of a software bill of materials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SPECS = ("1.6", "1.7")
"""The versions of CycloneDX."""
COMPONENT_PARTS = ("version", "purl", "hash", "licence", "supplier")
"""What each package can be required to have."""
DOCUMENT_PARTS = ("author", "timestamp", "relationships", "embedded")
"""What the document can be required to have."""
NTIA = ("supplier", "version", "purl", "relationships", "author", "timestamp")
"""The minimum elements of https://www.ntia.gov/report/2021/minimum-elements-software-bill-materials-sbom.

Each component has a name anyway.
"""
NAMES = (*COMPONENT_PARTS, *(f"build.{one}" for one in COMPONENT_PARTS), *DOCUMENT_PARTS, "ntia")
"""What can be required; parts that begin with ``build.`` are of the packages that only the build used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SbomSettings:
    """How a software bill of materials is made, and what it must have."""

    spec: str = SPECS[0]
    author: str = ""
    """Who made the SBOM."""
    supplier: str = ""
    """Who supplies the artifact."""
    suppliers: Mapping[str, str] = field(default_factory=dict)
    """Who supplies packages, by the beginnings of their package URLs; the longest counts."""
    files: tuple[str, ...] = ()
    """Lock files to read besides those in the root of the source."""
    require: tuple[str, ...] = ()
