"""``ftc init``, ``ftc diff`` and ``ftc explain``."""

import json
import os
import struct
import subprocess
import sys
import tarfile
import zipfile

import pytest
from parquet_tables import data_page, numbers_table

from pytest_ftc.variations import CATALOGUE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def ftc(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "pytest_ftc", *arguments], capture_output=True, text=True)

    return run


def test_two_archives_differ_in_what_is_in_them(ftc, tmp_path):
    for name, mtime, mode in (("one.tar", 1_000_000_000, 0o644), ("other.tar", 1_100_000_000, 0o600)):
        with tarfile.open(tmp_path / name, "w") as archive:
            member = tarfile.TarInfo("a")
            member.mtime, member.mode = mtime, mode
            archive.addfile(member)
    done = ftc("diff", "one.tar", "other.tar")
    assert done.returncode == 1
    assert "one.tar and other.tar differ" in done.stdout
    assert "time (suspected)" in done.stdout
    assert "umask (suspected)" in done.stdout
    assert "2001-09-09 01:46:40" in done.stdout
    assert ": unknown" not in done.stdout


def test_two_folders_differ_in_files_and_their_contents(ftc, tmp_path):
    for name, text in (("one", "a"), ("other", "b")):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "same").write_text("")
        (tmp_path / name / "sub" / "file").write_text(f"{text}\n")
        (tmp_path / name / "link").symlink_to(text)
    (tmp_path / "other" / "more").write_text("")
    done = ftc("diff", "one", "other")
    assert done.returncode == 1
    for place in ("sub/file", "line 1", "link target", "more"):
        assert place in done.stdout
    assert "same" not in done.stdout


def test_numbers_of_a_table_are_told_by_column_and_row(ftc, tmp_path):
    for name, loss in (("one.parquet", 0.25), ("other.parquet", 0.5)):
        (tmp_path / name).write_bytes(numbers_table(data_page(struct.pack("<2d", 1, loss), 2)))
    done = ftc("diff", "one.parquet", "other.parquet")
    assert done.returncode == 1
    assert "one.parquet: parquet column x, row 1 (float64): unknown" in done.stdout
    assert "  control     0.25\n  experiment  0.5\n" in done.stdout
    assert "1 of 2 numbers differs; largest difference 0.25 at row 1 (0.25 and 0.5)" in " ".join(done.stdout.split())


def test_of_two_binaries_a_number_is_no_time(ftc, tmp_path):
    for name, number in (("one", 1.0), ("other", 1.1)):
        (tmp_path / name).write_bytes(bytes(range(128, 168)) + struct.pack("<d", number) + bytes(range(128, 168)))
    done = ftc("diff", "one", "other")
    assert ": unknown\n  why         only two files to compare" in done.stdout


def test_equal_things_are_identical(ftc, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    assert ftc("diff", "one", "other").stdout == "identical\n"
    assert ftc("diff", "one/file", "other/file").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("diff", "nothing", "f"), "nothing does not exist"),
        (("diff", "f", "dangling"), "dangling does not exist"),
        (("diff", ".", "f"), "are of different kinds"),
        (("diff", "pipe", "pipe"), "pipe is not a file, folder or symlink"),
        (("diff", "/dev/null", "f"), "/dev/null is not a file, folder or symlink"),
        (("diff", "/proc/self/mem", "f"), "/proc/self/mem cannot be read"),
        (("diff", "f"), "the following arguments are required: B"),
        (("explain", "tyme"), "did you mean 'time'?"),
        (("dif", "f", "f"), "there is no command 'dif'; did you mean 'diff'?"),
        (("store", "verfy"), "there is no command 'verfy'; did you mean 'verify'?"),
        (("xyzzy",), "there is no command 'xyzzy'; expected init, doctor"),
        ((), "required: COMMAND"),
    ],
)
def test_trouble_is_one_clear_line_and_status_2(ftc, tmp_path, arguments, told):
    (tmp_path / "f").write_text("")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    done = ftc(*arguments)
    assert (done.returncode, done.stdout, told in done.stderr) == (2, "", True), done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("one", "other", "cause"),
    [
        (b"else\n", b"bare\n", "unknown"),
        (b"built in /home/me/app now\n", b"built in /tmp/build/app now\n", "build_path"),
        (b"\0\1in /home/me/app\0", b"\0\1in /home/me/app/sub\0", "build_path"),
        (b"on 2024-01-02 03:04:05\n", b"on 2025-02-03 04:05:06\n", "time"),
    ],
)
def test_what_values_look_like_is_suspected_and_no_more(ftc, tmp_path, one, other, cause):
    (tmp_path / "a").write_bytes(one)
    (tmp_path / "b").write_bytes(other)
    told = json.loads(ftc("diff", "--json", "a", "b").stdout)
    assert {(finding["cause"], finding["confirmed"]) for finding in told["findings"]} == {(cause, False)}


def test_links_that_are_named_are_followed_and_a_file_is_the_same_as_itself(ftc, tmp_path):
    (tmp_path / "a").write_text("one\n")
    (tmp_path / "b").write_text("two\n")
    (tmp_path / "link").symlink_to("b")
    assert ftc("diff", "a", "a").stdout == "identical\n"
    assert ftc("diff", "b", "link").stdout == "identical\n"
    told = json.loads(ftc("diff", "--json", "a", "link").stdout)
    assert (told["identical"], [finding["cause"] for finding in told["findings"]]) == (False, ["unknown"])


def test_a_reader_that_has_seen_enough_is_no_trouble(ftc, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "import os, sys; os.close(0); from pytest_ftc.cli.main import main; r, w = os.pipe(); os.close(r); os.dup2(w, 1); sys.exit(main(['explain']))"],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (141, "")


def test_a_hostile_archive_is_compared_all_the_same(ftc, tmp_path):
    for name, data in (("one.zip", b"a"), ("other.zip", b"b")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("../../\x1b[31mevil", data)
    done = ftc("diff", "one.zip", "other.zip")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout


def test_every_cause_is_explained(ftc):
    listed = ftc("explain").stdout.splitlines()
    assert {line.split()[0] for line in listed} == {
        *(one.name for one in CATALOGUE),
        "random",
        "race",
        "duration",
        "unknown",
        "machine",
    }
    told = ftc("explain", "fileordering").stdout
    assert "readdir" in told
    assert "https://reproducible-builds.org" in told


@pytest.mark.parametrize(
    ("files", "artifacts"),
    [
        ({"package.json": '{"name": "x", "version": "1.0.0"}'}, {"npm"}),
        ({"go.mod": "", "hi.go": "// Hi.\npackage main\n", "lib.go": ""}, {"go"}),
        ({"go.mod": "", "lib.go": "package lib\n", "cmd/hi/main.go": "package main\n"}, {"go"}),
        ({"Cargo.toml": '[package]\nname = "x"\nversion = "1.0.0"\n'}, {"crate"}),
        ({"CMakeLists.txt": "", "meson.build": "", "Makefile": ""}, {"install", "install-2"}),
        ({"configure": "", "configure.ac": "", "Makefile": ""}, {"install"}),
        ({"configure.ac": ""}, {"install"}),
        ({"Makefile": "install: app\n\tcp app $(DESTDIR)/usr/bin\n"}, {"install"}),
        ({"meson.build": ""}, {"install"}),
        ({"docs/conf.py": ""}, {"docs"}),
        ({"debian/control": ""}, {"deb"}),
        ({"Makefile": "", "docs/conf.py": ""}, {"docs"}),
        ({"mkdocs.yml": "site_name: x\n"}, {"docs"}),
        ({"Makefile": "app: app.o\n\tcp app.o app\napp.o:\n\techo > app.o\n"}, {"make"}),
    ],
)
def test_a_configuration_fits_what_is_there(ftc, tmp_path, files, artifacts):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    done = ftc("init")
    assert done.returncode == 0
    assert set(tomllib.loads((tmp_path / "ftc.toml").read_text())["artifacts"]) == artifacts
    collected = subprocess.run([sys.executable, "-m", "pytest", "--ftc-verify", "--collect-only", "-q"], capture_output=True, text=True)  # fmt: skip
    assert {line.rpartition("::")[2] for line in collected.stdout.splitlines() if "::" in line} == artifacts


@pytest.mark.parametrize(
    ("backend", "marker"),
    [("mesonpy", "meson.build"), ("scikit_build_core.build", "CMakeLists.txt"), ("maturin", "Cargo.toml")],
)
def test_what_a_backend_builds_into_the_wheel_is_no_artifact_of_its_own(ftc, tmp_path, backend, marker):
    (tmp_path / "pyproject.toml").write_text(f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n')
    (tmp_path / marker).write_text('[package]\nname = "x"\n')
    assert "sdist, wheel can be verified now" in ftc("init").stderr
    assert tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["ftc"] == {}


def test_in_a_repository_of_several_projects_each_is_configured(ftc, tmp_path):
    for name, text in (
        ("libs/core/pyproject.toml", '[build-system]\nrequires = []\nbuild-backend = "x"\n'),
        ("libs/core/tests/data/go.mod", "module x\n"),
        ("apps/web/package.json", '{"name": "web", "version": "1"}'),
        ("apps/done/Makefile", "all:\n"),
        ("apps/done/ftc.toml", '[artifacts.a]\nbuild = "true"\noutputs = ["a"]\n'),
        ("node_modules/x/package.json", '{"name": "x"}'),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    done = ftc("init")
    assert (
        "written to ftc.toml, apps/web/ftc.toml, libs/core/pyproject.toml; apps/web:npm, libs/core:sdist" in done.stderr
    )
    assert tomllib.loads((tmp_path / "ftc.toml").read_text()) == {"discover": True}
    collected = subprocess.run([sys.executable, "-m", "pytest", "--ftc-verify", "--collect-only", "-q"], capture_output=True, text=True)  # fmt: skip
    assert sorted(line for line in collected.stdout.splitlines() if "::" in line) == [
        "apps/done/ftc.toml::ftc::a",
        "apps/web/ftc.toml::ftc::npm",
        "libs/core/pyproject.toml::ftc::sdist",
        "libs/core/pyproject.toml::ftc::wheel",
    ]
    assert ftc("init").returncode == 2


@pytest.mark.parametrize("marker", ["Makefile", "build.sh", "pom.xml", "nothing"])
def test_what_has_to_be_completed_is_a_comment(ftc, tmp_path, marker):
    (tmp_path / marker).write_text("")
    assert "complete an artifact there" in ftc("init").stderr
    text = (tmp_path / "ftc.toml").read_text()
    assert tomllib.loads(text) == {}
    complete = "\n".join(
        line.removeprefix("# ") if line.startswith(("# [", "# build =", "# outputs =")) else line
        for line in text.splitlines()
    )
    assert len(tomllib.loads(complete)["artifacts"]) == 1


def test_it_goes_into_pyproject_and_changes_nothing_that_is_there(ftc, tmp_path):
    before = (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n[project]\nname = "x"  # mine\n'
    )
    (tmp_path / "pyproject.toml").write_text(before)
    assert "sdist, wheel can be verified now" in ftc("init").stderr
    after = (tmp_path / "pyproject.toml").read_text()
    assert after.startswith(before)
    assert tomllib.loads(after)["tool"]["ftc"] == {}
    again = ftc("init")
    assert (again.returncode, "already configures pytest-ftc" in again.stderr) == (2, True)
    assert (tmp_path / "pyproject.toml").read_text() == after


def test_the_sdist_and_the_wheel_are_kept_beside_other_artifacts(ftc, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["setuptools"]\n')
    (tmp_path / "mkdocs.yml").write_text("site_name: x\n")
    assert "sdist, wheel, docs can be verified now" in ftc("init").stderr
    written = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["ftc"]["artifacts"]
    assert written["sdist"] == {"preset": "sdist"}
    assert written["wheel"] == {"preset": "wheel"}
    assert written["docs"]["outputs"] == ["site"]


def test_a_plain_makefile_is_tried_in_a_copy_to_see_what_it_makes(ftc, tmp_path):
    (tmp_path / "Makefile").write_text(
        "all:\n\techo > app; echo > app.o; mkdir -p lib; echo > 'lib/a[1].so'; touch .stamp; echo $(HOME) > /tmp/made\n"
    )
    told = ftc("init")
    assert "running make in a copy" in told.stderr
    assert "make can be verified now" in told.stderr
    written = tomllib.loads((tmp_path / "ftc.toml").read_text())["artifacts"]
    assert written == {"make": {"build": "make", "outputs": ["app", "lib/a[[]1].so"]}}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".pytest_cache") == ["Makefile", "ftc.toml"]


def test_what_is_written_for_a_makefile_is_verified_as_it_is(ftc, tmp_path):
    (tmp_path / "Makefile").write_text(
        "all:\n\techo built > app\ninstall: all\n\tinstall -D -m 644 app $(DESTDIR)/usr/share/app\n"
    )
    ftc("init")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--ftc-verify", "-p", "no:cacheprovider"], capture_output=True, text=True
    )
    assert (done.returncode, "reproducible  install" in done.stdout) == (0, True), done.stdout


def test_what_rustup_needs_from_outside_is_part_of_the_command(ftc, tmp_path, monkeypatch):
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "x"\nversion = "1.0.0"\n')
    (tmp_path / "home" / ".rustup").mkdir(parents=True)
    (tmp_path / "home" / ".cargo").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RUSTUP_HOME", raising=False)
    monkeypatch.setenv("CARGO_HOME", "/elsewhere")
    assert "crate can be verified now: RUSTUP_HOME=~/.rustup pytest --ftc-verify\n" in ftc("init").stderr


def test_a_configuration_without_artifacts_is_to_be_completed(ftc, tmp_path):
    (tmp_path / "build.sh").write_text("echo built > app\n")
    ftc("init")
    done = subprocess.run([sys.executable, "-m", "pytest", "--ftc-verify"], capture_output=True, text=True)
    assert done.returncode == 4
    assert "ftc.toml.  Complete one there" in done.stderr
    assert "ftc init" not in done.stderr


DPKG_BUILDPACKAGE = """#!/bin/sh
set -e
mkdir -p root/DEBIAN
sed 's/^Source:/Package:/' debian/control > root/DEBIAN/control
dpkg-deb --root-owner-group --build root ../x_1_all.deb
"""


def test_a_debian_package_is_built_where_the_folder_above_cannot_be_written(ftc, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "dpkg-buildpackage").write_text(DPKG_BUILDPACKAGE)
    (tmp_path / "bin" / "dpkg-buildpackage").chmod(0o755)
    project = tmp_path / "project"
    (project / "debian").mkdir(parents=True)
    (project / "debian" / "control").write_text(
        "Source: x\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n"
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(project)
    ftc("init")
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-diagnose=off", "-p", "no:cacheprovider"]
    told = subprocess.run(command, capture_output=True, text=True).stdout
    assert "unreproducible  deb: its output differs" in told, told  # by the times that dpkg-deb stores
