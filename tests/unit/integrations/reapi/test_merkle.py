"""File trees as the Remote Execution API has them."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree, describe_tree
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import SourceError

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def read(tree, digest=None):
    """Return the paths of `tree` with what is there, read from its messages alone."""
    message = api.Directory.FromString(tree.contents[digest or tree.root])
    found = {}
    for node in message.directories:
        found[f"{node.name}/"] = None
        below = read(tree, api.to_digest(node.digest))
        found.update({f"{node.name}/{path}": value for path, value in below.items()})
    for node in message.files:
        found[node.name] = (tree.contents[api.to_digest(node.digest)], node.is_executable)
    for node in message.symlinks:
        found[node.name] = node.target
    for nodes in (message.directories, message.files, message.symlinks):
        names = [node.name.encode() for node in nodes]
        assert names == sorted(set(names)), "not canonical"
    return found


@given(st.dictionaries(PATHS, st.tuples(st.binary(max_size=4), st.booleans())), st.randoms())
def test_trees_hold_what_they_were_made_of_whatever_its_order(files, random):
    prefixes = {path[:i] for path in files for i, c in enumerate(path) if c == "/"}
    files = {path: value for path, value in files.items() if path not in prefixes}
    entries = [Entry.of(path, data, executable=executable) for path, (data, executable) in files.items()]
    tree = build_tree(entries)
    assert {path: value for path, value in read(tree).items() if value is not None} == files
    random.shuffle(entries)
    assert build_tree(entries) == tree
    assert all(Digest.of(data) == digest for digest, data in tree.contents.items())


@given(st.dictionaries(NAMES, st.binary(max_size=4), min_size=1), st.data())
def test_a_change_changes_the_root(files, data):
    name = data.draw(st.sampled_from(sorted(files)))
    root = build_tree([Entry.of(path, content) for path, content in files.items()]).root
    changes = {
        "content": Entry.of(name, files[name] + b"!"),
        "executable": Entry.of(name, files[name], executable=True),
        "link": Entry(name, target="x"),
        "folder": Entry(name),
        "name": Entry.of(f"{name}!{len(files)}", files[name]),
    }
    for changed in changes.values():
        rest = [Entry.of(path, content) for path, content in files.items() if path not in (name, changed.path)]
        assert build_tree([*rest, changed]).root != root


def test_a_folder_becomes_a_tree(tmp_path):
    (tmp_path / "sub/empty").mkdir(parents=True)
    (tmp_path / "sub/tool").write_bytes(b"#!")
    (tmp_path / "sub/tool").chmod(0o750)
    (tmp_path / "é").write_bytes(b"text")
    os.symlink("/etc/../x//", tmp_path / "link")
    tree = describe_tree(tmp_path, prefix="source/tree", extra=[Entry.of("spec.json", b"{}")])
    assert {path: value for path, value in read(tree).items() if value is not None} == {
        "source/tree/sub/tool": (tmp_path / "sub/tool", True),
        "source/tree/é": (tmp_path / "é", False),
        "source/tree/link": "/etc/../x//",
        "spec.json": (b"{}", False),
    }
    assert "source/tree/sub/empty/" in read(tree)


def test_the_empty_tree_is_the_empty_content(tmp_path):
    assert describe_tree(tmp_path).root == Digest.of(b"")


def test_known_digests_are_taken_without_reading(tmp_path):
    (tmp_path / "big").write_bytes(b"1")
    known = {"big": Digest.of(b"2")}
    assert describe_tree(tmp_path, known) == build_tree([Entry("big", Digest.of(b"2"), tmp_path / "big")])


def test_deep_trees_need_no_deep_stack():
    tree = build_tree([Entry.of("/".join(["a"] * 3000), b"")])
    assert len(tree.contents) == 3001


def test_names_that_are_no_text_are_refused(tmp_path):
    (tmp_path / os.fsdecode(b"\xff\x1b[2J")).write_bytes(b"")
    with pytest.raises(SourceError, match=r"\\xff\\x1b\[2J is not UTF-8"):
        describe_tree(tmp_path)
    with pytest.raises(SourceError, match="the link a is not UTF-8"):
        build_tree([Entry("a", target=os.fsdecode(b"\xff"))])


def test_sockets_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("s")
        with pytest.raises(SourceError, match="s is no regular file"):
            describe_tree(tmp_path)


@pytest.mark.parametrize("path", ["", ".", "../a", "a//b", "a/./b", "/a", "a/", "a\0"])
def test_paths_that_lead_elsewhere_are_refused(path):
    with pytest.raises(SourceError, match="is not the path of a file in a tree"):
        build_tree([Entry.of(path, b"")])


@pytest.mark.parametrize("second", [Entry.of("a", b"2"), Entry("a", target="x"), Entry("a"), Entry.of("a/b", b"")])
def test_two_entries_of_one_name_are_refused(second):
    first = Entry.of("a", b"1")
    for entries in ([first, second], [second, first]):
        with pytest.raises(SourceError, match="is there twice"):
            build_tree(entries)


def test_a_folder_may_be_named_again():
    assert build_tree([Entry("a"), Entry.of("a/b", b""), Entry("a")]) == build_tree([Entry.of("a/b", b"")])
