"""Ar archives, made and read by ar, gcc and dpkg-deb."""

import subprocess

import pytest

from pytest_ftc.model.errors import NormalizationError


def run(*command, cwd=None):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout


@pytest.fixture
def objects(tmp_path):
    """Three object files, one with a name that ar has to keep elsewhere."""
    names = ["one", "two", "a_name_longer_than_the_header_has_room_for"]
    for number, name in enumerate(names):
        (tmp_path / f"{name}.c").write_text(f"int f{number}(void) {{ return {number}; }}\n")
        run("gcc", "-c", f"{name}.c", cwd=tmp_path)
    (tmp_path / "odd.o").write_text("odd")
    (tmp_path / "one.o").chmod(0o755)
    return [f"{name}.o" for name in names] + ["odd.o"]


def test_it_becomes_what_ar_writes_when_told_to_be_deterministic(tmp_path, objects, normalize):
    run("ar", "rcU", "x.a", *objects, cwd=tmp_path)
    run("ar", "rcD", "deterministic.a", *objects, cwd=tmp_path)
    assert (tmp_path / "x.a").read_bytes() != (tmp_path / "deterministic.a").read_bytes()
    assert normalize(tmp_path / "x.a") == (tmp_path / "deterministic.a").read_bytes()


def test_the_order_of_members_stays_and_a_program_links(tmp_path, objects, normalize):
    run("ar", "rcU", "libx.a", *objects, cwd=tmp_path)
    normalize(tmp_path / "libx.a")
    assert run("ar", "t", "libx.a", cwd=tmp_path).split() == objects
    (tmp_path / "main.c").write_text("int f1(void); int main(void) { return f1() - 1; }\n")
    run("gcc", "main.c", "libx.a", "-o", "main", cwd=tmp_path)
    run(tmp_path / "main")


def test_a_debian_package_is_still_one(tmp_path, normalize):
    control = tmp_path / "root" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: x\n")
    (tmp_path / "root" / "file").write_text("content")
    run("dpkg-deb", "--root-owner-group", "--build", "root", "x.deb", cwd=tmp_path)
    listed = run("dpkg-deb", "--contents", "x.deb", cwd=tmp_path)
    members = run("ar", "t", "x.deb", cwd=tmp_path)
    content = normalize(tmp_path / "x.deb")
    assert content[24:36] == b"0           "
    assert run("ar", "t", "x.deb", cwd=tmp_path) == members
    assert run("dpkg-deb", "--contents", "x.deb", cwd=tmp_path) == listed
    assert "Package: x" in run("dpkg-deb", "--info", "x.deb", cwd=tmp_path)


def test_a_bsd_archive_keeps_the_names_in_its_data(tmp_path, normalize):
    head = b"%-16b%-12d%-6d%-6d%-8b%-10d`\n" % (b"#1/8", 1_700_000_000, 501, 20, b"100755", 10)
    (tmp_path / "x.a").write_bytes(b"!<arch>\n" + head + b"name.o\0\0xy")
    normal = b"%-16b%-12d%-6d%-6d%-8b%-10d`\n" % (b"#1/8", 0, 0, 0, b"644", 10)
    assert normalize(tmp_path / "x.a") == b"!<arch>\n" + normal + b"name.o\0\0xy"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"!<thin>\n", "thin ar archive"),
        (b"!<arch>\nshort", "damaged or cut short"),
        (b"!<arch>\n" + b"%-16b%-12d%-6d%-6d%-8b%-10d`\n" % (b"a/", 0, 0, 0, b"644", 9) + b"x", "'a/' .* is cut short"),
        (b"!<arch>\n" + b"%-16b%-12d%-6d%-6d%-8b%-10b`\n" % (b"a/", 0, 0, 0, b"644", b"-4"), "has the size '-4'"),
        (b"!<arch>\n" + b"%-16b%-12d%-6d%-6d%-8b%-10d`\n" % (b"a/", 0, 0, 0, b"644", 1) + b"xy" + b"z" * 60, "longer"),
    ],
)
def test_a_damaged_archive_is_refused(tmp_path, normalize, content, words):
    (tmp_path / "x.a").write_bytes(content)
    with pytest.raises(NormalizationError, match=words):
        normalize(tmp_path / "x.a")
