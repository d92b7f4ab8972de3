"""The manifests that are published: of the files of an artifact, and of the documents about it.

See https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage.
Equal contents have equal manifests: there are no times in them, and names are sorted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_ftc.integrations.registry.client import MANIFEST
from pytest_ftc.integrations.registry.manifest import TITLE, Layer

ARTIFACT = "application/vnd.pytest-ftc.artifact.v1"
"""The type of the artifacts of ``ftc publish``."""
UNVERIFIED = "vnd.pytest-ftc.unverified"
"""The annotation with the reason why an artifact was published that is not reproducible."""
EXPIRES = "vnd.pytest-ftc.expires"
"""The annotation with the time after which an artifact may be removed (RFC 3339, UTC)."""
EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A content that a manifest lists under a name."""

    title: str
    layer: Layer
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document about an artifact, such as an attestation."""

    title: str
    media_type: str
    data: bytes
    annotations: Mapping[str, str] = field(default_factory=dict)


def layer_of(data: bytes) -> Layer:
    """Return the digest and size of `data`."""
    return Layer(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))


def make_artifact(parts: Sequence[Part], annotations: Mapping[str, str]) -> bytes:
    """Return the manifest of an artifact with these files."""
    return _encode(ARTIFACT, sorted(parts, key=lambda part: part.title), annotations)


def make_referrer(document: Document, subject: bytes) -> bytes:
    """Return the manifest of a document about the artifact with the manifest `subject`."""
    part = Part(title=document.title, layer=layer_of(document.data), media_type=document.media_type)
    about = {"mediaType": MANIFEST, **_describe(layer_of(subject))}
    return _encode(document.media_type, [part], document.annotations, about)


def describe_referrer(document: Document, manifest: bytes) -> dict[str, Any]:
    """Return the descriptor of the `manifest` of `document`, as a list of referrers has it."""
    return {
        "mediaType": MANIFEST,
        **_describe(layer_of(manifest)),
        "artifactType": document.media_type,
        "annotations": dict(document.annotations),
    }


def encode_json(document: Mapping[str, Any]) -> bytes:
    """Return `document` as JSON with sorted names."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _encode(
    kind: str, parts: Sequence[Part], annotations: Mapping[str, str], subject: Mapping[str, Any] | None = None
) -> bytes:
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": {"mediaType": _EMPTY_TYPE, **_describe(layer_of(EMPTY))},
        "layers": [
            {"mediaType": part.media_type, **_describe(part.layer), "annotations": {TITLE: part.title}}
            for part in parts
        ],
    }
    if annotations:
        document["annotations"] = dict(annotations)
    if subject:
        document["subject"] = dict(subject)
    return encode_json(document)


def _describe(layer: Layer) -> dict[str, Any]:
    return {"digest": layer.digest, "size": layer.size}
