"""The current position of the walk, in human-readable form."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.comparison.members.contents import Member
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.model import Place
from pytest_ftc.model.place import FileFormat
from pytest_ftc.model.support.printable import shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The current position of the walk."""

    name: str
    """The file's name, whose extension may decide the format."""
    member: str = ""
    part: str = ""
    depth: int = 0

    def enter(self, member: Member) -> Position:
        """Return the position of one member."""
        if member.payload:
            return replace(self, depth=self.depth + 1, name=_strip_extension(self.name))
        if member.part:
            part = f"{self.part}, {member.part}" if self.part else member.part
            return replace(self, depth=self.depth + 1, name="", part=shorten(part))
        return Position(name=member.name, member=self.child(member.name), depth=self.depth + 1)

    def child(self, name: str) -> str:
        """Return the name of a member of this container."""
        name = name.removeprefix("./") or name
        return shorten(f"{self.member}/{name}" if self.member else name, longest=1000)

    def leaf(self, found: Found, format_: FileFormat, note: str = "") -> Place:
        """Return a leaf for a difference found here."""
        location = f"{self.part}, {found.location}" if self.part else found.location
        notes = "; ".join(text for text in (found.note, note) if text)
        return Place(
            field=found.field,
            location=shorten(location),
            control=found.control,
            experiment=found.experiment,
            member=self.member,
            format=format_,
            note=notes,
            numbers=found.numbers,
            is_recomputed=found.is_recomputed,
        )


def _strip_extension(name: str) -> str:
    stem, _, extension = name.rpartition(".")
    return f"{stem}.tar" if extension in ("tgz", "tbz", "tbz2", "txz", "tzst") else stem
