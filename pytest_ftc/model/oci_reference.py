"""References to artifacts in OCI registries."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The grammar of https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_NAME = re.compile(
    r"oci(?P<plain>\+http)?:(?://)?"
    r"(?P<registry>(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?)/"
    r"(?P<repository>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_LOOPBACK = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """An OCI reference, such as ``oci:registry.example.org/app:1.0``."""

    registry: str
    """Host, with the port if it is not the default."""
    repository: str
    tag: str
    """Empty if only the digest is given."""
    digest: str
    """``sha256:`` and 64 digits, or empty."""
    plain: bool
    """Whether plain HTTP is used: if the reference says so, or for a registry on this machine."""
    local: bool
    """Whether the registry is on this machine."""

    @property
    def target(self) -> str:
        """The reference in the form that registry clients use."""
        version = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.registry}/{self.repository}{version}"


def is_image(text: str) -> bool:
    """Return whether `text` is meant as an OCI reference."""
    return text.startswith(("oci:", "oci+"))


def parse_image(text: str) -> ImageName | None:
    """Parse the OCI reference `text`; return None if invalid.  It needs a registry, and a tag or a digest."""
    match = _NAME.fullmatch(text)
    if not match or not (match["tag"] or match["digest"]):
        return None
    local = bool(_LOOPBACK.fullmatch(match["registry"]))
    return ImageName(
        registry=match["registry"],
        repository=match["repository"],
        tag=match["tag"] or "",
        digest=match["digest"] or "",
        plain=bool(match["plain"]) or local,
        local=local,
    )
