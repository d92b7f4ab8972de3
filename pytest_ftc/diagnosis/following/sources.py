"""Places that follow from others because they are told by them: names that hold a digest, checksums, references."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ftc.comparison.likeness import changed_words, mask
from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.comparison.members.twins import Twin
from pytest_ftc.diagnosis.counted import is_line
from pytest_ftc.diagnosis.places import Key, may_follow
from pytest_ftc.model import Field, Place

_SHORTEST = 6
"""Least length of a digest's beginning by which it is recognised."""
_SHORTEST_SIZE = 3
"""Least number of digits of a size by which it is recognised."""
_LONGEST_VALUE = 64 << 10
_SIZE = re.compile(rb"size|length|bytes", re.IGNORECASE)
_CODED = re.compile(r"[0-9A-Za-z+/_-]{22,88}={0,2}")

_SHARD = re.compile(r"(?<![0-9A-Za-z])([0-9a-f]{1,4})/(?=[0-9a-f]{8})")
"""The beginning of a digest that is the name of a folder."""

Words = tuple[str, str]
"""What stands in the control and in the experiment."""
_MAP = ".map"
_Digests = dict[str, list[tuple[str, Collection[Key]]]]


@dataclass(slots=True)
class _Known:
    """What stands for a content: from words to the places that these follow from."""

    digests: tuple[_Digests, _Digests] = field(default_factory=lambda: ({}, {}))
    """Digests in hexadecimal of the controls' and of the experiments' contents, by their beginnings."""
    names: dict[Words, Collection[Key]] = field(default_factory=dict)
    """Words of names."""
    sizes: dict[Words, Collection[Key]] = field(default_factory=dict)
    short_sizes: dict[Words, set[Key]] = field(default_factory=dict)
    """Sizes of few digits, which tell something only beside a digest of the same content."""
    codes: dict[str, str] = field(default_factory=dict)
    """Digests in hexadecimal by their form in base64."""

    def add(self, twin: Twin, sources: Collection[Key]) -> None:
        for pair in twin.digests:
            for side, digest in zip(self.digests, pair, strict=True):
                side.setdefault(digest.hex()[:_SHORTEST], []).append((digest.hex(), sources))
                for coded in (base64.b64encode(digest), base64.urlsafe_b64encode(digest)):
                    text = coded.decode()
                    self.codes[text] = self.codes[text.rstrip("=")] = digest.hex()
        sizes = str(twin.sizes[0]), str(twin.sizes[1])
        if sizes[0] != sizes[1] and min(map(len, sizes)) >= _SHORTEST_SIZE:
            self.sizes.setdefault(sizes, sources)
        elif sizes[0] != sizes[1]:
            self.short_sizes.setdefault(sizes, set()).update(sources)

    def find(self, words: Words, beside: Key) -> Collection[Key] | None:
        """Return the places that two words follow from, of which `beside` is none; None if they stand for nothing."""
        one, other = (word.lower() for word in words)
        found = [known[words] for known in (self.names, self.sizes) if words in known]
        if len(one) == len(other) >= _SHORTEST:
            found += self._find_digests(one, other)
        others = [sources for sources in found if sources and beside not in sources]
        return min(others, key=lambda sources: sorted(_distance(key, beside) for key in sources), default=None)

    def _find_digests(self, one: str, other: str) -> list[Collection[Key]]:
        """Return what two digests are of; each may be of another content where several are alike."""
        ours, theirs = (
            [sources for digest, sources in side.get(word[:_SHORTEST], ()) if digest.startswith(word)]
            for side, word in zip(self.digests, (one, other), strict=True)
        )
        same = [sources for sources in ours if sources in theirs]
        return same or [[*own, *their] for own in ours for their in theirs]

    def are_sizes(self, words: Iterable[Words]) -> bool:
        """Return whether all `words` are sizes of contents, which other numbers equal by chance."""
        return all(pair in self.sizes for pair in words)

    def decode(self, text: str) -> str:
        """Return `text` with its digests in hexadecimal."""
        return _CODED.sub(self._decode, text)

    def _decode(self, coded: re.Match[str]) -> str:
        text = coded[0]
        start, dash, rest = text.partition("-")
        return self.codes.get(text) or (f"{start}{dash}{self.codes[rest]}" if rest in self.codes else text)


def find_followers(places: Mapping[Key, Place], twins: Iterable[tuple[str, Twin]]) -> Mapping[Key, Sequence[Key]]:
    """Return for each place that only tells of other places what it follows from.

    It does if all words in which its two values differ are digests or sizes of contents that differ, or are those of a
    name that differs.  `twins` are contents that differ, each with its output.
    """
    known = _Known()
    for output, twin in twins:
        known.add(twin, [key for key in (Key(output, *place) for place in twin.places) if key in places])
    followers: dict[Key, Sequence[Key]] = {}
    names = sorted((key for key in places if _is_name(key, places[key])), key=lambda key: (key.member, key.output))
    for key in dict.fromkeys((*names, *places)):
        readings = _readings(places[key], known)
        told = (_find_all(words, key, places[key], known) for words in readings)
        if sources := next(filter(None, told), None):
            followers[key] = sources
        elif _is_name(key, places[key]):
            for pair in readings[0] if readings else ():
                known.names.setdefault(pair, [key])
    return {key: found for key in followers if (found := find_origins(key, followers))}


def find_copies(places: Mapping[Key, Place], twins: Iterable[tuple[str, Twin]]) -> Mapping[Key, Sequence[Key]]:
    """Return for each place in a copy of an output that an archive holds the same place in that output.

    `twins` are contents that differ, each with its output.
    """
    alike: dict[tuple[tuple[bytes, bytes], ...], list[Key]] = {}
    for output, twin in twins:
        alike.setdefault(twin.digests, []).extend(Key(output, *place) for place in twin.places)
    found: dict[Key, Sequence[Key]] = {}
    for group in alike.values():
        by_spot: dict[tuple[str, Field], list[Key]] = {}
        for key in group:
            if key in places:
                by_spot.setdefault((key.location, key.field), []).append(key)
        for same in by_spot.values():
            for key in same:
                if original := next((other for other in same if _is_copy(key, other)), None):
                    found[key] = [original]
    return found


def find_recomputed(places: Mapping[Key, Place]) -> Mapping[Key, Sequence[Key]]:
    """Return for each checksum that was computed anew the places in the same file, and in what that holds."""
    own = [(key, place) for key, place in places.items() if place.note != FOLLOWS and not place.is_recomputed]
    checksums = (key for key, place in places.items() if place.is_recomputed)
    about = {key: [other for other, place in own if _is_of_file(other, place, key)] for key in checksums}
    return {key: inside for key, inside in about.items() if inside}


def _is_of_file(other: Key, place: Place, key: Key) -> bool:
    if other.output != key.output or (other.member == key.member and place.is_of_entry):
        return False
    return f"{other.member}/".startswith(f"{key.member}/" if key.member else "")


def _is_copy(key: Key, original: Key) -> bool:
    """Return whether `key` is in an archive that holds the file of `original`, which are equal."""
    packed = key.member.endswith(f"/{original.member}") if original.member else bool(key.member)
    return key.output != original.output and packed


def _distance(source: Key, place: Key) -> tuple[bool, int, str]:
    """Return what orders places with the same content: those in the same output, then the least packed ones first."""
    return source.output != place.output, source.member.count("/"), source.member


def _find_all(words: Sequence[Words], key: Key, place: Place, known: _Known) -> Sequence[Key]:
    """Return the places that all `words` of `place` follow from; none if one of them stands for nothing."""
    sources = [known.find(pair, key) for pair in words]
    told = {source for found in sources for source in found or ()}
    sources = [found or told & known.short_sizes.get(pair, set()) for pair, found in zip(words, sources, strict=True)]
    if not all(sources) or (known.are_sizes(words) and not _SIZE.search(_context(place))):
        return ()
    return list(dict.fromkeys(source for found in sources for source in found or ()))


def _context(place: Place) -> bytes:
    return place.location.encode("utf-8", "surrogateescape") + place.control


def _is_name(key: Key, place: Place) -> bool:
    return key.field is Field.NAME and bool(place.control and place.experiment)


def _readings(place: Place, known: _Known) -> Sequence[Sequence[Words]]:
    """Return the words in which the values of a place differ, in each way to read them; none if more differs."""
    if place.field not in (Field.CONTENT, Field.NAME, Field.HEADER) or not (place.control and place.experiment):
        return ()
    if max(len(place.control), len(place.experiment)) > _LONGEST_VALUE:
        return ()
    one, other = (known.decode(value.decode("utf-8", "surrogateescape")) for value in (place.control, place.experiment))
    joined = _SHARD.sub(r"\1", one), _SHARD.sub(r"\1", other)
    readings = dict.fromkeys((changed_words(one, other), changed_words(*joined)))
    return [words for words in readings if words and (words not in (((one, other),), (joined,)) or one.isalnum())]


def find_origins(key: Key, followers: Mapping[Key, Sequence[Key]]) -> Sequence[Key]:
    """Return the places that `key` follows from in the end, which follow from no other."""
    return list(dict.fromkeys(_trace(key, followers, {key})))


def _trace(key: Key, followers: Mapping[Key, Sequence[Key]], passed: set[Key]) -> Iterator[Key]:
    for source in followers[key]:
        if source not in followers:
            yield source
        elif source not in passed:
            passed.add(source)
            yield from _trace(source, followers, passed)


def find_named_after(places: Mapping[Key, Place]) -> Mapping[Key, Sequence[Key]]:
    """Return for each name with a random word in it the places in what it names: it may be computed from these.

    Only builds can show that: such a name differs exactly when they do.
    """
    return {
        key: inside
        for key, place in places.items()
        if _is_name(key, place) and mask(text := place.control.decode("utf-8", "surrogateescape")) != text
        if (inside := [other for other in places if _is_inside(other, key, place)])
    }


def _is_inside(other: Key, name: Key, place: Place) -> bool:
    if other.output != name.output or other.field is Field.NAME:
        return False
    if not place.member:
        return True
    # What an archive records beside a name, such as a time, is not in what it names.
    return other.field is Field.CONTENT and f"{other.member}/".startswith(f"{place.member}/")


def find_offsets(places: Mapping[Key, Place]) -> Mapping[Key, Sequence[Key]]:
    """Return for each place that holds offsets or sizes of others in its file these places.

    Only builds can show that it holds nothing else: it then differs exactly when they do.
    """
    files: dict[tuple[str, str], list[Key]] = {}
    for key, place in places.items():
        if place.note != FOLLOWS:
            files.setdefault(key[:2], []).append(key)
    offsets = (key for key, place in places.items() if place.note == FOLLOWS)
    about = {key: [*files.get(key[:2], ()), *files.get(_mapped_by(key), ())] for key in offsets}
    found = {key: [other for other in inside if may_follow(key, other)] for key, inside in about.items()}
    return {key: inside for key, inside in found.items() if inside}


def is_placed(place: Place, key: Key) -> bool:
    """Return whether it holds what follows from the text of its file: positions, or the glyphs that are embedded.

    They are in source maps, and on the pages of PDF files; they differ for some of what differs in the text.
    """
    return place.note == FOLLOWS and (_is_of_source_map(key) or key.location.startswith("PDF object "))


def _is_of_source_map(key: Key) -> bool:
    return key.location.startswith("key mappings") and (key.member or key.output).endswith(_MAP)


def _mapped_by(key: Key) -> tuple[str, str]:
    """Return the output and the member that a source map is of; both are empty if it is none."""
    if not _is_of_source_map(key):
        return "", ""
    if key.member:
        return key.output, key.member.removesuffix(_MAP)
    return key.output.removesuffix(_MAP), ""


def find_displaced(places: Mapping[Key, Place]) -> Mapping[Key, Key]:
    """Return for each piece of what has its pieces in another order the place of that order, if it may be left of it.

    Blocks of lines that moved leave pieces that only one side has, where a line of theirs is in other blocks too, and
    lines that differ, where what stands in their places is taken for another form of them.
    """
    orders = {key[:2]: key for key in places if key.field is Field.ORDER}
    return {
        key: orders[key[:2]]
        for key, place in places.items()
        if key[:2] in orders and key.field is Field.CONTENT and (place.is_one_sided or is_line(key.location))
    }
