"""The walk: from a pair of files down to the places that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_ftc.comparison.members.chosen import choose
from pytest_ftc.comparison.members.contents import Attribute, Contents, Member
from pytest_ftc.comparison.members.formats.table import Format, find_format
from pytest_ftc.comparison.members.formats.text.csv_text import compare_csv, is_csv
from pytest_ftc.comparison.members.formats.text.json_text import compare_json
from pytest_ftc.comparison.members.formats.text.xml_text import compare_xml
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError, OutOfTimeError
from pytest_ftc.comparison.members.lines import Texts, compare_lines, is_reordered
from pytest_ftc.comparison.members.numbers.member import compare_numbers
from pytest_ftc.comparison.members.pairing import Pair, Pairing, group_renamed, pair_members
from pytest_ftc.comparison.members.plain import Found, clip, is_text
from pytest_ftc.comparison.members.position import Position
from pytest_ftc.comparison.members.shifted import compare_data
from pytest_ftc.comparison.members.span import Span, first_unequal, same
from pytest_ftc.comparison.members.twins import hash_both, watch
from pytest_ftc.comparison.members.values import compare_values
from pytest_ftc.model import Field, Place
from pytest_ftc.model.notes import note_unlisted
from pytest_ftc.model.place import FileFormat
from pytest_ftc.model.support.printable import shorten

FOLLOWS = "follows from another difference"

_MOST_LISTED = 200
"""Most members of one container to list for the same header field."""
_OF_KINDS, _NEAR = (Field.MTIME, Field.MODE, Field.OWNER), 3600
"""Fields of which one member of each kind is listed beyond these; kinds of times are so many seconds apart."""
_BEYOND = "\0"
_AROUND = 64
_TEXTS: tuple[tuple[FileFormat, Callable[[Span, Span, Budget], Iterable[Found]]], ...] = (
    (FileFormat.JSON, compare_json),
    (FileFormat.TEXT, compare_xml),
    (FileFormat.TEXT, compare_lines),
)


def examine(one: Span, other: Span, place: Position, budget: Budget) -> Iterator[Place]:
    """Yield the places that differ; at least one for files that are not equal.  Raises OutOfTimeError."""
    if same(one, other, budget):
        return
    twin = None if place.part else hash_both(one, other, budget)
    if twin:
        budget.twins.append(twin)
    yield from watch(_examine(one, other, place, budget), twin)


def _examine(one: Span, other: Span, place: Position, budget: Budget) -> Iterator[Place]:
    with budget.temporary():
        found, note = False, ""
        try:
            for leaf in _examine_inside(one, other, place, budget):
                found = True
                yield leaf
        except OutOfTimeError:
            raise
        except Exception as error:
            # The input is hostile, and parsers may raise anything; the bytes still differ.
            note = _record_failure(error, place, budget)
        if not found:
            yield from compare_plain(one, other, place, budget, note)


def _record_failure(error: Exception, place: Position, budget: Budget) -> str:
    """Return why a member was not examined, and record it."""
    kind = "" if isinstance(error, LimitReachedError) else f"{type(error).__name__}: "
    note = shorten(f"not examined: {kind}{error}")
    budget.record(f"{place.member or 'the output'}: {note}")
    return note


def compare_plain(one: Span, other: Span, place: Position, budget: Budget, note: str = "") -> Iterator[Place]:
    """Yield the places that differ in files of unknown format.  Raises OutOfTimeError."""
    if is_text(one) and is_text(other):
        for kind, compare in ((FileFormat.TEXT, compare_csv), *_TEXTS) if is_csv(place.name) else _TEXTS:
            leaves = [place.leaf(found, kind, note) for found in compare(one, other, budget)]
            if leaves:
                yield from leaves
                return
    for found in compare_data(one, other, budget):
        yield place.leaf(found, FileFormat.BINARY, note)


def _examine_inside(one: Span, other: Span, place: Position, budget: Budget) -> Iterator[Place]:
    format_, theirs = find_format(one, place.name), find_format(other, place.name)
    if format_ is None and theirs is None:
        return
    if format_ is None or format_ is not theirs:
        names = (each.name if each else "unknown" for each in (format_, theirs))
        raise LimitReachedError("the format is {} in the control build, {} in the experiment".format(*names))
    if place.depth >= budget.limits.depth:
        raise LimitReachedError(f"nested more than {budget.limits.depth} containers deep")
    control, experiment = _read_both(format_, one, other, budget)
    found = False
    for leaf in _compare_contents(control, experiment, place, budget):
        found = True
        yield leaf
    if not found:
        yield _elsewhere(one, other, control, place, budget)


def _read_both(format_: Format, one: Span, other: Span, budget: Budget) -> tuple[Contents, Contents]:
    """Read both sides with the same limit on members."""
    before, budget.truncated = budget.members, False
    control = format_.read(one, budget)
    after, budget.members = budget.members, before
    experiment = format_.read(other, budget)
    budget.members = max(after, budget.members)
    return control, experiment


def _elsewhere(one: Span, other: Span, contents: Contents, place: Position, budget: Budget) -> Place:
    """Return a leaf for files whose bytes differ, but nothing that was parsed."""
    control, experiment = _around_first(one, other, budget)
    if contents.recoded:
        return place.leaf(Found(Field.HEADER, contents.recoded, control, experiment), contents.format)
    location = f"byte {first_unequal(one, other, budget) or 0:#x}"
    note = f"all parts that were parsed as {contents.format} are equal"
    return place.leaf(Found(Field.CONTENT, location, control, experiment, note), contents.format)


def _around_first(one: Span, other: Span, budget: Budget) -> tuple[bytes, bytes]:
    start = max(0, (first_unequal(one, other, budget) or 0) - _AROUND)
    return one.read(start, 4 * _AROUND), other.read(start, 4 * _AROUND)


def _compare_contents(one: Contents, other: Contents, place: Position, budget: Budget) -> Iterator[Place]:
    same_field: Counter[str] = Counter()
    found_any = False
    pairing = pair_members(one.members, other.members, budget)
    for leaf in _compare_fields(one, other, pairing, place, same_field, budget):
        found_any = True
        yield leaf
    for pair in pairing.pairs:
        note = FOLLOWS if found_any and pair.control.follows else ""
        for leaf in _compare_pair(pair, one, place, same_field, budget):
            found_any = True
            yield replace(leaf, note=note or leaf.note)
    for location, count in same_field.items():
        if count > _MOST_LISTED and not location.startswith(_BEYOND):
            budget.record(shorten(note_unlisted(location, count - _MOST_LISTED, place.member or "the output")))
    for found in _compare_attributes(one.attributes, other.attributes, budget, follows=True):
        yield place.leaf(found, one.format, FOLLOWS if found_any else "")


def _few(leaves: Iterable[Place], same_field: Counter[str]) -> Iterator[Place]:
    """Yield the first leaves with the same header field among the members of one container, and some of each kind.

    Files that the build made are often the last ones, and their times have another cause than those of the sources.
    """
    for leaf in leaves:
        same_field[leaf.location] += 1
        if same_field[leaf.location] <= _MOST_LISTED:
            same_field[_kind_of(leaf)] += 1
            yield leaf
        elif leaf.field in _OF_KINDS and not same_field[_kind_of(leaf)] and same_field[_BEYOND] < _MOST_LISTED:
            same_field[_kind_of(leaf)] += 1
            same_field[_BEYOND] += 1
            yield leaf


def _kind_of(leaf: Place) -> str:
    """Return what similar leaves have in common: both values, or how far apart their times are."""
    if leaf.field is not Field.MTIME:
        return f"{_BEYOND}{leaf.location} {leaf.control[:_AROUND]!r} {leaf.experiment[:_AROUND]!r}"
    try:
        apart = int(float(leaf.experiment)) - int(float(leaf.control))
    except (ValueError, OverflowError):
        apart = 0
    return f"{_BEYOND}{leaf.location} {apart // _NEAR}"


def _compare_fields(
    one: Contents, other: Contents, pairing: Pairing, place: Position, same_field: Counter[str], budget: Budget
) -> Iterator[Place]:
    for found in _compare_attributes(one.attributes, other.attributes, budget, follows=False):
        yield place.leaf(found, one.format)
    for found in choose(compare_values(one.values, other.values, budget), "key", budget):
        yield place.leaf(found, one.format)
    # If a container was not read to its end, a member missing on one side may come later there.
    yield from _few(() if budget.truncated else _name_differences(pairing, one, place), same_field)
    yield from _few(_renames(pairing, one, place), same_field)
    if pairing.order:
        values = clip(*pairing.order, budget.limits.value)
        yield place.leaf(Found(Field.ORDER, f"{one.noun} order", *values), one.format)


def _compare_pair(
    pair: Pair, contents: Contents, place: Position, same_field: Counter[str], budget: Budget
) -> Iterator[Place]:
    budget.check_time()
    yield from _few(_compare_headers(pair, contents, place, budget), same_field)
    one, other = pair.control.stored, pair.experiment.stored
    if not (one and other and same(one, other, budget)):
        with budget.temporary():
            yield from _compare_member(pair, contents, place, budget)


def _name_differences(pairing: Pairing, contents: Contents, place: Position) -> Iterator[Place]:
    for side, members in (("control", pairing.control_only), ("experiment", pairing.experiment_only)):
        for member in members:
            name = member.name.encode(errors="surrogateescape")
            values = (name, b"") if side == "control" else (b"", name)
            found = Found(Field.NAME, f"{contents.noun} only in the {side} build", *values)
            yield _holder(place, member).leaf(found, contents.format)


def _renames(pairing: Pairing, contents: Contents, place: Position) -> Iterator[Place]:
    """Yield the names that differ; those in which the same words differ are one place."""
    for pairs in group_renamed(pairing.pairs):
        control, experiment = ([getattr(pair, side).name for pair in pairs] for side in ("control", "experiment"))
        one, other = ("\n".join(names).encode(errors="surrogateescape") for names in (control, experiment))
        found = Found(Field.NAME, f"{contents.noun} name", one, other)
        yield _holder(place, pairs[0].control).leaf(found, contents.format)


def _holder(place: Position, member: Member) -> Position:
    """Return the position to which the header fields of a member belong."""
    return place if member.part or member.payload or member.plain else place.enter(member)


def _compare_attributes(
    one: Sequence[Attribute], other: Sequence[Attribute], budget: Budget, *, follows: bool
) -> Iterator[Found]:
    left, right = _key(one, follows), _key(other, follows)
    for key in dict.fromkeys([*left, *right]):
        control, experiment = left.get(key), right.get(key)
        if control != experiment:
            known = control or experiment
            assert known is not None
            if known.accompanies and None in (control, experiment):
                continue
            values = (control.value if control else b"", experiment.value if experiment else b"")
            is_recomputed = all(one and one.is_recomputed(budget) for one in (control, experiment))
            yield Found(known.field, known.location, *clip(*values, budget.limits.value), is_recomputed=is_recomputed)


def _key(attributes: Sequence[Attribute], follows: bool) -> dict[tuple[str, int], Attribute]:
    """Pair repeated header fields by their order of occurrence."""
    seen: Counter[str] = Counter()
    keyed = {}
    for attribute in attributes:
        if attribute.follows == follows:
            keyed[attribute.location, seen[attribute.location]] = attribute
            seen[attribute.location] += 1
    return keyed


def _compare_headers(pair: Pair, contents: Contents, place: Position, budget: Budget) -> Iterator[Place]:
    one, other = pair.control, pair.experiment
    holder = _holder(place, one)
    # The places in a part of a file have its name; where it differs, they have that of the control.
    renamed = one.part and one.name != other.name
    theirs = [_rename(each, other.name, one.name) if renamed else each for each in other.attributes]
    if list(one.attributes) == theirs:
        return
    found_any = False
    for follows in (False, True):
        for found in _compare_attributes(one.attributes, theirs, budget, follows=follows):
            yield holder.leaf(found, contents.format, FOLLOWS if follows and found_any else "")
            found_any = True


def _rename(attribute: Attribute, old: str, new: str) -> Attribute:
    return replace(attribute, location=attribute.location.replace(old, new))


def _compare_member(pair: Pair, contents: Contents, place: Position, budget: Budget) -> Iterator[Place]:
    one, other, here = pair.control, pair.experiment, place.enter(pair.control)
    try:
        control, experiment = _open(one), _open(other)
    except OutOfTimeError:
        raise
    except Exception as error:
        note = _record_failure(error, here, budget)
        if one.stored and other.stored:
            yield from compare_plain(one.stored, other.stored, here, budget, note)
        return
    if control is None or experiment is None:
        return
    is_same = same(control, experiment, budget)
    numbers = None if is_same else compare_numbers(one, other, (control, experiment), budget)
    if is_same or numbers == ():
        if one.recoded and one.stored and other.stored:
            values = _around_first(one.stored, other.stored, budget)
            yield _holder(place, one).leaf(Found(Field.HEADER, one.recoded, *values), contents.format)
    elif numbers:
        yield from (here.leaf(found, contents.format) for found in numbers)
    elif one.plain:
        for leaf in compare_plain(control, experiment, place, budget):
            # It is a part of the container.
            yield replace(leaf, format=contents.format)
    elif one.separator:
        if one.unnumbered and other.unnumbered and is_reordered(one.unnumbered(), other.unnumbered(), one.separator):
            control, experiment = one.unnumbered(), other.unnumbered()
        texts = Texts(one.separator, one.item, unordered=one.unordered, inside=one.inside, pair=one.pair)
        for found in compare_lines(control, experiment, budget, texts):
            yield here.leaf(found, contents.format)
    else:
        yield from examine(control, experiment, here, budget)


def _open(member: Member) -> Span | None:
    return member.content() if member.content else member.stored
