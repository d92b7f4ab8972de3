"""XML: the paths of the elements and attributes that differ (https://www.w3.org/TR/xml/).

Documents that declare entities are compared by line: nothing is expanded, and nothing is fetched.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from pytest_ftc.comparison.members.chosen import choose
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.lines import compare_lines, find_hunks
from pytest_ftc.comparison.members.long_lines import is_long
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import Span, span_of
from pytest_ftc.model import Field

_LARGEST = 4 << 20
_DEEPEST = 100
_MOST_NODES = 200_000
_TEXT, _COMMENT, _ROOT = "text()", "comment()", "/"


@dataclass(slots=True)
class _Node:
    """An element, a text, a comment or a processing instruction; `start` and `end` are its place in the source."""

    tag: str
    start: int
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[_Node] = field(default_factory=list)
    end: int = 0
    digest: bytes = b""

    def close(self, end: int) -> None:
        self.end = end
        seen = hashlib.sha1(repr((self.tag, list(self.attributes.items()), self.text)).encode(), usedforsecurity=False)
        for child in self.children:
            seen.update(child.digest)
        self.digest = seen.digest()


def compare_xml(one: Span, other: Span, budget: Budget) -> tuple[Found, ...]:
    """Return the first values that differ; nothing if it is not XML, or differs only in how it is written."""
    if max(one.size, other.size) > _LARGEST or not (_begins(one) and _begins(other)):
        return ()
    sources = one.read(0, one.size), other.read(0, other.size)
    try:
        control, experiment = (_Reader(source, budget).read() for source in sources)
    except (expat.ExpatError, ValueError):
        return ()
    return choose(_Comparison(*sources, budget).nodes(control, experiment, ""), "element", budget)


def _begins(span: Span) -> bool:
    return span.read(0, 1 << 10).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


class _Reader:
    """Reads one document into nodes."""

    def __init__(self, source: bytes, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._open = [_Node(_ROOT, 0)]
        self._count = 0
        self._parser = parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.buffer_size = 1 << 20
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add_text
        parser.CommentHandler = self._add_comment
        parser.ProcessingInstructionHandler = self._add_instruction
        parser.EntityDeclHandler = _refuse

    def read(self) -> _Node:
        """Return the document.  Raises ExpatError, ValueError, OutOfTimeError."""
        self._parser.Parse(self._source, True)
        (document,) = self._open
        document.close(len(self._source))
        if not self._source.lstrip().startswith(b"<?xml") and any(
            child.tag.lower() == "html" for child in document.children
        ):
            # HTML is a format of its own, and people look for its places by line.
            raise ValueError("HTML")
        return document

    def _start(self, tag: str, attributes: Sequence[str]) -> None:
        if len(self._open) > _DEEPEST:
            raise ValueError(f"nested more than {_DEEPEST} elements deep")
        node = self._add(tag)
        node.attributes = dict(zip(attributes[::2], attributes[1::2], strict=True))
        self._open.append(node)

    def _end(self, tag: str) -> None:
        index = self._parser.CurrentByteIndex
        self._open.pop().close(self._source.find(b">", index) + 1 or len(self._source))

    def _add(self, tag: str, text: str = "") -> _Node:
        self._count += 1
        if self._count > _MOST_NODES:
            raise ValueError(f"more than {_MOST_NODES} nodes")
        if not self._count % 1000:
            self._budget.check_time()
        node = _Node(tag, self._parser.CurrentByteIndex, text=text)
        self._open[-1].children.append(node)
        return node

    def _add_text(self, text: str) -> None:
        siblings = self._open[-1].children
        if siblings and siblings[-1].tag == _TEXT:
            siblings[-1].text += text
            siblings[-1].close(siblings[-1].start)
        else:
            self._add(_TEXT, text).close(self._parser.CurrentByteIndex)

    def _add_comment(self, text: str) -> None:
        self._add(_COMMENT, text).close(self._parser.CurrentByteIndex)

    def _add_instruction(self, target: str, text: str) -> None:
        self._add(f"?{target}", text).close(self._parser.CurrentByteIndex)


def _refuse(*declaration: object) -> None:
    raise ValueError("it declares entities")


class _Comparison:
    """The comparison of two documents, whose sources are `control` and `experiment`."""

    def __init__(self, control: bytes, experiment: bytes, budget: Budget) -> None:
        self._control = control
        self._experiment = experiment
        self._budget = budget

    def nodes(self, one: _Node, other: _Node, path: str) -> Iterator[Found]:
        """Yield what differs in two nodes of the same kind."""
        self._budget.check_time()
        if one.digest == other.digest:
            return
        if one.text != other.text:
            yield from self._values(one.text, other.text, f"element {path}")
        yield from self._attributes(one, other, path)
        ours, theirs = ([child.digest for child in node.children] for node in (one, other))
        if ours != theirs and sorted(ours) == sorted(theirs):
            values = self._source(self._control, one.children), self._source(self._experiment, other.children)
            yield Found(Field.ORDER, f"order of elements in {path or _ROOT}", *values)
            return
        labels = _label(one)
        for first, last, left, right in find_hunks(ours, theirs, self._budget):
            own, their = one.children[first:last], other.children[left:right]
            if [node.tag for node in own] == [node.tag for node in their]:
                for child, twin, label in zip(own, their, labels[first:], strict=False):
                    yield from self.nodes(child, twin, f"{path}/{label}" if label else path)
            else:
                where = _where(one.children, labels, (first, last), path)
                values = self._source(self._control, own), self._source(self._experiment, their)
                if values[0] != values[1]:
                    yield Found(Field.CONTENT, where, *values)

    def _attributes(self, one: _Node, other: _Node, path: str) -> Iterator[Found]:
        ours, theirs = one.attributes, other.attributes
        common = [name for name in ours if name in theirs]
        moved = [name for name in theirs if name in ours]
        if common != moved:
            yield Found(
                Field.ORDER, f"order of attributes of {path}", _encode("\n".join(common)), _encode("\n".join(moved))
            )
        for name in dict.fromkeys([*ours, *theirs]):
            if ours.get(name) != theirs.get(name):
                yield from self._values(ours.get(name, ""), theirs.get(name, ""), f"attribute {path}/@{name}")

    def _values(self, one: str, other: str, location: str) -> Iterator[Found]:
        control, experiment = _encode(one), _encode(other)
        if any(map(is_long, control.splitlines())):
            found = list(compare_lines(span_of(control), span_of(experiment), self._budget))
            yield from (replace(each, location=f"{location}, {each.location}") for each in found)
            return
        yield Found(Field.CONTENT, location, control, experiment)

    def _source(self, source: bytes, nodes: list[_Node]) -> bytes:
        shown = (_encode(node.text) if node.tag == _TEXT else source[node.start : node.end] for node in nodes)
        return b"\n".join(text.strip() for text in shown if text.strip())


def _label(parent: _Node) -> list[str]:
    """Return the steps of the paths to the children of an element; empty for the only text in it.

    A step has the number of the child among those with its name, if there are several, or the key before it in a
    property list (plist(5)).
    """
    if [child.tag for child in parent.children] == [_TEXT]:
        return [""]
    total = Counter(child.tag for child in parent.children)
    seen: Counter[str] = Counter()
    labels, key = [], ""
    for child in parent.children:
        seen[child.tag] += 1
        if key and child.tag not in (_TEXT, _COMMENT):
            labels.append(f"{child.tag}[{key}]")
        else:
            labels.append(f"{child.tag}[{seen[child.tag]}]" if total[child.tag] > 1 else child.tag)
        if child.tag != _TEXT:
            texts = child.children if child.tag == "key" and parent.tag == "dict" else []
            key = texts[0].text if [text.tag for text in texts] == [_TEXT] else ""
    return labels


def _where(children: list[_Node], labels: list[str], hunk: tuple[int, int], path: str) -> str:
    """Return what to call children that have no counterparts: by the first of them, or by what comes after."""
    first, last = hunk
    shown = [index for index in range(first, len(children)) if children[index].tag != _TEXT]
    if not shown:
        return f"element at the end of {path or _ROOT}"
    return f"element {'' if shown[0] < last else 'before '}{path}/{labels[shown[0]]}"


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
