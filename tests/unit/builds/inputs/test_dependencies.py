"""What a build used outside its sources is described so that any change of it shows."""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftc.builds.inputs.dependencies import ChangedError, Dependencies


@pytest.fixture
def tool(tmp_path):
    tool = tmp_path / "tool"
    tool.write_text("one")
    return tool


def described(*uses: tuple[str, str]) -> dict[str, str]:
    return Dependencies().describe([(str(path), use) for path, use in uses], time.time() + 1)


def changes(tokens: dict[str, str]) -> list[str]:
    return Dependencies().find_changes(tokens)


def test_a_file_counts_with_its_content_and_its_mode(tool):
    tokens = described((tool, "file"))
    assert changes(tokens) == []
    before = tool.stat()
    tool.write_text("two")
    os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changes(tokens) == [str(tool)]
    tool.write_text("one")
    assert changes(tokens) == []  # by its content: neither its inode nor its times are the same
    tool.chmod(0o755)
    assert changes(tokens) == [str(tool)]
    tool.unlink()
    assert changes(tokens) == [str(tool)]


def test_a_link_counts_with_what_it_leads_to(tool, tmp_path):
    (tmp_path / "link").symlink_to("tool")
    tokens = described((tmp_path / "link", "file"))
    (tmp_path / "other").write_text("two")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("other")
    assert changes(tokens) == [str(tmp_path / "link")]


def test_a_file_that_was_looked_at_counts_with_its_size_and_its_time(tool):
    tokens = described((tool, "looked at"))
    assert changes(tokens) == []
    before = tool.stat()
    tool.write_text("four")
    os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changes(tokens) == [str(tool)]
    tool.write_text("one")
    os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changes(tokens) == []
    os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert changes(tokens) == [str(tool)]


@pytest.mark.parametrize("folder", ["clone/.git", "lib/python3/site-packages/x"])
def test_where_files_are_put_anew_their_times_do_not_count(tmp_path, folder):
    (tmp_path / folder).mkdir(parents=True)
    file = tmp_path / folder / "../file" if folder.endswith(".git") else tmp_path / folder / "file"
    file = file.resolve()
    file.write_text("one")
    tokens = described((file, "looked at"))
    os.utime(file, (1, 1))
    assert changes(tokens) == []
    file.write_text("four")
    assert changes(tokens) == [str(file)]


def test_a_time_that_changed_meanwhile_is_not_described(tool):
    os.utime(tool, (time.time() + 100, time.time() + 100))
    with pytest.raises(ChangedError):
        described((tool, "looked at"))


@pytest.mark.parametrize("use", ["file", "looked at", "absent"])
def test_a_link_counts_with_its_text_also_where_that_leads_to_the_same(tool, tmp_path, use):
    link = tmp_path / "link"
    target = "nowhere" if use == "absent" else "tool"
    link.symlink_to(target)
    tokens = described((link, use))
    assert changes(tokens) == []
    link.unlink()
    link.symlink_to(f"./{target}")
    assert changes(tokens) == [str(link)]
    link.unlink()
    if use != "absent":
        tool.rename(link)
    assert changes(tokens) == [str(link)]


def test_tokens_of_earlier_versions_still_count(tool, tmp_path):
    (tmp_path / "link").symlink_to("tool")
    uses = [(tmp_path / "link", "file"), (tool, "looked at"), (tmp_path / "missing", "absent"), (tmp_path, "folder")]
    tokens = {path: token.partition(">")[0] for path, token in described(*uses).items()}
    tokens[str(tool)] = ".".join(tokens[str(tool)].split(".")[:2])
    assert changes(tokens) == []
    tool.chmod(0o700)
    assert set(changes(tokens)) == {str(tool), str(tmp_path / "link")}


def test_what_is_not_there_counts(tmp_path):
    tokens = described((tmp_path / "missing", "absent"))
    assert changes(tokens) == []
    (tmp_path / "missing").mkdir()
    assert changes(tokens) == [str(tmp_path / "missing")]


def test_a_folder_that_was_listed_counts_with_its_names_and_one_that_was_looked_at_does_not(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    listed, looked_at = described((folder, "folder")), described((folder, "looked at"))
    (folder / "__pycache__").mkdir()
    assert changes(listed) == changes(looked_at) == []
    (folder / "new").write_text("")
    assert changes(listed) == [str(folder)]
    assert changes(looked_at) == []
    folder.chmod(0o700)
    assert changes(looked_at) == [str(folder)]


def test_bytecode_counts_with_its_source(tmp_path):
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "module.py").write_text("1")
    code = tmp_path / "__pycache__" / "module.cpython-311.pyc"
    code.write_bytes(b"compiled")
    tokens = described((tmp_path / "module.py", "looked at"), (code, "file"), (code.with_suffix(".x"), "absent"))
    assert list(tokens) == [str(tmp_path / "module.py")]
    code.write_bytes(b"compiled again")
    assert changes(tokens) == []
    (tmp_path / "module.py").write_text("2")
    assert changes(tokens) == [str(tmp_path / "module.py")]


def test_the_objects_and_the_index_of_a_repository_do_not_count(tmp_path):
    git = tmp_path / ".git"
    (git / "objects").mkdir(parents=True)
    (git / "refs/heads/objects").mkdir(parents=True)
    for name in ("index", "config", "objects/pack", "refs/heads/objects/main"):
        (git / name).write_text("x")
    uses = [(git / name, "file") for name in ("index", "config", "objects/pack", "refs/heads/objects/main")]
    assert list(described(*uses)) == [str(git / "config"), str(git / "refs/heads/objects/main")]


@pytest.mark.parametrize("use", ["file", "absent", "looked at"])
def test_what_was_changed_while_it_was_used_is_not_described(tmp_path, tool, use):
    path = tool if use == "file" else tmp_path / "missing"
    if use == "absent":
        path.write_text("made meanwhile")
    with pytest.raises(ChangedError, match=str(path)):
        Dependencies().describe([(str(path), use)], time.time() - 5)


def test_what_was_looked_at_once_is_not_looked_at_again(tool):
    tokens = described((tool, "file"))
    session = Dependencies()
    assert session.find_changes(tokens) == []
    tool.write_text("two")
    assert session.find_changes(tokens) == []
    assert Dependencies().find_changes(tokens) == [str(tool)]


@given(st.text(), st.binary(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_no_path_and_no_content_is_too_strange(tmp_path, name, content):
    path = f"{tmp_path}/{name}"
    try:
        with open(path, "wb") as file:
            file.write(content)
    except (OSError, ValueError):
        return
    tokens = described((path, "file"))
    assert changes(tokens) == []
    with open(path, "ab") as file:
        file.write(b"more")
    assert changes(tokens) == list(tokens)
