"""Tar archives, made and read by GNU tar and tarfile."""

import io
import os
import subprocess
import tarfile

import pytest

from pytest_ftc.model.errors import NormalizationError

FORMATS = ["gnu", "pax", "ustar", "v7"]


def make(archive, tree, *options):
    subprocess.run(["tar", "-cf", archive, *options, "-C", tree.parent, "tree"], check=True)


def write(path, *members, pax_headers=None, format=tarfile.PAX_FORMAT):
    """Write `members`, TarInfo and content, with tarfile."""
    with tarfile.open(path, "w", format=format, pax_headers=pax_headers or {}) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def member(name, content=b"", **fields):
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


@pytest.mark.parametrize("one", ["--format=gnu", "--format=pax"])
@pytest.mark.parametrize("other", ["--format=gnu", "--format=posix --pax-option=exthdr.name=%d/%p/%f --sort=name"])
def test_two_archives_of_the_same_files_become_the_same(tree, other_tree, tmp_path, normalize, one, other):
    make(tmp_path / "one.tar", tree, one)
    make(
        tmp_path / "other.tar",
        other_tree,
        *other.split(),
        "--owner=somebody:1234",
        "--group=users:99",
        "--numeric-owner",
    )
    assert (tmp_path / "one.tar").read_bytes() != (tmp_path / "other.tar").read_bytes()
    assert normalize(tmp_path / "one.tar") == normalize(tmp_path / "other.tar")


def test_gnu_tar_unpacks_the_same_files(tree, tmp_path, normalize):
    make(tmp_path / "one.tar", tree)
    normalize(tmp_path / "one.tar")
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "one.tar", "-C", tmp_path / "unpacked"], check=True)
    unpacked = tmp_path / "unpacked" / "tree"
    subprocess.run(["diff", "-r", "--no-dereference", tree, unpacked], check=True)
    assert (unpacked / "tool").stat().st_ino == (unpacked / "same").stat().st_ino
    assert os.access(unpacked / "tool", os.X_OK)
    assert (unpacked / "sub").stat().st_mtime == 1_600_000_000
    assert (unpacked / "sub" / "empty").is_dir()


def test_it_says_what_gnu_tar_says_when_told_to_be_reproducible(tree, tmp_path, normalize):
    """The listing equals that of the options which the reproducible-builds documentation recommends."""
    make(tmp_path / "one.tar", tree)
    fixed = ["--sort=name", "--mtime=@1600000000", "--owner=0", "--group=0", "--numeric-owner", "--mode=go=rX,u+rw"]
    make(tmp_path / "two.tar", tree, "--format=posix", *fixed)
    normalize(tmp_path / "one.tar")

    def listing(name):
        command = ["tar", "--numeric-owner", "--full-time", "-tvf", tmp_path / name]
        lines = subprocess.run(command, check=True, capture_output=True).stdout.splitlines()
        return sorted(line for line in lines if not line.startswith(b"l"))  # tar --mode changes symlinks too

    assert listing("one.tar") == listing("two.tar")


@pytest.mark.parametrize("format", FORMATS)
def test_every_dialect_is_known(tmp_path, normalize, format):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a").write_text("a")
    make(tmp_path / "x.tar", tmp_path / "tree", f"--format={format}")
    normalize(tmp_path / "x.tar")
    with tarfile.open(tmp_path / "x.tar") as archive:
        assert archive.getnames() == ["tree", "tree/a"]
        assert archive.extractfile("tree/a").read() == b"a"


def test_the_header_has_no_trace_of_the_machine(tmp_path, normalize):
    headers = {"atime": "1.5", "ctime": "2.5", "SCHILY.xattr.user.colour": "red", "LIBARCHIVE.creationtime": "3"}
    info = member("a", b"a", mtime=1.25, uid=7, gid=8, uname="me", gname="us", mode=0o640, pax_headers=headers)
    normalize(write(tmp_path / "x.tar", info))
    with tarfile.open(tmp_path / "x.tar") as archive:
        found = archive.getmember("a")
    assert found.pax_headers == {"SCHILY.xattr.user.colour": "red"}
    assert (found.mtime, found.uid, found.gid, found.uname, found.gname) == (1_600_000_000, 0, 0, "", "")
    assert found.mode == 0o644


def test_the_commit_that_git_archive_stores_is_kept(tmp_path, git, normalize):
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "a").write_text("a")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        git(repository, *arguments)
    git(repository, "archive", "-o", "x.tar", "HEAD")
    normalize(repository / "x.tar")
    with (repository / "x.tar").open("rb") as file:
        found = subprocess.run(["git", "get-tar-commit-id"], stdin=file, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    "format", ["gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax --sparse-version=1.0"]
)
def test_a_sparse_file_keeps_its_content(tmp_path, normalize, format):
    (tmp_path / "tree").mkdir()
    with (tmp_path / "tree" / "sparse").open("wb") as file:
        for position in range(1, 8):
            file.seek(position << 20)
            file.write(b"data")
        file.truncate(9 << 20)
    content = (tmp_path / "tree" / "sparse").read_bytes()
    make(tmp_path / "x.tar", tmp_path / "tree", "--sparse", *f"--format={format}".split())
    assert (tmp_path / "x.tar").stat().st_size < 1 << 20
    normalize(tmp_path / "x.tar")
    with tarfile.open(tmp_path / "x.tar") as archive:
        assert archive.getnames() == ["tree", "tree/sparse"]
        assert archive.extractfile("tree/sparse").read() == content


def test_set_id_bits_are_content(tmp_path, normalize):
    normalize(
        write(tmp_path / "x.tar", member("su", b"x", mode=0o4511), member("tmp", type=tarfile.DIRTYPE, mode=0o1777))
    )
    with tarfile.open(tmp_path / "x.tar") as archive:
        assert [found.mode for found in archive] == [0o4755, 0o1755]


def test_devices_and_fifos_stay(tmp_path, normalize):
    device = member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
    normalize(write(tmp_path / "x.tar", member("pipe", type=tarfile.FIFOTYPE), device))
    with tarfile.open(tmp_path / "x.tar") as archive:
        null, pipe = archive
    assert null.ischr() and (null.devmajor, null.devminor) == (1, 3)
    assert pipe.isfifo()


def test_names_that_lead_out_stay_data_and_are_not_followed(tmp_path, normalize):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "x.tar", member("../evil", b"x"), member(f"{tmp_path}/evil", b"y"))
    normalize(tmp_path / "in" / "x.tar")
    with tarfile.open(tmp_path / "in" / "x.tar") as archive:
        assert archive.getnames() == ["../evil", f"{tmp_path}/evil"]
    assert not (tmp_path / "evil").exists()


def test_names_in_no_known_encoding_keep_their_bytes(tmp_path, normalize):
    raw = os.fsdecode(b"caf\xe9")
    normalize(write(tmp_path / "x.tar", member(raw, b"x"), format=tarfile.GNU_FORMAT))
    with tarfile.open(tmp_path / "x.tar") as archive:
        assert archive.getnames() == [raw]
    listed = subprocess.run(
        ["tar", "-tf", tmp_path / "x.tar", "--quoting-style=literal"], capture_output=True, check=True
    )
    assert listed.stdout == b"caf\xe9\n"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([member("a", b"1"), member("a", b"2")], "two members are named 'a'"),
        ([member("a", b"1"), member("./a", b"2")], "two members are named './a'"),
        ([member("a", type=tarfile.SYMTYPE, linkname="/etc"), member("a/b", b"x")], "'a/b' is below 'a'"),
        ([member("a", type=tarfile.LNKTYPE, linkname="b")], "hard link 'a' is not a file"),
        ([member("a", type=tarfile.LNKTYPE, linkname="a")], "hard link 'a' is not a file"),
        (
            [member("a", type=tarfile.LNKTYPE, linkname="d"), member("d", type=tarfile.DIRTYPE)],
            "hard link 'a' is not a file",
        ),
        ([member("a", type=b"V")], "unknown type"),
        (
            [member("a", type=tarfile.SYMTYPE, linkname="b", pax_headers={"size": "5"})],
            "is not a file, but has content",
        ),
        ([member("usr/.wh.gone", b"")], "container layer"),
    ],
)
def test_what_is_not_safe_is_refused(tmp_path, normalize, members, words):
    path = write(tmp_path / "x.tar", *members)
    before = path.read_bytes()
    with pytest.raises(NormalizationError, match=words):
        normalize(path)
    assert path.read_bytes() == before


def test_a_member_behind_a_damaged_header_is_not_lost(tmp_path, normalize):
    path = write(tmp_path / "x.tar", member("a", b"1"), member("b", b"2"))
    content = bytearray(path.read_bytes())
    content[1024] ^= 1
    path.write_bytes(content)
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["a"]  # tarfile takes it for the end
    with pytest.raises(NormalizationError, match="damaged header"):
        normalize(path)


@pytest.mark.parametrize("length", [1024, 1536, 2048 + 512])
def test_an_archive_without_its_end_mark_is_refused(tmp_path, normalize, length):
    path = write(tmp_path / "x.tar", member("a", b"1"), member("b", b"2"))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(NormalizationError):
        normalize(path)


def with_negative_size(**fields):
    """A good member, and one whose size of -1024 bytes leads back to the first."""
    info, _ = member("a", **fields)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xfc\x00"  # in base 256
    header[483:495] = b"00000003000\0"  # the full size, when it is sparse
    header[148:156] = b"%06o\0 " % sum(header[:148] + b" " * 8 + header[156:])
    return tarfile.TarInfo("good").tobuf(tarfile.GNU_FORMAT) + bytes(header) + b"\0" * 10240


@pytest.mark.parametrize("type", [tarfile.REGTYPE, tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_negative_size_does_not_loop_for_ever(tmp_path, normalize, type):
    """CVE-2025-8194: tarfile walks backwards, for ever."""
    (tmp_path / "x.tar").write_bytes(with_negative_size(type=type))
    with pytest.raises(NormalizationError):
        normalize(tmp_path / "x.tar")


def test_a_sparse_bomb_is_refused(tmp_path, normalize):
    (tmp_path / "tree").mkdir()
    with (tmp_path / "tree" / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    make(tmp_path / "x.tar", tmp_path / "tree", "--sparse")
    with pytest.raises(NormalizationError, match="raise --max-size"):
        normalize(tmp_path / "x.tar")
