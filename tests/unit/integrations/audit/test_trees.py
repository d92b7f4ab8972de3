"""Actions, trees and results of hostile servers: each is taken as it is meant, or refused in one sentence."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.integrations.audit import trees
from pytest_ftc.integrations.audit.cached import examine_result
from pytest_ftc.integrations.audit.contents import Contents, FaultKind, FaultsError
from pytest_ftc.integrations.audit.described import fetch_action, fetch_inputs
from pytest_ftc.integrations.audit.trees import UnfitError, expand_tree, fetch_tree
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError

MANY = settings(deadline=None, max_examples=150)
ROOT = Digest.of(b"root")


class Storage:
    """A storage in memory that refuses contents as a server does."""

    def __init__(self, **refusals):
        self.held = {Digest.of(b""): b""}
        self.refused = {}
        self.together = refusals.get("together", True)

    def add(self, message):
        data = message if isinstance(message, bytes) else api.serialize(message)
        self.held[Digest.of(data)] = data
        return Digest.of(data)

    async def find_missing(self, digests):
        return {digest for digest in digests if digest not in self.held}

    async def read_all(self, digests, most):
        if not self.together and len(digests) > 1:
            raise RemoteError("DATA_LOSS: one of them is bad")
        for digest in digests:
            if digest in self.refused and not self.together:
                raise self.refused[digest]
        lost = MissingError("it is missing")
        return {digest: self.refused.get(digest, self.held.get(digest, lost)) for digest in digests}


def run(work):
    return asyncio.run(work)


def directory(**more):
    return api.Directory(**more)


def file(name, digest=ROOT):
    return {"name": name, "digest": api.to_message(digest)}


def fetch(tmp_path, storage, root):
    return run(fetch_tree(Contents(storage, tmp_path), root))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "/etc", "a\0b", "x" * 256, "é" * 128])
@pytest.mark.parametrize("kind", ["files", "directories", "symlinks"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name, kind):
    storage = Storage()
    node = {"name": name, "target": "x"} if kind == "symlinks" else file(name, storage.add(directory()))
    with pytest.raises(UnfitError, match="is not the path of a file in a tree"):
        fetch(tmp_path, storage, storage.add(directory(**{kind: [node]})))


def test_a_file_cannot_be_written_through_a_link(tmp_path):
    storage = Storage()
    below = storage.add(directory(files=[file("passwd")]))
    root = directory(symlinks=[{"name": "etc", "target": "/etc"}], directories=[file("etc", below)])
    with pytest.raises(UnfitError, match="etc is there twice"):
        fetch(tmp_path, storage, storage.add(root))


@pytest.mark.parametrize("target", ["", "a\0b", "x" * 5000])
def test_a_link_that_no_file_system_has_is_refused(tmp_path, target):
    storage = Storage()
    root = storage.add(directory(symlinks=[{"name": "link", "target": target}]))
    with pytest.raises(UnfitError, match="a link in"):
        fetch(tmp_path, storage, root)


def test_a_small_message_cannot_become_a_huge_tree(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "MOST_ENTRIES", 10_000)
    storage = Storage()
    digest = storage.add(directory(files=[file("x")]))
    for _ in range(20):
        digest = storage.add(directory(directories=[file(name, digest) for name in "abcdefgh"]))
    with pytest.raises(UnfitError, match="more than 10000 entries"):
        fetch(tmp_path, storage, digest)


def test_the_depth_of_a_tree_is_bounded(tmp_path):
    storage = Storage()
    digest = storage.add(directory(files=[file("x")]))
    for _ in range(300):
        digest = storage.add(directory(directories=[file("d", digest)]))
    with pytest.raises(UnfitError, match="more than 200 levels"):
        fetch(tmp_path, storage, digest)


def test_a_message_that_is_none_or_too_large_is_not_read(tmp_path):
    storage = Storage()
    with pytest.raises(FaultsError) as error:
        fetch(tmp_path, storage, storage.add(b"\xff\xff\xff"))
    assert "it is no message Directory" in str(error.value)
    with pytest.raises(FaultsError) as error:
        fetch(tmp_path, storage, Digest("0" * 64, 1 << 50))
    assert error.value.faults[0].kind is FaultKind.UNREADABLE


def test_one_bad_content_costs_only_itself(tmp_path):
    storage = Storage(together=False)
    good, bad, gone = storage.add(b"good"), storage.add(b"bad"), Digest.of(b"gone")
    storage.refused[bad] = RemoteError("DATA_LOSS: the disk is broken")
    faults = run(Contents(storage, tmp_path).check({good: "output a", bad: "output b", gone: "output c"}))
    assert {fault.what: fault.kind for fault in faults} == {
        "output b": FaultKind.UNREADABLE,
        "output c": FaultKind.MISSING,
    }


def test_an_altered_tree_is_a_fault_and_its_outputs_are_unknown(tmp_path):
    storage = Storage()
    tree = storage.add(api.Tree(root=directory(files=[file("x")])))
    storage.refused[tree] = AlteredError("it was altered")
    result = api.ActionResult(output_directories=[{"path": "out", "tree_digest": api.to_message(tree)}])
    found = run(examine_result(Contents(storage, tmp_path), result, ""))
    assert found.outputs is None
    assert [fault.kind for fault in found.faults] == [FaultKind.ALTERED]


def test_a_tree_without_one_of_its_folders_is_refused():
    missing = api.Tree(root=directory(directories=[file("d", Digest.of(b"nowhere"))]))
    with pytest.raises(UnfitError, match="lacks its folder out/d"):
        expand_tree("out", missing)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a//b", "a/../b"])
def test_an_output_elsewhere_is_refused(tmp_path, path):
    storage = Storage()
    result = api.ActionResult(output_files=[{"path": path, "digest": api.to_message(storage.add(b"x"))}])
    with pytest.raises(UnfitError):
        run(examine_result(Contents(storage, tmp_path), result, ""))


def plant(storage, seconds=0, **command):
    of_command = storage.add(api.Command(**{"arguments": ["true"], **command}))
    root = storage.add(directory(files=[file("in", storage.add(b"in"))]))
    digests = {"command_digest": api.to_message(of_command), "input_root_digest": api.to_message(root)}
    return storage.add(api.Action(**digests, timeout={"seconds": seconds}))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ({"arguments": []}, "its command has 0 words"),
        ({"arguments": ["a\0b"]}, "contains a NUL"),
        ({"working_directory": "../.."}, "is not the path of a file in a tree"),
        ({"output_paths": ["/etc/passwd"]}, "is not the path of a file in a tree"),
        ({"environment_variables": [{"name": "A=B", "value": ""}]}, "is no name of a variable"),
        ({"environment_variables": [{"name": "A", "value": "\0"}]}, "contains a NUL"),
        ({"output_paths": ["in/out"]}, "is a file where a folder of its outputs has to be"),
    ],
)
def test_a_command_that_no_worker_could_run_is_refused(tmp_path, command, said):
    storage = Storage()
    contents = Contents(storage, tmp_path)
    with pytest.raises(UnfitError, match=said):
        run(fetch_inputs(contents, run(fetch_action(contents, plant(storage, **command))), 1000))


@pytest.mark.parametrize("seconds", [-1, 1 << 40])
def test_a_time_limit_that_makes_no_sense_is_refused(tmp_path, seconds):
    storage = Storage()
    with pytest.raises(UnfitError, match="its time limit is"):
        run(fetch_action(Contents(storage, tmp_path), plant(storage, seconds)))


def test_the_size_of_inputs_is_bounded(tmp_path):
    storage = Storage()
    contents = Contents(storage, tmp_path)
    with pytest.raises(UnfitError, match="its inputs have 2 bytes, and the limit is 1"):
        run(fetch_inputs(contents, run(fetch_action(contents, plant(storage))), 1))


@MANY
@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_one_refusal(tmp_path_factory, data):
    storage = Storage()
    try:
        entries = fetch(tmp_path_factory.getbasetemp(), storage, storage.add(data))
        assert all(".." not in entry.path.split("/") for entry in entries)
    except (FaultsError, UnfitError) as error:
        assert str(error).isprintable()


@MANY
@given(st.binary(max_size=200))
def test_any_bytes_are_an_action_or_one_refusal(tmp_path_factory, data):
    storage = Storage()
    try:
        run(fetch_action(Contents(storage, tmp_path_factory.getbasetemp()), storage.add(data)))
    except (FaultsError, UnfitError) as error:
        assert str(error).isprintable()
