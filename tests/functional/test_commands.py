"""``ftc init``, ``ftc diff`` and ``ftc explain``."""

import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

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
    assert "not known yet" not in done.stdout


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
        (("diff", ".", "f"), "are not of one kind"),
        (("diff", "pipe", "pipe"), "pipe is no file, folder or symlink"),
        (("explain", "tyme"), "did you mean 'time'?"),
    ],
)
def test_bad_input_is_one_clear_error(ftc, tmp_path, arguments, told):
    (tmp_path / "f").write_text("")
    os.mkfifo(tmp_path / "pipe")
    done = ftc(*arguments)
    assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_a_hostile_archive_is_compared_all_the_same(ftc, tmp_path):
    for name, data in (("one.zip", b"a"), ("other.zip", b"b")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("../../\x1b[31mevil", data)
    done = ftc("diff", "one.zip", "other.zip")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout


def test_every_cause_is_explained(ftc):
    listed = ftc("explain").stdout.splitlines()
    assert len(listed) == 25
    told = ftc("explain", "fileordering").stdout
    assert "readdir" in told
    assert "https://reproducible-builds.org" in told


@pytest.mark.parametrize(
    ("files", "artifacts"),
    [
        ({"package.json": '{"name": "x", "version": "1.0.0"}'}, {"npm"}),
        ({"Cargo.toml": '[package]\nname = "x"\nversion = "1.0.0"\n'}, {"crate"}),
        ({"CMakeLists.txt": ""}, {"install"}),
        ({"meson.build": ""}, {"install"}),
        ({"docs/conf.py": ""}, {"docs"}),
        ({"debian/control": ""}, {"deb"}),
        ({"Makefile": "", "docs/conf.py": ""}, {"docs"}),
    ],
)
def test_a_configuration_fits_what_is_there(ftc, tmp_path, files, artifacts):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = ftc("init")
    assert done.returncode == 0
    assert set(tomllib.loads((tmp_path / "ftc.toml").read_text())["artifacts"]) == artifacts
    collected = subprocess.run([sys.executable, "-m", "pytest", "--ftc-verify", "--collect-only", "-q"], capture_output=True, text=True)  # fmt: skip
    assert {line.rpartition("::")[2] for line in collected.stdout.splitlines() if "::" in line} == artifacts


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
    assert (again.returncode, "configures pytest-ftc already" in again.stderr) == (1, True)
    assert (tmp_path / "pyproject.toml").read_text() == after
