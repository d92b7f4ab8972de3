"""Counting the fields of messages before they are parsed."""

import resource
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.encoding import fields as counting
from pytest_ftc.integrations.reapi.trees import parse_output_tree
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError


def fields(message):
    """Count them in the parsed message."""
    count = 0
    for field, value in message.ListFields():
        values = value if isinstance(value, (list, tuple)) or type(value).__name__.startswith("Repeated") else [value]
        for one in values:
            count += 1 + (fields(one) if field.message_type else 0)
    return count


@given(st.lists(st.tuples(st.text(max_size=200), st.integers(0, 2**40), st.booleans()), max_size=8), st.integers(0, 3))
def test_the_limit_is_exact(files, children):
    tree = api.Tree()
    for folder in (tree.root, *(tree.children.add() for _ in range(children))):
        for name, size, executable in files:
            digest = api.to_message(Digest("a" * 64, size))
            folder.files.add(name=name, digest=digest, is_executable=executable)
    data, count = api.serialize(tree), fields(tree)
    small, counting._SMALL = counting._SMALL, 0
    try:
        assert counting.is_bounded(data, tree.DESCRIPTOR, count)
        assert not count or not counting.is_bounded(data, tree.DESCRIPTOR, count - 1)
    finally:
        counting._SMALL = small


@pytest.mark.parametrize("kind", [api.Tree, api.Directory, api.Operation, api.FindMissingBlobsResponse])
@given(data=st.binary(max_size=60))
def test_what_can_be_parsed_is_not_taken_for_broken(kind, data):
    small, counting._SMALL = counting._SMALL, 0
    try:
        try:
            kind.FromString(data)
        except api.DecodeError:
            counting.is_bounded(data, kind.DESCRIPTOR)
        else:
            has_group = any((byte & 7) in (3, 4) for byte in data)
            assert counting.is_bounded(data, kind.DESCRIPTOR) or has_group
    finally:
        counting._SMALL = small


@pytest.mark.parametrize(
    "inner",
    [
        b"\x0a\x00",  # files
        b"\x0a\x04\x32\x02\x0a\x00",  # properties of a file
        b"\x08\x01",  # unknown numbers
    ],
)
def test_a_tree_of_empty_messages_takes_little_memory_and_time(inner):
    content = inner * ((24 << 20) // len(inner))
    size = len(content)
    head = bytes([0x0A, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 21])
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(FtcError, match="a tree is broken or too large"):
        parse_output_tree(head + content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10
    assert time.process_time() - begin < 15
