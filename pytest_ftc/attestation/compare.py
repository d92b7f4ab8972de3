"""Two builders or regions compared: whether they got the same bytes, what differs, and how independent they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from pytest_ftc.attestation.account import ENVIRONMENT, INPUTS, TOOLCHAIN, Account
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.model.errors import FtcError

SHARED, DIFFERENT, UNKNOWN = "shared", "different", "unknown"
VARIATIONS, VARIED = "variations", "varied"


@dataclass(frozen=True, slots=True)
class Unlike:
    """A fact that is not the same on both sides; empty where one has none."""

    section: str
    """``inputs``, ``toolchain``, ``environment`` or ``variations``."""
    name: str
    a: str
    b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One output on both sides."""

    name: str
    a: tuple[str, ...]
    """The sha256 of side A; more than one where its statements disagree, none where it has no such output."""
    b: tuple[str, ...]
    not_reproducible: tuple[str, ...] = ()
    """The sides whose own verdict is that it is not reproducible."""
    unlike: tuple[Unlike, ...] = ()
    unexplained: tuple[str, ...] = ()
    """The sides without provenance."""
    independence: Mapping[str, str]
    """``shared``, ``different`` or ``unknown``, each perhaps with a number, by what is shared."""

    @property
    def is_equal(self) -> bool:
        """Whether both sides have the same bytes, and neither contradicts itself."""
        return len(self.a) == 1 and self.a == self.b and not self.not_reproducible


def compare_accounts(
    a: Mapping[str, Account], b: Mapping[str, Account], material: Callable[[PublicKey], bytes]
) -> list[Pair]:
    """Return the outputs of both sides, sorted by name; `material` tells keys apart.

    If no name is the same, those of files without their folders are compared.  Raises FtcError if none of these is.
    """
    listed = f"{_list(a)}; and {_list(b)}"
    if not a.keys() & b.keys():
        a, b = _without_folders(a), _without_folders(b)
    if not a.keys() & b.keys():
        raise FtcError(f"the two have no output in common: {listed}")
    return [_compare(name, a.get(name), b.get(name), material) for name in sorted(a.keys() | b.keys())]


def _compare(name: str, a: Account | None, b: Account | None, material: Callable[[PublicKey], bytes]) -> Pair:
    first, second = a or Account(), b or Account()
    sides = [(side, one) for side, one in (("A", first), ("B", second)) if one.digests]
    return Pair(
        name=name,
        a=tuple(sorted(first.digests)),
        b=tuple(sorted(second.digests)),
        not_reproducible=tuple(side for side, one in sides if one.is_negative),
        unlike=tuple(_find_unlike(first, second)) if a and b else (),
        unexplained=tuple(side for side, one in sides if not one.facts),
        independence=_judge_independence(first, second, material) if a and b else {},
    )


def _find_unlike(a: Account, b: Account) -> Iterator[Unlike]:
    if a.facts and b.facts:
        for section in (INPUTS, TOOLCHAIN, ENVIRONMENT):
            one, other = a.facts.get(section, {}), b.facts.get(section, {})
            for name in sorted(one.keys() | other.keys()):
                if one.get(name) != other.get(name):
                    yield Unlike(section, name, one.get(name, ""), other.get(name, ""))
    if a.varied is not None and b.varied is not None:
        for name in sorted(a.varied ^ b.varied):
            yield Unlike(VARIATIONS, name, _say_varied(name, a), _say_varied(name, b))


def _say_varied(name: str, account: Account) -> str:
    return VARIED if name in (account.varied or ()) else ""


def _judge_independence(a: Account, b: Account, material: Callable[[PublicKey], bytes]) -> dict[str, str]:
    return {
        "machine": _relate(a.machines, b.machines),
        "kernel": _relate(a.boots, b.boots),
        "image": _relate(a.images, b.images),
        "toolchain": _relate_tools(a.facts.get(TOOLCHAIN, {}), b.facts.get(TOOLCHAIN, {})),
        "builder": _relate(a.builders, b.builders),
        "operator": _relate({key.operator for key in a.keys}, {key.operator for key in b.keys}),
        "key": _relate({material(key) for key in a.keys}, {material(key) for key in b.keys}),
    }


def _relate(a: Collection[object], b: Collection[object]) -> str:
    if not a or not b:
        return UNKNOWN
    return DIFFERENT if {*a}.isdisjoint(b) else SHARED


def _relate_tools(a: Mapping[str, str], b: Mapping[str, str]) -> str:
    common = a.keys() & b.keys()
    if not common:
        return DIFFERENT if a and b else UNKNOWN
    equal = sum(a[name] == b[name] for name in common)
    return f"{SHARED if equal else DIFFERENT} ({equal} of {len(a.keys() | b.keys())} are the same)"


def _without_folders(accounts: Mapping[str, Account]) -> dict[str, Account]:
    """Return `accounts` by the names of files alone, if these tell them apart."""
    names = {name: name.rpartition("/")[2] for name in accounts}
    if len(set(names.values())) < len(names):
        return dict(accounts)
    return {names[name]: account for name, account in accounts.items()}


def _list(accounts: Mapping[str, Account]) -> str:
    names = sorted(accounts)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "nothing"
