"""Writing YAML: block style, the order that was given, the same bytes each time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Node: TypeAlias = "Mapping[str, Node] | Sequence[Node] | str | int | float | bool"
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_NOT_TEXT = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


def render_yaml(node: Node) -> str:
    """Return `node` as a document of YAML 1.1 and 1.2; text of several lines is a literal block."""
    return "\n".join(_lines(node)) + "\n"


def _lines(node: Node) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _entry(f"{_scalar(key)}:", value)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for value in node:
            first, *others = _lines(value) if _is_block(value) else [_scalar(value)]
            yield f"- {first}"
            yield from (f"  {line}" for line in others)
    else:
        yield _scalar(node)


def _entry(key: str, value: Node) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value:
        yield f"{key} |-"
        yield from (f"  {line}" if line else "" for line in value.splitlines())
    elif _is_block(value):
        yield key
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{key} {_scalar(value)}"


def _is_block(node: Node) -> bool:
    return isinstance(node, (Mapping, Sequence)) and not isinstance(node, str) and bool(node)


def _scalar(node: Node) -> str:
    if isinstance(node, str) and _PLAIN.fullmatch(node) and node.lower() not in _NOT_TEXT:
        return node
    # Other values of JSON are YAML too.
    return json.dumps(node, ensure_ascii=False)
