import hashlib
import os
import socket
import time
from pathlib import Path

import pytest

from pytest_ftc.builds.launcher.collecting.blobs import Blobs, TooLargeError
from pytest_ftc.builds.launcher.collecting.output_links import file_clock
from pytest_ftc.builds.launcher.collecting.outputs import OutputsError, collect_outputs, trace_files


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    (tmp_path / "blobs").mkdir()
    return tmp_path / "blobs"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def test_files_folders_and_links_make_a_manifest(tree: Path, blobs: Path) -> None:
    (tree / "out").mkdir(mode=0o750)
    (tree / "out/file").write_bytes(b"content")
    (tree / "out/file").chmod(0o640)
    (tree / "out/link").symlink_to("/absolute/nowhere")
    digest = hashlib.sha256(b"content").hexdigest()
    manifest = collect_outputs(str(tree), ["out"], Blobs(str(blobs)), {})
    assert manifest == [
        {"path": "out", "mode": "0750", "type": "dir"},
        {"path": "out/file", "mode": "0640", "type": "file", "size": 7, "sha256": digest},
        {"path": "out/link", "mode": "0777", "type": "symlink", "target": "/absolute/nowhere"},
    ]
    assert (blobs / digest).read_bytes() == b"content"


def test_a_glob_that_matches_nothing_is_an_error(tree: Path, blobs: Path) -> None:
    (tree / "a").write_text("a")
    with pytest.raises(OutputsError, match=r"nothing that matches 'b\*'"):
        collect_outputs(str(tree), ["a", "b*"], Blobs(str(blobs)), {})


def test_outputs_the_build_did_not_touch_do_not_count(tree: Path, blobs: Path) -> None:
    (tree / "stale").write_text("stale")
    before = trace_files(str(tree), ["*"])
    with pytest.raises(OutputsError, match="did not touch"):
        collect_outputs(str(tree), ["*"], Blobs(str(blobs)), before)
    (tree / "stale").write_text("stale")
    assert len(collect_outputs(str(tree), ["*"], Blobs(str(blobs)), before)) == 1


@pytest.mark.parametrize("outputs", [["a", "b"], ["dist"], ["dist/*"], ["**/b"], ["a", "link"]])
def test_each_output_is_judged_by_itself(tree: Path, blobs: Path, outputs: list[str]) -> None:
    (tree / "dist").mkdir()
    for stale in ("b", "dist/b"):
        (tree / stale).write_text("stale")
    (tree / "link").symlink_to("b")
    before = trace_files(str(tree), outputs)
    for made in ("a", "dist/a"):
        (tree / made).write_text("made")
    with pytest.raises(OutputsError, match="source tree already, and the build did not touch .*: '(dist/)?(b|link)'"):
        collect_outputs(str(tree), outputs, Blobs(str(blobs)), before)
    for stale in ("b", "dist/b"):
        (tree / stale).write_text("made anew")
    (tree / "link").unlink()
    (tree / "link").symlink_to("b")
    assert collect_outputs(str(tree), outputs, Blobs(str(blobs)), before)


def test_fifos_and_sockets_are_refused_without_being_opened(tree: Path, blobs: Path) -> None:
    os.mkfifo(tree / "fifo")
    with pytest.raises(OutputsError, match="'fifo' is a FIFO"):
        collect_outputs(str(tree), ["fifo"], Blobs(str(blobs)), {})
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tree / "sock"))
        with pytest.raises(OutputsError, match="'sock' is a socket"):
            collect_outputs(str(tree), ["sock"], Blobs(str(blobs)), {})


def test_an_unreadable_file_of_ones_own_is_read_and_keeps_its_mode(tree: Path, blobs: Path) -> None:
    (tree / "locked").write_text("secret")
    (tree / "locked").chmod(0)
    manifest = collect_outputs(str(tree), ["locked"], Blobs(str(blobs)), {})
    assert manifest[0]["mode"] == "0000"
    assert manifest[0]["sha256"] == hashlib.sha256(b"secret").hexdigest()
    assert (tree / "locked").stat().st_mode & 0o777 == 0


def test_holes_stay_holes(tree: Path, blobs: Path) -> None:
    with open(tree / "sparse", "wb") as file:
        file.truncate(1 << 28)
        file.seek(1 << 27)
        file.write(b"island")
    entry = collect_outputs(str(tree), ["sparse"], Blobs(str(blobs)), {})[0]
    copy = blobs / entry["sha256"]
    assert copy.stat().st_size == entry["size"] == 1 << 28
    assert copy.stat().st_blocks * 512 < 1 << 24


def test_what_a_link_leads_to_in_the_tree_is_an_output_too(tree: Path, blobs: Path) -> None:
    (tree / "d/deep").mkdir(parents=True)
    (tree / "d/deep/file").write_text("x")
    (tree / "data").write_text("y")
    (tree / "second").symlink_to("d/../data")
    (tree / "out").symlink_to("second")
    (tree / "folder").symlink_to(tree / "d")
    (tree / "dangling").symlink_to("nowhere")
    notes: list[str] = []
    outputs = ["out", "folder", "dangling"]
    manifest = collect_outputs(str(tree), outputs, Blobs(str(blobs)), {}, 0, notes)
    assert [one["path"] for one in manifest] == [
        "d", "d/deep", "d/deep/file", "dangling", "data", "folder", "out", "second",
    ]  # fmt: skip
    assert notes == []


def test_a_link_that_leaves_the_tree_or_leads_upward_is_named(tree: Path, blobs: Path) -> None:
    (tree / "d").mkdir()
    (tree / "d/up").symlink_to("..")
    (tree / "d/self").symlink_to("../d")
    (tree / "d/away").symlink_to("../../blobs")
    (tree / "d/system").symlink_to("/etc/passwd")
    (tree / "other").write_text("not declared")
    notes: list[str] = []
    manifest = collect_outputs(str(tree), ["d"], Blobs(str(blobs)), {}, 0, notes)
    assert [one["path"] for one in manifest] == ["d", "d/away", "d/self", "d/system", "d/up"]
    assert notes == [
        (
            "an output that is a link leaves the build tree; its target is not compared: "
            "d/away -> ../../blobs, d/system -> /etc/passwd"
        ),
        (
            "an output that is a link leads to a folder that contains it; only declared outputs there are compared: "
            "d/self -> ../d, d/up -> .."
        ),
    ]


def test_a_link_to_the_root_folder_leaves_the_tree_wherever_the_launcher_runs(tree, blobs, monkeypatch):
    gone = tree.parent / "gone"
    gone.mkdir()
    for link, target in (("root", "/"), ("slashes", "///"), ("dot", "/."), ("above", "/..")):
        os.symlink(target, tree / link)
    store = Blobs(str(blobs))
    for folder in (tree, gone):
        monkeypatch.chdir(folder)
        if folder == gone:
            gone.rmdir()
        notes: list[str] = []
        manifest = collect_outputs(str(tree), ["*"], store, {}, 0, notes)
        assert {one["path"]: one["type"] for one in manifest} == dict.fromkeys(
            ("above", "dot", "root", "slashes"), "symlink"
        )
        assert len(notes) == 1
        assert "leaves the build tree" in notes[0]


@pytest.mark.parametrize(
    "links",
    [
        {"a": "b", "b": "a"},
        {"a": "a"},
        {"a": "a/x/y", "d/b": "../a/z"},
        {"a": ".", "d/b": "d/../..", "d/c": "../d/d/../d/"},
        {"a": "../tree/d", "d/b": "../../tree/a/b/a"},
        {"a": "x" * 255, "b": "y/" * 2000},
    ],
)
def test_loops_of_links_are_compared_as_links(tree, blobs, links):
    (tree / "d").mkdir()
    for link, target in links.items():
        os.symlink(target, tree / link)
    manifest = collect_outputs(str(tree), ["*"], Blobs(str(blobs)), {})
    assert {one["path"]: one.get("target") for one in manifest} == {"d": None, **links}


def test_what_a_link_leads_to_must_be_built(tree: Path, blobs: Path) -> None:
    (tree / "stale").write_text("stale")
    time.sleep(0.05)
    began = file_clock()
    (tree / "out").symlink_to("stale")
    with pytest.raises(OutputsError, match="did not touch it: 'stale'"):
        collect_outputs(str(tree), ["out"], Blobs(str(blobs)), {}, began)
    (tree / "stale").write_text("new")
    assert len(collect_outputs(str(tree), ["out"], Blobs(str(blobs)), {}, began)) == 2


def test_what_cannot_be_read_in_time_is_named_with_its_size(tree, blobs):
    with open(tree / "large", "wb") as file:
        file.truncate(1 << 40)
    began = time.monotonic()
    with pytest.raises(TooLargeError, match=r"within 0.2 s; 'large' has 1099511627776 bytes"):
        collect_outputs(str(tree), ["large"], Blobs(str(blobs), 0.2), {})
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("start", [0, 1, 4096, (3 << 20) + 17])
def test_holes_are_hashed_as_zeros(tree, blobs, start):
    with open(tree / "sparse", "wb") as file:
        file.seek(start)
        file.write(b"data")
        file.seek(start + (5 << 20))
        file.write(b"more")
        file.truncate(start + (9 << 20) + 3)
    entry = collect_outputs(str(tree), ["sparse"], Blobs(str(blobs)), {})[0]
    data = (tree / "sparse").read_bytes()
    assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    assert (blobs / entry["sha256"]).read_bytes() == data
    assert (blobs / entry["sha256"]).stat().st_blocks * 512 < 4 << 20
