"""The entries of a software bill of materials, independent of its format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from pytest_ftc.attestation.strict_json import DocumentError

MOST_COMPONENTS = 10_000
"""A lock file with more is refused."""


class Scope(str, Enum):
    """Whether the artifact needs a component when it runs; the values are those of CycloneDX."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    EXCLUDED = "excluded"
    """Only for building, testing or developing it."""


class Role(str, Enum):
    """From where a component is known."""

    DECLARED = "declared"
    """The source declares or locks it as a dependency."""
    SOURCE = "source"
    """It is a part of the source itself, such as a member of a workspace."""
    BUILD = "build"
    """It was part of the environment of the build, or the source requires it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file in which a component is distributed."""

    url: str
    """Without credentials and query; a plain file name if no address is known."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Hexadecimal digests, by the names that CycloneDX has for algorithms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One package."""

    type: str
    """Of its package URL, such as ``npm``."""
    name: str
    namespace: str = ""
    version: str = ""
    """Empty if the source declares a range of versions only."""
    qualifiers: Mapping[str, str] = field(default_factory=dict)
    """Of its package URL."""
    role: Role = Role.DECLARED
    scope: Scope = Scope.REQUIRED
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Hexadecimal digests of the package, by the names that CycloneDX has for algorithms."""
    files: tuple[File, ...] = ()
    licence: str = ""
    requirement: str = ""
    """What the source declares, such as ``requests>=2``."""
    source: str = ""
    """The file of the source that declares it; empty if none does."""
    depends: tuple[str, ...] = ()
    """Keys of the components that it needs."""

    @property
    def key(self) -> str:
        """What distinguishes it from other components of a document."""
        qualifiers = "".join(f"&{name}={value}" for name, value in sorted(self.qualifiers.items()))
        return f"{self.role.value}:{self.type}/{self.full_name}@{self.version}{qualifiers}"

    @property
    def full_name(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a file says of the project that it belongs to."""

    type: str = ""
    """Of its package URL."""
    name: str = ""
    version: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What one file of a source tree declares."""

    components: tuple[Component, ...] = ()
    direct: tuple[str, ...] = ()
    """Keys of the components that the project itself needs."""
    own: tuple[Component, ...] = ()
    """Packages whose files are in the source tree."""
    project: Project = Project()
    notes: tuple[str, ...] = ()
    """What the file does not say, one sentence each."""


def merge_components(components: Iterable[Component]) -> tuple[Component, ...]:
    """Return `components` sorted by key, those of one key as one.  Raises DocumentError if their hashes differ."""
    merged: dict[str, Component] = {}
    for one in components:
        merged[one.key] = _merge(merged[one.key], one) if one.key in merged else one
    return tuple(merged[key] for key in sorted(merged))


def check_count(count: int, where: str) -> None:
    """Raise DocumentError if a file lists more than `MOST_COMPONENTS`."""
    if count > MOST_COMPONENTS:
        raise DocumentError(f"{where}: more than {MOST_COMPONENTS} packages")


def _merge(one: Component, other: Component) -> Component:
    for name, value in other.hashes.items():
        if one.hashes.get(name, value) != value:
            places = " and ".join(dict.fromkeys((one.source, other.source)))
            raise DocumentError(f"{places}: {one.full_name} {one.version} is locked with two different {name} digests")
    order = list(Scope)
    return replace(
        one,
        scope=min(one.scope, other.scope, key=order.index),
        hashes={**one.hashes, **other.hashes},
        files=tuple(_unique(one.files, other.files)),
        licence=one.licence or other.licence,
        requirement=one.requirement or other.requirement,
        depends=tuple(dict.fromkeys((*one.depends, *other.depends))),
    )


def _unique(*files: Iterable[File]) -> Iterator[File]:
    seen = set()
    for one in (one for group in files for one in group):
        key = (one.url, tuple(sorted(one.hashes.items())))
        if key not in seen:
            seen.add(key)
            yield one
