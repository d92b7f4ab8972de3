"""``ftc normalize`` as a user runs it: what it writes, what it says, and that a refused file stays."""

import os
import stat
import subprocess
import sys
import tarfile
import zipfile

import pytest

PLAIN = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}


def ftc(*arguments, status=0, environ=None, cwd=None):
    """Run `ftc normalize` and return what it printed: standard output, or standard error when that is all there is."""
    command = [sys.executable, "-c", "from pytest_ftc.cli.main import main; raise SystemExit(main())", "normalize"]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, env={**PLAIN, **(environ or {})}, cwd=cwd
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.add(__file__, "a")
    return path


def stored_time(path):
    with tarfile.open(path) as file:
        return file.getmembers()[0].mtime


def test_it_replaces_the_file_and_keeps_its_mode(archive):
    archive.chmod(0o640)
    assert "x.tar.gz: normalized" in ftc(archive)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o640
    assert [path.name for path in archive.parent.iterdir()] == ["x.tar.gz"]


def test_a_second_time_it_does_not_touch_the_file(archive):
    ftc(archive)
    before = archive.stat()
    assert "already normal" in ftc(archive)
    assert (archive.stat().st_ino, archive.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_check_changes_nothing_and_tells_by_its_status(archive):
    before = archive.read_bytes()
    assert "would change" in ftc("--check", archive, status=1)
    assert archive.read_bytes() == before
    ftc(archive)
    assert "already normal" in ftc("--check", archive)


def test_output_goes_elsewhere_and_the_file_stays(archive, tmp_path):
    before = archive.read_bytes()
    ftc("--output", tmp_path / "new" / "folder", archive)
    assert archive.read_bytes() == before
    written = tmp_path / "new" / "folder" / "x.tar.gz"
    assert "already normal" in ftc("--check", written)
    ftc(archive)
    assert written.read_bytes() == archive.read_bytes()


def test_output_cannot_hold_two_files_of_one_name(archive, tmp_path):
    assert "the same name" in ftc("--output", tmp_path / "out", archive, archive, status=2)
    assert not (tmp_path / "out").exists()


def test_a_refused_file_stays_and_does_not_stop_the_others(archive, tmp_path):
    (tmp_path / "bad.tar").write_text("no archive")
    before = (tmp_path / "bad.tar").stat()
    said = ftc(tmp_path / "bad.tar", archive, tmp_path / "missing", tmp_path, status=1)
    assert "bad.tar: unknown format; known are tar, zip, gzip, xz, bzip2, zstd, ar and pyc; not normalized" in said
    assert "x.tar.gz: normalized" in said
    assert "missing: No such file or directory; not normalized" in said
    assert f"{tmp_path}: it is not a regular file; not normalized" in said
    assert (tmp_path / "bad.tar").stat().st_mtime_ns == before.st_mtime_ns


def test_a_symlink_is_followed(archive, tmp_path):
    (tmp_path / "link").symlink_to("x.tar.gz")
    ftc(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert "already normal" in ftc("--check", archive)


def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert "not a regular file" in ftc(tmp_path / "fifo", status=1)


def test_a_loop_of_symlinks_is_one_clear_line(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert len(ftc(tmp_path / "loop", status=1).splitlines()) == 1


def test_a_missing_folder_is_not_taken_for_missing_git(tmp_path):
    assert "gone/x.zip: No such file or directory" in ftc("--epoch", "git", tmp_path / "gone" / "x.zip", status=1)


def test_a_signature_beside_the_file_must_come_after(archive):
    (archive.parent / "x.tar.gz.asc").write_text("signature")
    before = archive.read_bytes()
    assert "x.tar.gz.asc would no longer match it" in ftc(archive, status=1)
    assert archive.read_bytes() == before


def test_hostile_names_are_escaped(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr("a\x1b[31m\n", b"")
        file.writestr("./a\x1b[31m\n", b"")
    said = ftc(tmp_path / "x.zip", status=1)
    assert "\x1b" not in said and len(said.splitlines()) == 1


def test_the_epoch_is_a_number(archive):
    ftc("--epoch", "1234567890", archive)
    assert stored_time(archive) == 1234567890


def test_the_epoch_is_source_date_epoch(archive):
    ftc(archive, environ={"SOURCE_DATE_EPOCH": "1234567890"})
    assert stored_time(archive) == 1234567890


def test_the_epoch_is_that_of_the_last_commit(tmp_path, git, archive):
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "one")
    (tmp_path / "dist").mkdir()
    built = archive.rename(tmp_path / "dist" / "x.tar.gz")
    ftc(built, environ={"GIT_DIR": "/nowhere"}, cwd="/")
    assert stored_time(built) == 1_000_000_000
    ftc("--epoch", "unset", built)
    assert stored_time(built) == 315_619_200
    ftc("--epoch", "git", built, environ={"SOURCE_DATE_EPOCH": "5"})
    assert stored_time(built) == 1_000_000_000


def test_the_epoch_is_fixed_outside_of_a_repository(archive):
    ftc(archive)
    assert stored_time(archive) == 315_619_200


def test_no_epoch_is_made_up_where_git_knows_none(tmp_path, git, archive):
    said = ftc("--epoch", "git", archive, status=1)
    assert "not a git repository" in said
    git(tmp_path, "init", "-q")
    assert "does not have any commits yet; give --epoch a number or unset" in ftc(archive, status=1)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("now", "--epoch is 'now', expected a number of seconds since 1970"),
        ("-1", "--epoch is '-1', expected a number"),
        ("4294967296", "the epoch 4294967296 is not between 0 and 4294967295"),
    ],
)
def test_a_bad_epoch_is_refused(archive, value, words):
    assert words in ftc(f"--epoch={value}", archive, status=1)


def test_a_bad_source_date_epoch_is_refused(archive):
    said = ftc(archive, status=1, environ={"SOURCE_DATE_EPOCH": "yesterday"})
    assert "SOURCE_DATE_EPOCH is 'yesterday', expected a number" in said


def test_the_size_has_units(archive):
    assert "more than 1024 bytes when decompressed; raise --max-size" in ftc("--max-size", "1K", archive, status=1)
    assert "invalid size '1X'" in ftc("--max-size", "1X", archive, status=2)
    ftc("--max-size", "1M", archive)


def test_help_names_every_option_and_format():
    said = ftc("--help")
    assert all(f"--{option}" in said for option in ("epoch", "check", "output", "max-size"))
    assert all(format in said for format in ("tar", "zip", "wheel", "jar", "gzip", "xz", "zstd", "ar", "pyc"))


def test_a_killed_run_leaves_the_file_whole(tmp_path):
    """Whatever the moment of an interruption: the name always leads to a complete file, the old one or the new."""
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as file:
        for number in range(3000):
            file.addfile(tarfile.TarInfo(f"{number}"))
    before = path.read_bytes()
    code = """
import os, sys
from pathlib import Path
from pytest_ftc.normalize.replace import normalize_file
from pytest_ftc.normalize.rules import Rules

def interrupt(descriptor):
    raise KeyboardInterrupt

os.fsync = interrupt
normalize_file(Path(sys.argv[1]), Rules(epoch=1))
"""
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert "KeyboardInterrupt" in done.stderr
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["x.tar"]


def test_a_file_that_changes_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
    from pytest_ftc.model.errors import NormalizationError
    from pytest_ftc.normalize import replace as files
    from pytest_ftc.normalize.replace import normalize_file
    from pytest_ftc.normalize.rules import Rules

    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as file:
        file.addfile(tarfile.TarInfo("a"))

    def compare(*arguments, **options):
        path.write_bytes(b"written by another")
        return False

    monkeypatch.setattr(files.filecmp, "cmp", compare)  # the last that is done before the file is replaced
    with pytest.raises(NormalizationError, match="another process modified it meanwhile"):
        normalize_file(path, Rules(epoch=1))
    assert path.read_bytes() == b"written by another"
