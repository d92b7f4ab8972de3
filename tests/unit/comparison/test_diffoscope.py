"""diffoscope for real, and every way in which it may fail."""

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from pytest_ftc.comparison.diffoscope import Diffoscope
from pytest_ftc.model import Difference, DifferenceKind, Output, OutputType


def difference(name: str) -> Difference:
    return Difference(output=name, kind=DifferenceKind.CONTENT, control=None, experiment=None)


def make_zip(moment: int, content: str = "content") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("member.txt", time.gmtime(moment)[:6]), content)
    return buffer.getvalue()


def make_tar(content: bytes, moment: int = 0, name: str = "inner.txt") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mtime = len(content), moment
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def nest(content: bytes) -> bytes:
    return gzip.compress(make_tar(content, name="inner.whl"), mtime=0)


@pytest.fixture
def write(tmp_path):
    def run(name: str, one: bytes, other: bytes, **options):
        (tmp_path / "blob-one").write_bytes(one)
        (tmp_path / "blob-other").write_bytes(other)
        diffoscope = Diffoscope(tmp_path / "diffs", tmp_path, **options)
        found = diffoscope.write(difference(name), tmp_path / "blob-one", tmp_path / "blob-other")
        assert [path for path in tmp_path.iterdir() if path.name.startswith("diff-")] == []
        assert bool(found.diff) != bool(found.note)
        assert (found.member, found.location, found.evidence) == ("", "", None)
        return found

    return run


@pytest.mark.parametrize(
    ("name", "one", "other", "texts"),
    [
        ("a.txt", b"same\none\n", b"same\nother\n", ["-one", "+other"]),
        ("a.zip", make_zip(10**9), make_zip(10**9 + 86400), ["01-Sep-09", "01-Sep-10"]),
        ("a.tar", make_tar(b"x", 1), make_tar(b"x", 2), ["inner.txt"]),
        ("a.tar", make_tar(b"one\n"), make_tar(b"other\n"), ["-one", "+other"]),
        ("a.tar.gz", gzip.compress(make_tar(b"one\n"), mtime=0), gzip.compress(make_tar(b"two\n"), mtime=0), ["-one", "+two"]),
        ("d.tar.gz", nest(make_zip(10**9, "one")), nest(make_zip(10**9, "two")), ["member.txt", "-one", "+two"]),
        ("a.bin", b"\0" * 44 + b"A", b"\0" * 44 + b"B", ["41", "42"]),
        ("a.json", b'{"a": 1}', b'{"a": 2}', ['"a": 1', '"a": 2']),
        ("a.txt", b"x\ny\nz\n", b"y\nx\nz\n", ["-x", "+x"]),
        ("a.gz", gzip.compress(b"x", mtime=1), gzip.compress(b"x", mtime=10**9), ["gzip"]),
    ],
    ids=["text", "zip time", "tar time", "tar member", "nested", "nested wheel", "binary", "json", "order", "gzip time"],
)  # fmt: skip
def test_the_full_diff_holds_both_values(write, name, one, other, texts):
    text = Path(write(f"dist/{name}", one, other).diff).read_text()
    if not shutil.which("zipinfo") and "zip" in name:
        assert "zipinfo" in text
        return
    assert all(expected in text for expected in texts), text


WROTE = "open('result.txt', 'w').write('a diff'); "


@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("import no_such_module_xyz", "diffoscope is not installed"),
        ("import time; time.sleep(1000)", "diffoscope took longer than 1 s"),
        ("import os; os.kill(os.getpid(), 9)", "diffoscope ended with status -9"),
        (WROTE + "raise SystemExit(2)", "diffoscope ended with status 2"),
        ("raise SystemExit(0)", "diffoscope found no difference, though the bytes differ"),
        ("raise SystemExit(1)", "diffoscope wrote no diff"),
        ("open('result.txt', 'w').write(' '); raise SystemExit(1)", "diffoscope wrote no diff"),
        (WROTE + "x = bytearray(4 << 30)", "MemoryError"),
        ("import subprocess, time; subprocess.Popen(['sleep', '98765']); time.sleep(1000)", "took longer"),
    ],
)  # fmt: skip
def test_when_diffoscope_fails_the_note_says_so(write, script, note):
    found = write("a.bin", b"\0one", b"\0two", timeout=1, command=(sys.executable, "-c", script))
    assert note in found.note
    assert found.note.startswith("no full diff: ")
    deadline = time.monotonic() + 5
    while subprocess.run(["pgrep", "-f", "^sleep 98765$"], capture_output=True).returncode == 0:
        assert time.monotonic() < deadline, "a process that diffoscope started has survived it"


def test_of_a_huge_diff_only_the_beginning_is_read(write):
    script = "open('result.txt', 'w').write('-' * 30_000_000); raise SystemExit(1)"
    found = write("a.bin", b"\0one", b"\0two", command=(sys.executable, "-c", script))
    assert Path(found.diff).stat().st_size == 20_000_000


@pytest.mark.parametrize("end", ["time.sleep(1000)", "raise SystemExit(2)"], ids=["hangs", "ends"])
def test_what_diffoscope_has_started_ends_with_it(write, tmp_path, end):
    started = tmp_path / "started"
    script = f"""
import subprocess, time
child = subprocess.Popen(["sleep", "1000"])
open({str(started)!r}, "w").write(str(child.pid))
{end}
"""
    assert write("a.bin", b"\0one", b"\0two", timeout=2, command=(sys.executable, "-c", script)).note
    assert wait_until_dead(int(started.read_text()))


def wait_until_dead(pid: int) -> bool:
    """Whether the process ends within seconds; a zombie, which waits for a foreign parent, counts."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False


def test_without_the_outputs_the_note_names_the_file(tmp_path):
    diffoscope = Diffoscope(tmp_path / "diffs", command=("/nonexistent/diffoscope",))
    found = diffoscope.write(difference("x"), tmp_path / "gone", tmp_path / "gone too")
    assert found.note.startswith("no full diff: ") and "gone" in found.note
    assert not (tmp_path / "diffs").exists()


def test_a_folder_that_cannot_be_written_is_noted(write, tmp_path):
    (tmp_path / "diffs").write_text("a file")
    assert write("a.txt", b"one\n", b"two\n").note.startswith("no full diff: ")


def test_a_string_in_a_program_is_found(write):
    program = Path(shutil.which("true")).read_bytes()
    at = program.index(b"coreutils")
    programs = [program[:at] + value + program[at + 9 :] for value in (b"one build", b"two build")]
    text = Path(write("bin/program", *programs).diff).read_text()
    missing = [tool for tool in ("readelf", "strings") if not shutil.which(tool)]
    assert all(tool in text for tool in missing)
    assert missing or ("one build" in text and "two build" in text and "readelf" in text)


def test_two_outputs_of_one_name_keep_their_own_diffs(tmp_path):
    paths = []
    for content in ("one", "two"):
        blobs = [tmp_path / f"{content}-{side}" for side in "ab"]
        for blob in blobs:
            blob.write_text(blob.name)
        one, other = (Output(path="x", type=OutputType.FILE, mode="0644", sha256=blob.name) for blob in blobs)
        given = Difference(output="dist/x.txt", kind=DifferenceKind.CONTENT, control=one, experiment=other)
        paths.append(Diffoscope(tmp_path / "diffs").write(given, *blobs).diff)
    assert len(set(paths)) == 2


def test_a_tool_that_is_missing_is_named(write, monkeypatch, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "diff").symlink_to(str(shutil.which("diff")))
    monkeypatch.setenv("PATH", str(tools))
    found = write("a.zip", make_zip(10**9), make_zip(10**9 + 86400))
    assert "not available in path" in Path(found.diff).read_text()


def test_no_diffoscope_at_all(write):
    found = write("a.bin", b"\0one", b"\0two", command=("/nonexistent/diffoscope",))
    assert found.note.startswith("no full diff: ")


def test_cancelling_ends_an_examination_soon(tmp_path):
    diffoscope = Diffoscope(tmp_path / "diffs", command=(sys.executable, "-c", "import time; time.sleep(100)"))
    diffoscope.cancel()
    for name in ("one", "other"):
        (tmp_path / name).write_text(name)
    begin = time.monotonic()
    assert "the session ended" in diffoscope.write(difference("x"), tmp_path / "one", tmp_path / "other").note
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("name", [b"new\nline.zip", b"caf\xe9", b"-rf", b"..", b"n" * 255, b"a/../../etc/passwd", b" "])
def test_hostile_names_harm_nothing(write, tmp_path, name):
    assert "-one" in Path(write(os.fsdecode(name), b"one\n", b"two\n").diff).read_text()
    assert {path.parent for path in (tmp_path / "diffs").iterdir()} == {tmp_path / "diffs"}
    assert all(path.name.isascii() and path.name.isprintable() for path in (tmp_path / "diffs").iterdir())


def test_terminal_escapes_do_not_reach_the_diff(write):
    found = write("a.txt", b"\x1b]0;owned\x07one\n", b"\x1b]0;owned\x07two\n")
    assert "\x1b" not in Path(found.diff).read_text()
