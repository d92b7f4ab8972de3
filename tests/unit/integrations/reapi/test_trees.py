"""Trees that a farm describes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.integrations.reapi import api, trees
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError

ENTRIES = [
    Entry.of("a/b/c", b"1", executable=True),
    Entry.of("a/d", b"2"),
    Entry("a/e", target="../x"),
    Entry("f"),
    Entry.of("g/b/c", b"1", executable=True),
]


def plain(entries):
    return sorted((each.path, each.digest, each.executable, each.target) for each in entries)


WANTED = plain([*ENTRIES, Entry("a"), Entry("a/b"), Entry("g"), Entry("g/b")])


def as_output(tree):
    folders = [api.Directory.FromString(data) for data in tree.contents.values() if data not in (b"1", b"2")]
    root = api.Directory.FromString(tree.contents[tree.root])
    return api.Tree(root=root, children=[folder for folder in folders if folder != root])


def test_a_tree_comes_back(farm, connection, cas):
    tree = build_tree(ENTRIES)
    connection.call(cas.upload(tree.contents))
    assert plain(connection.call(trees.read_input_tree(cas, tree.root))) == WANTED
    (output,) = farm.put(api.serialize(as_output(tree)))
    assert plain(connection.call(trees.read_output_tree(cas, output))) == WANTED


def test_missing_and_altered_folders_are_errors(farm, connection, cas):
    tree = build_tree(ENTRIES)
    connection.call(cas.upload(tree.contents))
    below = build_tree([Entry.of("c", b"1", executable=True)]).root
    farm.blobs[below] = farm.blobs[below].replace(b"c", b"d", 1)
    with pytest.raises(AlteredError):
        connection.call(trees.read_input_tree(cas, tree.root))
    del farm.blobs[below]
    with pytest.raises(MissingError):
        connection.call(trees.read_input_tree(cas, tree.root))
    output = as_output(tree)
    del output.children[:]
    with pytest.raises(RemoteError, match="a tree lacks the folder"):
        trees.parse_output_tree(api.serialize(output))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0", "x"])
def test_names_that_cannot_be_are_refused(name):
    folder = api.Directory(files=[{"name": "x", "digest": api.to_message(Digest.of(b""))}])
    folder.symlinks.add(name=name, target="y")
    with pytest.raises(RemoteError, match="which cannot be or is there twice"):
        trees.parse_output_tree(api.serialize(api.Tree(root=folder)))


def test_a_tree_that_unfolds_without_end_is_refused():
    """Each folder holds the next one ten times: few bytes, and more entries than there are atoms."""
    below, children = api.Directory(), []
    for _ in range(60):
        children.append(below)
        digest = api.to_message(Digest.of(api.serialize(below)))
        below = api.Directory(directories=[{"name": str(number), "digest": digest} for number in range(10)])
    with pytest.raises(RemoteError, match="more than 1000 entries"):
        trees.parse_output_tree(api.serialize(api.Tree(root=below, children=children)), 1000)


@given(st.binary(max_size=200))
def test_hostile_messages_end_in_our_error_or_in_entries(data):
    try:
        assert isinstance(trees.parse_output_tree(data), list)
    except RemoteError as error:
        assert error.message.isprintable()
