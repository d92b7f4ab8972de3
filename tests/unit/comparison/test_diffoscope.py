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

from pytest_ftc.comparison.diffoscope import DiffoscopeComparator
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
def examine(tmp_path):
    def run(name: str, one: bytes, other: bytes, **options):
        (tmp_path / "blob-one").write_bytes(one)
        (tmp_path / "blob-other").write_bytes(other)
        comparator = DiffoscopeComparator(tmp_path / "diffs", tmp_path, **options)
        found = comparator.examine(difference(name), tmp_path / "blob-one", tmp_path / "blob-other")
        assert [path for path in tmp_path.iterdir() if path.name.startswith("diff-")] == []
        return list(found)

    return run


@pytest.mark.parametrize(
    ("name", "one", "other", "member", "location", "value"),
    [
        ("a.txt", b"same\none\n", b"same\nother\n", "", "line 2", "one"),
        ("a.zip", make_zip(10**9), make_zip(10**9 + 86400), "", "zip entries", "01-Sep-09"),
        ("a.tar", make_tar(b"x", 1), make_tar(b"x", 2), "", "archive entries", "inner.txt"),
        ("a.tar", make_tar(b"one\n"), make_tar(b"other\n"), "inner.txt", "line 1", "one"),
        ("a.tar.gz", gzip.compress(make_tar(b"one\n"), mtime=0), gzip.compress(make_tar(b"two\n"), mtime=0), "a.tar/inner.txt", "line 1", "one"),
        ("a.whl", make_zip(10**9, "one"), make_zip(10**9, "two"), "member.txt", "line 1", "one"),
        ("d.tar.gz", nest(make_zip(10**9, "one")), nest(make_zip(10**9, "two")), "d.tar/inner.whl/member.txt", "line 1", "one"),
        ("a.bin", b"\0" * 44 + b"A", b"\0" * 44 + b"B", "", "byte 0x2c", " 41 "),
        ("a.zip", make_zip(10**9, "\0one"), make_zip(10**9, "\0two"), "member.txt", "byte 0x1", "006f 6e65"),
        ("a.json", b'{"a": 1}', b'{"a": 2}', "", "Pretty-printed", '"a": 1'),
        ("a.txt", b"x\ny\nz\n", b"y\nx\nz\n", "", "line 1, order only", "x"),
        ("a.gz", gzip.compress(b"x", mtime=1), gzip.compress(b"x", mtime=10**9), "", "file header", "gzip"),
    ],
    ids=["text", "zip time", "tar time", "tar member", "nested", "wheel member", "nested wheel", "binary", "binary member", "json", "order", "gzip time"],
)  # fmt: skip
def test_the_place_is_named(examine, name, one, other, member, location, value):
    found = examine(f"dist/{name}", one, other)
    if not all(map(shutil.which, ("zipinfo", "xxd"))) and ("zip" in name or "whl" in name or b"\0" in one):
        assert_degraded(found)
        return
    match = [entry for entry in found if entry.member == member and entry.location.startswith(location)]
    assert match, found
    assert value in match[0].evidence.control
    assert match[0].evidence.control != match[0].evidence.experiment
    assert Path(match[0].diff).read_text()
    assert match[0].note == ""


def assert_degraded(found):
    """Without its tools diffoscope sees less: two different values are shown all the same, or what is missing is told."""
    assert found
    for entry in found:
        assert entry.note or (entry.evidence and entry.evidence.control != entry.evidence.experiment), entry


@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("import no_such_module_xyz", "it is not installed"),
        ("import time; time.sleep(1000)", "it ran out of time after 1 s"),
        ("import os; os.kill(os.getpid(), 9)", "it ended with status -9"),
        ("raise SystemExit(2)", "it ended with status 2"),
        ("raise SystemExit(0)", "it found no difference, though the bytes differ"),
        ("raise SystemExit(1)", "it wrote no readable result"),
        ("open('result.json', 'w').write('{'); open('result.txt', 'w'); raise SystemExit(1)", "no readable result"),
        ("open('result.json', 'w').write('[]'); open('result.txt', 'w'); raise SystemExit(1)", "unknown form"),
        ("open('result.json', 'w').write('{\"details\": 3}'); open('result.txt', 'w'); raise SystemExit(1)", "unknown form"),
        ("x = bytearray(4 << 30)", "MemoryError"),
        ("import subprocess, time; subprocess.Popen(['sleep', '98765']); time.sleep(1000)", "ran out of time"),
        ("open('result.json', 'w').write('[' * 100_000); open('result.txt', 'w'); raise SystemExit(1)", "no readable result"),
        ("open('result.json', 'w').truncate(1 << 30); open('result.txt', 'w'); raise SystemExit(1)", "its result is too large"),
        ("open('result.json', 'w').write('{}'); open('result.txt', 'w'); raise SystemExit(1)", "unknown form"),
    ],
)  # fmt: skip
def test_when_diffoscope_fails_the_report_says_so_and_shows_bytes(examine, script, note):
    (found,) = examine("a.bin", b"\0one", b"\0two", timeout=1, command=(sys.executable, "-c", script))
    assert note in found.note
    assert found.note.startswith("not examined by diffoscope: ")
    assert found.location == "byte 0x1"
    assert found.evidence.control != found.evidence.experiment
    deadline = time.monotonic() + 5
    while subprocess.run(["pgrep", "-f", "^sleep 98765$"], capture_output=True).returncode == 0:
        assert time.monotonic() < deadline, "a process that diffoscope started has survived it"


@pytest.mark.parametrize("end", ["time.sleep(1000)", "raise SystemExit(2)"], ids=["hangs", "ends"])
def test_what_diffoscope_has_started_ends_with_it(examine, tmp_path, end):
    started = tmp_path / "started"
    script = f"""
import subprocess, time
child = subprocess.Popen(["sleep", "1000"])
open({str(started)!r}, "w").write(str(child.pid))
{end}
"""
    (found,) = examine("a.bin", b"\0one", b"\0two", timeout=2, command=(sys.executable, "-c", script))
    assert found.note
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


def test_no_output_and_no_diffoscope_is_still_a_difference(tmp_path):
    comparator = DiffoscopeComparator(tmp_path / "diffs", command=("/nonexistent/diffoscope",))
    (found,) = comparator.examine(difference("x"), tmp_path / "gone", tmp_path / "gone too")
    assert "not examined by diffoscope" in found.note
    assert "not examined: " in found.note
    assert not (tmp_path / "diffs").exists()


def test_a_string_in_a_program_is_found(examine, tmp_path):
    program = Path(shutil.which("true")).read_bytes()
    at = program.index(b"coreutils")
    programs = [program[:at] + value + program[at + 9 :] for value in (b"one build", b"two build")]
    found = examine("bin/program", *programs)
    if not all(map(shutil.which, ("readelf", "strings"))):
        assert_degraded(found)
        return
    assert {entry.member for entry in found} == {""}
    assert all(entry.evidence.control != entry.evidence.experiment for entry in found)
    (text,) = [entry for entry in found if entry.location.startswith("strings (")]
    assert (text.evidence.control, text.evidence.experiment) == ("GNU one build", "GNU two build")
    assert any(entry.location.startswith("readelf --wide ") for entry in found)


def test_two_outputs_of_one_name_keep_their_own_diffs(tmp_path):
    paths = []
    for content in ("one", "two"):
        blobs = [tmp_path / f"{content}-{side}" for side in "ab"]
        for blob in blobs:
            blob.write_text(blob.name)
        one, other = (Output(path="x", type=OutputType.FILE, mode="0644", sha256=blob.name) for blob in blobs)
        given = Difference(output="dist/x.txt", kind=DifferenceKind.CONTENT, control=one, experiment=other)
        (found,) = DiffoscopeComparator(tmp_path / "diffs").examine(given, *blobs)
        paths.append(found.diff)
    assert len(set(paths)) == 2


def test_a_tool_that_is_missing_is_named(examine, monkeypatch, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "diff").symlink_to(str(shutil.which("diff")))
    monkeypatch.setenv("PATH", str(tools))
    (found,) = examine("a.zip", make_zip(10**9), make_zip(10**9 + 86400))
    assert "not available in path" in found.note
    assert found.location.startswith("byte 0x")


def test_no_diffoscope_at_all(examine):
    (found,) = examine("a.bin", b"\0one", b"\0two", command=("/nonexistent/diffoscope",))
    assert "not examined by diffoscope" in found.note


def test_cancelling_ends_an_examination_soon(tmp_path):
    comparator = DiffoscopeComparator(
        tmp_path / "diffs", command=(sys.executable, "-c", "import time; time.sleep(100)")
    )
    comparator.cancel()
    for name in ("one", "other"):
        (tmp_path / name).write_text(name)
    begin = time.monotonic()
    comparator.examine(difference("x"), tmp_path / "one", tmp_path / "other")
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("name", [b"new\nline.zip", b"caf\xe9", b"-rf", b"..", b"n" * 255, b"a/../../etc/passwd", b" "])
def test_hostile_names_harm_nothing(examine, tmp_path, name):
    found = examine(os.fsdecode(name), b"one\n", b"two\n")
    assert found[0].evidence.control == "one"
    assert {path.parent for path in (tmp_path / "diffs").iterdir()} == {tmp_path / "diffs"}
    assert all(path.name.isascii() and path.name.isprintable() for path in (tmp_path / "diffs").iterdir())


def test_terminal_escapes_reach_neither_evidence_nor_diff(examine):
    (found,) = examine("a.txt", b"\x1b]0;owned\x07one\n", b"\x1b]0;owned\x07two\n")
    assert "\x1b" not in found.evidence.control
    assert "\x1b" not in Path(found.diff).read_text()


def test_many_places_are_counted(examine):
    one = "".join(f"{n}\n" for n in range(3))
    buffers = []
    for suffix in "ab":
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for number in range(30):
                content = f"{one}{suffix}\n".encode()
                info = tarfile.TarInfo(f"member-{number:02}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        buffers.append(buffer.getvalue())
    found = examine("a.tar", *buffers)
    assert len(found) == 20
    assert found[-1].note == "10 more places differ; see the diff"
