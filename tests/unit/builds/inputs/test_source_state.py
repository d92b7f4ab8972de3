"""The digest of a source tree changes if, and only if, what builds get from it does."""

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.builds.inputs import named_files as naming
from pytest_ftc.builds.inputs.merkle import digest_folder
from pytest_ftc.builds.inputs.snapshot import capture_source
from pytest_ftc.builds.inputs.source_state import Sources, SourceState, look_at
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.model import Snapshot
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import SourceError

Git = Callable[..., str]


def fill(folder: Path) -> None:
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("b")
    (folder / "link").symlink_to("a.txt")


def change_content(folder: Path) -> None:
    (folder / "sub" / "b.txt").write_text("B")


def change_name(folder: Path) -> None:
    (folder / "a.txt").rename(folder / "c.txt")


def change_mode(folder: Path) -> None:
    (folder / "a.txt").chmod(0o755)


def change_target(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to("sub")


def change_type(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").write_text("a.txt")


def add_empty_folder(folder: Path) -> None:
    (folder / "empty").mkdir()


def add_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def move_file(folder: Path) -> None:
    (folder / "a.txt").rename(folder / "sub" / "a.txt")


CHANGES = [change_content, change_name, change_mode, change_target, change_type, add_empty_folder, add_pipe, move_file]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_tree_changes_its_digest(tmp_path, change):
    fill(tmp_path)
    before = digest_folder(str(tmp_path))
    change(tmp_path)
    assert digest_folder(str(tmp_path)) != before


def test_times_and_places_do_not_change_it(tmp_path):
    for name in ("one", "other"):
        fill(tmp_path / name)
    os.utime(tmp_path / "one" / "a.txt", (1, 1))
    assert digest_folder(str(tmp_path / "one")) == digest_folder(str(tmp_path / "other"))


@given(st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=20)), st.randoms())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_the_order_in_which_files_are_made_does_not_change_it(tmp_path_factory, files, random):
    digests = set()
    for _ in range(2):
        folder = tmp_path_factory.mktemp("tree")
        names = list(files)
        random.shuffle(names)
        for name in names:
            (folder / name).write_bytes(files[name])
        digests.add(digest_folder(str(folder)))
    assert len(digests) == 1


def is_still(state: SourceState, source: Path, snapshot: Snapshot) -> bool:
    return Sources(source, []).is_still(state, source, snapshot)


def test_it_is_that_of_the_message_of_the_remote_execution_api(tmp_path):
    """Checked by hand against remote_execution.proto: file a with content 'x', mode 0644, in a folder of mode 0755."""
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a").chmod(0o644)
    tmp_path.chmod(0o755)
    content = Digest.of(b"x")
    digest = b"\x0a\x40" + content.hash.encode() + b"\x10\x01"
    mode = b"\x1a\x03\x08\xa4\x03"
    file = b"\x0a\x01a" + b"\x12" + bytes((len(digest),)) + digest + b"\x32" + bytes((len(mode),)) + mode
    folder = b"\x0a" + bytes((len(file),)) + file + b"\x2a\x05\x1a\x03\x08\xed\x03"
    assert digest_folder(str(tmp_path)) == Digest.of(folder)


def test_what_cannot_be_read_is_a_clear_error(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        digest_folder(str(tmp_path / "nothing"))


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    root = tmp_path / "project"
    for name in ("one", "two", "vendor"):
        fill(root / name)
    (root / ".gitignore").write_text("*.o\nvendor\n")
    (root / "one" / "x.o").write_text("ignored")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def test_one_look_at_all_sources_tells_what_one_at_each_does(repository, git):
    inner = repository / "two" / "inner"
    fill(inner)
    git(inner, "init", "-q")
    git(inner, "add", "-A")
    git(inner, "commit", "-qm", "inner")
    folders = [repository / name for name in ("one", "one/sub", "two", "vendor", "two/inner", ".")]
    sources = Sources(repository, [folder.resolve() for folder in folders])
    for folder in folders:
        assert sources.state(folder.resolve()) == look_at(folder.resolve())


def test_what_is_ignored_does_not_count(repository):
    before = look_at(repository / "one")
    (repository / "one" / "x.o").write_text("other")
    assert look_at(repository / "one") == before
    (repository / "one" / "y.txt").write_text("new")
    assert look_at(repository / "one") != before


def test_a_commit_counts_where_the_repository_is_shown_to_builds(repository, git):
    whole, part = look_at(repository), look_at(repository / "one")
    git(repository, "commit", "--allow-empty", "-qm", "second")
    assert look_at(repository) != whole
    assert look_at(repository / "one").repository == part.repository == ""
    again = look_at(repository)
    git(repository, "tag", "v1")
    assert look_at(repository) != again


@pytest.mark.parametrize("name", [".", "one", "vendor"])
def test_a_capture_has_the_digest_of_what_was_captured(repository, tmp_path, name):
    source = (repository / name).resolve()
    state = look_at(source)
    (tmp_path / "copy").mkdir()
    snapshot = capture_source(source, tmp_path / "copy")
    assert is_still(state, source, snapshot)
    (repository / name / "a.txt").write_text("changed after it was captured")
    assert is_still(state, source, snapshot)
    (tmp_path / "other").mkdir()
    assert not is_still(state, source, capture_source(source, tmp_path / "other"))


def test_a_worktree_is_its_own_source(repository, tmp_path, git):
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"), "HEAD")
    state = look_at(tmp_path / "tree")
    (tmp_path / "copy").mkdir()
    assert is_still(state, tmp_path / "tree", capture_source(tmp_path / "tree", tmp_path / "copy"))


def test_a_folder_of_no_repository_is_looked_at_whole(tmp_path):
    fill(tmp_path / "plain")
    sources = Sources(tmp_path, [tmp_path / "plain"])
    assert sources.state(tmp_path / "plain") == look_at(tmp_path / "plain")
    assert sources.state(tmp_path / "plain").commit_time is None


def make_tool(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_tools_a_command_names_are_told_by_their_content(tmp_path):
    make_tool(tmp_path / "bin" / "mycc", "one")
    path = (str(tmp_path / "bin"), "/usr/bin", "/bin")
    named = Toolchain(path).describe("cd src && mycc -O2 a.c | cat > out")
    assert {str(tmp_path / "bin" / "mycc"), "/usr/bin/cat"} <= named.keys()
    assert not any(tool.endswith("a.c") for tool in named)
    make_tool(tmp_path / "bin" / "mycc", "two")
    assert Toolchain(path).describe("mycc") != named
    assert str(tmp_path / "bin" / "mycc") in Toolchain(path).describe(("mycc", "a b"))
    assert str(tmp_path / "bin" / "mycc") not in Toolchain(path).describe(("echo", "./mycc"))


@pytest.fixture
def outside(tmp_path):
    """Tools that no package manager knows, in a folder that is on no search path."""
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    make_tool(folder / "tool", "one")
    make_tool(folder / "real", "one")
    make_tool(folder / "wrap", f"#!/bin/sh\nexec {folder}/real\n")
    make_tool(folder / "beside", '#!/bin/sh\nexec "$(dirname "$0")/real"\n')
    make_tool(folder / "a tool", "one")
    return folder


@pytest.mark.parametrize(
    ("build", "variables", "changed"),
    [
        ("{}/tool > out", {}, "tool"),
        ("CC={}/tool make", {}, "tool"),
        ("cc --with=a,{}/tool", {}, "tool"),
        (("sh", "-c", "{}/tool > out"), {}, "tool"),
        (("{}/a tool",), {}, "a tool"),
        ("$CC > out", {"CC": "{}/tool -O2"}, "tool"),
        ("tool > out", {"PATH": "/usr/bin:{}"}, "tool"),
        ("{}/wrap > out", {}, "real"),
        ("{}/beside > out", {}, "real"),
        ("wrap > out", {"PATH": "{}"}, "real"),
        ("./build.sh", {}, "real"),
        ("sh build.sh", {}, "real"),
        ("make", {}, "real"),
        ("make -C sub", {}, "tool"),
        ("python3 gen.py", {}, "real"),
    ],
)
def test_a_tool_counts_however_it_is_named(tmp_path, outside, build, variables, changed):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    make_tool(source / "build.sh", f"#!/bin/sh\n{outside}/wrap\n")
    (source / "Makefile").write_text(f"all:\n\t{outside}/wrap\n" if build == "make" else "")
    (source / "sub" / "Makefile").write_text(f"CC:={outside}/tool\n")
    (source / "gen.py").write_text(f"import subprocess\nsubprocess.run(['{outside}/real'])\n")
    build = build.format(outside) if isinstance(build, str) else tuple(word.format(outside) for word in build)
    variables = {name: value.format(outside) for name, value in variables.items()}
    before = Toolchain(("/usr/bin",)).describe(build, variables, source)
    (outside / changed).write_text("another program")
    assert Toolchain(("/usr/bin",)).describe(build, variables, source) != before


def test_a_program_that_is_no_command_counts_by_its_path(tmp_path, monkeypatch):
    monkeypatch.setattr(naming, "_PRIVATE", ("/nowhere/",))
    (tmp_path / "gen.py").write_text("print(1)")
    build = f"python3 {tmp_path}/gen.py /proc/uptime /dev/null"
    before = Toolchain(("/usr/bin",)).describe(build)
    assert str(tmp_path / "gen.py") in before
    assert not before.keys() & {"/proc/uptime", "/dev/null"}
    (tmp_path / "gen.py").write_text("print(2)")
    assert Toolchain(("/usr/bin",)).describe(build) != before


def test_a_script_that_names_itself_or_a_thousand_others_is_read_once(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for number in range(1000):
        (source / f"{number}.sh").write_text(f"./{number}.sh; ./{(number + 1) % 1000}.sh; /bin/true")
    assert "/bin/true" in Toolchain(("/usr/bin",)).describe("./0.sh", {}, source)


def test_a_tool_that_is_replaced_meanwhile_is_noticed(tmp_path):
    make_tool(tmp_path / "bin" / "tool", "one")
    toolchain = Toolchain((str(tmp_path / "bin"),))
    described = toolchain.describe("tool")
    assert toolchain.is_still(described)
    (tmp_path / "bin" / "new").write_text("one")
    (tmp_path / "bin" / "new").rename(tmp_path / "bin" / "tool")
    assert not toolchain.is_still(described)


@pytest.mark.parametrize("installed", ["lib/python3/dist-packages/x-1.dist-info/RECORD",
                                       "lib/python3.12/site-packages/module.py",
                                       "lib/python3.12/site-packages/x.pth"])  # fmt: skip
def test_whatever_is_installed_beside_the_tools_counts(tmp_path, installed):
    make_tool(tmp_path / "bin" / "tool", "")
    (tmp_path / installed).parent.mkdir(parents=True)
    before = Toolchain((str(tmp_path / "bin"),)).describe("tool")
    (tmp_path / installed).write_text("x")
    assert Toolchain((str(tmp_path / "bin"),)).describe("tool") != before


def test_a_file_outside_counts_that_the_sources_link_to(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "source" / "broken").symlink_to("/nonexistent")
    missing = look_at(tmp_path / "source")
    (tmp_path / "outside").write_text("one")
    one = look_at(tmp_path / "source")
    (tmp_path / "outside").write_text("two")
    assert len({missing.digest, one.digest, look_at(tmp_path / "source").digest}) == 3
    (tmp_path / "copy").mkdir()
    snapshot = capture_source(tmp_path / "source", tmp_path / "copy")
    assert is_still(look_at(tmp_path / "source"), tmp_path / "source", snapshot)


def test_what_tools_list_by_git_counts_where_the_repository_is_shown(repository, git):
    (repository / "new.txt").write_text("new")
    untracked = look_at(repository)
    git(repository, "add", "new.txt")
    tracked = look_at(repository)
    assert (tracked.digest, tracked == untracked) == (untracked.digest, False)
    git(repository, "checkout", "-qb", "release-1.x")
    assert look_at(repository) != tracked


def test_what_is_installed_beside_the_tools_counts(tmp_path):
    make_tool(tmp_path / "bin" / "tool", "")
    record = tmp_path / "lib" / "python3.12" / "site-packages" / "x-1.dist-info" / "RECORD"
    record.parent.mkdir(parents=True)
    record.write_text("x.py,sha256=a,1\n")
    path = (str(tmp_path / "bin"),)
    before = Toolchain(path).describe("tool")
    record.write_text("x.py,sha256=b,1\n")
    assert Toolchain(path).describe("tool") != before
