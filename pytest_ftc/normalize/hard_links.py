"""Hard links in a tar archive: the first name in sorted order holds the content, whichever tar saw first."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.member_names import show

_LONGEST_CHAIN = 8
"""Limit on links to links; tar never writes such a chain."""


def settle_links(members: Sequence[tarfile.TarInfo]) -> Iterator[tuple[str, tarfile.TarInfo, str | None]]:
    """Yield, for each of the sorted `members`, its name, the member that has its content, and the name to link to.

    The first name of a file gets the content (its link is None); the others link to it.
    Raises NormalizationError if a link's target is not in the archive.
    """
    by_name = {member.name: member for member in members}
    first: dict[str, str] = {}
    for member in members:
        holder = _find_holder(member, by_name)
        name = first.setdefault(holder.name, member.name)
        yield member.name, holder, None if name == member.name else name


def _find_holder(member: tarfile.TarInfo, by_name: dict[str, tarfile.TarInfo]) -> tarfile.TarInfo:
    holder = member
    for _ in range(_LONGEST_CHAIN):
        if not holder.islnk():
            break
        try:
            holder = by_name[holder.linkname]
        except KeyError:
            break
    if holder.islnk() or (holder is not member and holder.isdir()):
        name = show(member.name.encode("utf-8", "surrogateescape"))
        raise NormalizationError(f"the target of the hard link {name} is not a file in the archive")
    return holder
