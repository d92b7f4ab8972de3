"""``pylock.toml`` (PEP 751): see https://packaging.python.org/en/latest/specifications/pylock-toml/."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_ftc.attestation.sbom.component import Component, Declared, File, Scope, check_count
from pytest_ftc.attestation.sbom.hashes import read_hashes
from pytest_ftc.attestation.sbom.shapes import parse_toml, without_credentials
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model.errors import FtcError

if TYPE_CHECKING:
    from packaging.pylock import Package, Pylock

NO_EXTRA = "an SBOM needs the extra 'sbom': pip install 'pytest-ftc[sbom]'"


def read_pylock(data: bytes, where: str) -> Declared:
    """Return what the lock file `data` at `where` declares.  Raises DocumentError, FtcError without the extra."""
    packages = list(_parse(data, where).packages)
    check_count(len(packages), where)
    bare = [_describe(one, where) for one in packages]
    keys: dict[str, list[Component]] = defaultdict(list)
    for one in bare:
        keys[one.name].append(one)
    components = [_describe(one, where, tuple(_needs(one, keys, where))) for one in packages]
    tells = any(one.depends for one in components) or len(components) < 2
    notes = () if tells else (f"{where} does not say which package requires another",)
    return Declared(components=tuple(components), notes=notes)


def _parse(data: bytes, where: str) -> Pylock:
    try:
        from packaging.pylock import Pylock, PylockValidationError
    except ImportError:
        raise FtcError(NO_EXTRA) from None
    document = parse_toml(data, where)
    try:
        return Pylock.from_dict(document)
    except PylockValidationError as error:
        raise DocumentError(f"{where}: {_on_one_line(error)}") from None
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        raise DocumentError(f"{where}: no valid lock file: {type(error).__name__}: {_on_one_line(error)}") from None


def _on_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _describe(package: Package, where: str, depends: tuple[str, ...] = ()) -> Component:
    at = f"{where}: packages: {package.name}"
    marker = str(package.marker or "")
    chosen = "extras" in marker or "dependency_groups" in marker
    return Component(
        type="pypi",
        name=package.name,
        version=str(package.version or ""),
        qualifiers=_qualifiers(package),
        scope=Scope.OPTIONAL if chosen else Scope.REQUIRED,
        files=tuple(_files(package, at)),
        source=where,
        depends=depends,
    )


def _qualifiers(package: Package) -> dict[str, str]:
    if package.vcs is None:
        return {}
    address = without_credentials(package.vcs.url or "")
    return {"vcs_url": f"{package.vcs.type}+{address}@{package.vcs.commit_id}"} if address else {}


def _files(package: Package, at: str) -> Iterator[File]:
    for one in (package.archive, package.sdist, *(package.wheels or ())):
        if one is not None:
            last = (one.path or one.url or "").partition("?")[0].rpartition("/")[2]
            address = without_credentials(one.url or "") or getattr(one, "name", None) or last
            yield File(url=address, hashes=read_hashes(one.hashes, f"{at}: hashes"))


def _needs(package: Package, keys: Mapping[str, list[Component]], where: str) -> Iterator[str]:
    """Yield the keys of the packages that the tables in ``dependencies`` mean: each names values of theirs."""
    for wanted in package.dependencies or ():
        if not isinstance(wanted, dict) or not isinstance(wanted.get("name"), str):
            raise DocumentError(f"{where}: packages: {package.name}: dependencies: expected tables with a name")
        found = [one for one in keys.get(wanted["name"], ()) if _fits(one, wanted)]
        if not found:
            raise DocumentError(
                f"{where}: packages: {package.name}: dependencies: no package {wanted['name'][:80]!r} is in this file"
            )
        yield from (one.key for one in found)


def _fits(one: Component, wanted: Mapping[str, Any]) -> bool:
    return wanted.get("version") in (None, one.version)
