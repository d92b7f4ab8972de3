"""What remedies are tried for, and a remedy with the values of one build."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_ftc.diagnosis.culprits.tar_formats import OLD_FORMAT, suit_old_format
from pytest_ftc.diagnosis.luck import Luck, Trial
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.remedies import find_remedies
from pytest_ftc.model import Field, Place, RemedyTemplate
from pytest_ftc.model.place import FileFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyTarget:
    """A place that differs, with the properties that select its remedies."""

    key: Key
    place: Place
    cause: str
    known: bool
    """Whether the cause is certain enough to test remedies for it."""
    alone: bool = True
    """Whether builds tell if a remedy helps; of a part they show only the whole place, which may have other causes."""
    tools: tuple[str, ...]
    """The commands that wrote it."""
    ran: frozenset[str] = frozenset()
    """All programs that the build ran, by name; empty if unknown."""
    luck: Luck = ((1.0, 0.0),)
    """Rates at which two builds that differ in everything agree here by luck, with their probabilities."""
    follows: bool = False
    """Whether it only follows from other places: then nothing is tested for it."""
    values: tuple[bytes, bytes] | None = None
    """The values of the cause in the two builds, such as their paths, which also the builds with a remedy have."""
    is_told: bool = False
    """Whether its values tell a time or a zone, so that those with a remedy tell whether it is still there."""

    @property
    def trial(self) -> Trial:
        """The initial trial of a remedy."""
        return Trial(self.luck, self.cause)

    @property
    def agrees_by_luck(self) -> float:
        """The probability that two builds agree here although nothing helps."""
        return sum(weight * rate for weight, rate in self.luck)


class Applied(NamedTuple):
    """A remedy with the values of one build."""

    summary: str
    settings: tuple[tuple[str, str], ...]
    before: str
    after: str
    rewrites: str
    """The output that it rewrites; empty for none."""
    lays_out: bool
    """Whether it may lay programs out anew."""
    source: str


def apply(template: RemedyTemplate, key: Key, epoch: int) -> Applied:
    """Return `template` for the output of `key`, with the time `epoch`."""

    def fill(text: str) -> str:
        return text.replace("{epoch}", str(epoch)).replace("{output}", shlex.quote(key.output))

    return Applied(
        summary=fill(template.summary),
        settings=tuple((name, fill(value)) for name, value in template.settings.items()),
        before=fill(template.before),
        after=fill(template.after),
        rewrites=key.output if "{output}" in template.after else "",
        lays_out=template.lays_out,
        source=template.source,
    )


def templates_for(
    target: RemedyTarget, targets: Sequence[RemedyTarget], others: Sequence[RemedyTemplate]
) -> list[RemedyTemplate]:
    """Return the remedies for `target`; of several with the same variables, the one that suffices for its output first.

    That is the one for the fewest fields among those for all fields in which this output differs in this format.
    """
    if target.follows:
        return []
    names = [end for path in target.key[:2] for name in path.lower().split("/")[-1:] for end in name.split(".")[1:]]
    formats = [target.place.format, *(_FORMATS.get(name, name) for name in names)]
    found = list(find_remedies(target.cause, target.place.field, formats, target.tools, target.ran, others))
    if OLD_FORMAT in target.ran:
        found = [suit_old_format(template) for template in found]
    differing = {
        one.place.field
        for one in targets
        if one.key.output == target.key.output and one.place.format == target.place.format
    }
    families: dict[tuple[str, ...], list[RemedyTemplate]] = {}
    for template in found:
        families.setdefault(_family(template), []).append(template)
    ordered = {
        family: iter(sorted(members, key=lambda one: _excess(one, differing)) if family else members)
        for family, members in families.items()
    }
    return [next(ordered[_family(template)]) for template in found]


def _family(template: RemedyTemplate) -> tuple[str, ...]:
    return tuple(template.settings) if template.fields else ()


def _excess(template: RemedyTemplate, differing: set[Field]) -> int:
    """Return how many fields it sets that do not differ; templates that do not suffice keep their order at the end."""
    return len(template.fields - differing) if differing & _SETTABLE <= template.fields else len(Field)


_SETTABLE = frozenset({Field.MODE, Field.MTIME, Field.ORDER, Field.OWNER})
"""Fields that an archiver sets for all members."""

_OF_KEYS = ("asc", "cer", "crt", "csr", "der", "gpg", "jks", "key", "keystore", "p12", "pem", "pfx", "pub", "sig")
"""Ends of the names of files with keys, certificates or signatures."""
_FORMATS: Mapping[str, FileFormat] = {
    "a": FileFormat.AR,
    **dict.fromkeys(_OF_KEYS, FileFormat.KEY),
    "deb": FileFormat.AR,
    "gz": FileFormat.GZIP,
    "jar": FileFormat.ZIP,
    "o": FileFormat.ELF,
    "rlib": FileFormat.AR,
    "so": FileFormat.ELF,
    "tgz": FileFormat.TAR,
    "whl": FileFormat.ZIP,
    "zst": FileFormat.ZSTD,
}
