"""``ftc determinize --in-project``: a proved change of the project's own files."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("leaves_nothing_behind")

MAKEFILE = """CFLAGS = -O2 -g
STAMP := $(shell date +%Y-%m-%d)

dist/x.tar.gz: lib.a
	mkdir -p dist
	tar czf $@ a.c lib.a

lib.a: a.o
	ar rcsU $@ $<

a.o: a.c
	$(CC) $(CFLAGS) -DSTAMP='"$(STAMP)"' -c -o $@ $(abspath $<)
"""
SCRIPT = """#!/bin/sh
set -e
python3 gen.py > table.json
cat $(find data -type f) > all
"""
GENERATOR = '''"""Writes a table."""
import json
import os
from datetime import datetime

print(json.dumps({"made": datetime.now().isoformat(), "names": os.listdir("data")}))
'''


class Project:
    """A project in a git repository."""

    def __init__(self, folder: Path, **files: str) -> None:
        self.folder = folder
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.run("git", "init", "-q")
        self.commit()

    def commit(self) -> None:
        self.run("git", "add", ".")
        self.run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x")

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, input=text)

    def determinize(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "pytest_ftc", "determinize", *options)


def test_a_makefile_is_patched_where_settings_from_outside_are_not_enough(tmp_path):
    declared = '[artifacts.x]\nbuild = "make"\noutputs = ["dist/*.tar.gz", "lib.a"]\n'
    project = Project(tmp_path, **{"Makefile": MAKEFILE, "ftc.toml": declared})
    (tmp_path / "a.c").write_text("const char *f(void) { return __FILE__ STAMP; }\n")
    project.commit()
    done = project.determinize("--in-project")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# proved: x is reproducible with this, and not with less\n--- a/Makefile\n")
    added = {line[1:].strip() for line in done.stdout.splitlines() if line.startswith("+")}
    assert {
        "STAMP := $(shell date -u -d @$(SOURCE_DATE_EPOCH) +%Y-%m-%d)",
        'CFLAGS += "-ffile-prefix-map=$(CURDIR)=."',
        "ar rcsD $@ $<",
    } <= added
    assert not any("TAR_OPTIONS" in line for line in added)
    assert project.run("git", "apply", "-", text=done.stdout).returncode == 0
    assert "-O2 -g" in (tmp_path / "Makefile").read_text()
    project.commit()
    passed = project.run(sys.executable, "-m", "pytest", "--ftc-verify")
    assert passed.returncode == 0, passed.stdout
    assert (tmp_path / "ftc.toml").read_text() == declared


def test_scripts_are_changed_in_place_and_the_settings_stay_as_they_are(tmp_path):
    declared = '[artifacts.x]\nbuild = "./build.sh"\noutputs = ["all", "table.json"]\n'
    data = {f"data/{name}": name for name in "abcdefghij"}
    project = Project(tmp_path, **{"build.sh": SCRIPT, "gen.py": GENERATOR, "ftc.toml": declared}, **data)
    (tmp_path / "build.sh").chmod(0o755)
    project.commit()
    plain = project.determinize("x").stdout
    assert "or change the project itself" in plain
    assert "# +cat $(find data -type f | LC_ALL=C sort) > all" in plain.splitlines()
    done = project.determinize("--in-project", "--write")
    assert (done.returncode, "changed for x: build.sh, gen.py" in done.stderr) == (0, True), done.stderr
    assert '"names": sorted(os.listdir("data"))' in (tmp_path / "gen.py").read_text()
    assert (tmp_path / "build.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "ftc.toml").read_text() == declared
    project.commit()
    assert project.determinize().stdout == "# x is reproducible as it is\n"


def test_what_a_change_needs_from_outside_is_told_and_written_too(tmp_path):
    declared = '[artifacts.x]\nbuild = "python3 gen.py > out"\noutputs = ["out"]\n'
    generator = "import time\nprint(time.strftime('%Y-%m-%d %H:%M'))\n"
    project = Project(tmp_path, **{"gen.py": generator, "ftc.toml": declared})
    shown = project.determinize("--in-project")
    assert (shown.returncode, shown.stdout.splitlines()[:3]) == (
        0,
        [
            "# proved: x is reproducible with this, and not with less, beside these settings:",
            "# [artifacts.x]",
            '# source_date_epoch = "git"',
        ],
    )
    assert project.determinize("--in-project", "--write").returncode == 0
    assert 'source_date_epoch = "git"' in (tmp_path / "ftc.toml").read_text()
    project.commit()
    assert project.determinize().stdout == "# x is reproducible as it is\n"


def test_a_project_with_no_known_change_is_told_so(tmp_path):
    declared = '[artifacts.x]\nbuild = "python3 -c \'print(set(map(str, range(30))))\' > out"\noutputs = ["out"]\n'
    project = Project(tmp_path, **{"ftc.toml": declared})
    done = project.determinize("--in-project", "--write")
    assert (done.returncode, done.stdout) == (1, "")
    assert "x: no change of the project's own files is known" in done.stderr
    assert (tmp_path / "ftc.toml").read_text() == declared


CMAKE = """cmake_minimum_required(VERSION 3.18)
project(app NONE)
execute_process(COMMAND date +%Y-%m-%dT%H:%M:%S OUTPUT_VARIABLE made)
file(WRITE ${CMAKE_BINARY_DIR}/made.txt "${made}")
add_custom_target(archive ALL COMMAND tar cf data.tar -C ${CMAKE_SOURCE_DIR} data VERBATIM)
"""
MESON = """project('app')
made = run_command('date', '+%Y-%m-%d %H:%M:%S', check: true).stdout()
configure_file(output: 'made.txt', configuration: {'MADE': made.strip()})
custom_target('archive', output: 'data.tar', build_by_default: true,
  command: ['tar', 'cf', '@OUTPUT@', '-C', meson.current_source_dir(), 'data'])
"""


@pytest.mark.parametrize(
    ("path", "text", "build", "added"),
    [
        (
            "CMakeLists.txt",
            CMAKE,
            "cmake -B build && cmake --build build",
            {
                "execute_process(COMMAND date -u -d @$ENV{SOURCE_DATE_EPOCH} +%Y-%m-%dT%H:%M:%S OUTPUT_VARIABLE made)",
                (
                    "add_custom_target(archive ALL COMMAND tar --sort=name --mtime=@$ENV{SOURCE_DATE_EPOCH} --owner=0 "
                    "--group=0 --numeric-owner --mode=u+rw,go=rX -cf data.tar -C ${CMAKE_SOURCE_DIR} data VERBATIM)"
                ),
            },
        ),
        (
            "meson.build",
            MESON,
            "meson setup build && ninja -C build",
            {
                "made = run_command('date', '-u', '-d', '@' + source_date_epoch, '+%Y-%m-%d %H:%M:%S', check: true).stdout()",
                (
                    "command: ['tar', '--sort=name', '--mtime=@' + source_date_epoch, '--owner=0', '--group=0', "
                    "'--numeric-owner', '--mode=u+rw,go=rX', '-cf', '@OUTPUT@', '-C', meson.current_source_dir(), 'data'])"
                ),
            },
        ),
    ],
    ids=["cmake", "meson"],
)
def test_commands_of_cmake_and_meson_get_their_options(tmp_path, path, text, build, added):
    declared = f'[artifacts.x]\nbuild = "{build}"\noutputs = ["build/made.txt", "build/data.tar"]\n'
    data = {f"data/{name}": name for name in "abcdefgh"}
    project = Project(tmp_path, **{path: text, "ftc.toml": declared}, **data)
    done = project.determinize("--in-project", "--write")
    assert (done.returncode, f"changed for x: {path}" in done.stderr) == (0, True), done.stderr
    assert added <= {line.strip() for line in (tmp_path / path).read_text().splitlines()}
    assert (tmp_path / "ftc.toml").read_text() == declared
    project.commit()
    passed = project.run(sys.executable, "-m", "pytest", "--ftc-verify")
    assert passed.returncode == 0, passed.stdout
    assert (tmp_path / "ftc.toml").read_text() == declared
