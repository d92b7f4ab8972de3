"""Which changes of the project's own files are tried, and how a build gets them."""

import subprocess

import pytest

from pytest_ftc.model import Artifact, Cause, Evidence, Finding
from pytest_ftc.verification.determinize.in_project import ProjectChange, propose
from pytest_ftc.verification.determinize.in_project.entry_file import entry_file
from pytest_ftc.verification.determinize.steps import Step


def make(source, build="make", **files: str) -> Artifact:
    for name, text in files.items():
        (source / name).write_text(text)
    return Artifact(id="x", name="x", build=build, outputs=("out",), source=source)


def found(cause: Cause, *command: str, line: str = "") -> Finding:
    evidence = Evidence(control="a", experiment="b")
    return Finding(
        output="out", member="", location="line 1", cause=cause, confirmed=True, evidence=evidence,
        command=command, command_line=line,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ("make", "Makefile"),
        ("CC=gcc make -j2 all && true", "Makefile"),
        ("make -C sub", ""),
        ("make -f other.mk", "other.mk"),
        ("sh -e build.sh now", "build.sh"),
        ("./build.sh", "build.sh"),
        (("make", "all"), "Makefile"),
        ("sh -c 'make'", ""),
        ("python3 gen.py; make", ""),
        ("", ""),
        ("echo 'unclosed", ""),
    ],
)
def test_the_entry_of_a_build_is_its_makefile_or_script(tmp_path, build, expected):
    has = {"Makefile", "build.sh", "other.mk"}.__contains__
    assert entry_file(make(tmp_path, build), has) == expected


def test_the_line_that_brings_a_cause_in_gets_its_options(tmp_path):
    artifact = make(tmp_path, Makefile="out:\n\ttar cf out \\\n\t  a b\n")
    proposal = propose(artifact, [found(Cause.USER_GROUP, "tar", "cf", "out", "a", "b", line="Makefile:2")], ())
    new = proposal.change().files["Makefile"][1]
    assert new == "out:\n\ttar --owner=0 --group=0 --numeric-owner -cf out \\\n\t  a b\n"
    assert "-\ttar cf out" in proposal.change().diff()


def test_a_setting_is_exported_by_the_entry_without_the_time_of_the_commit_as_a_number(tmp_path):
    artifact = make(tmp_path, Makefile="out:\n\techo > out\n")
    steps = [Step("set", "TAR_OPTIONS", "--mtime=@1600000000"), Step("after", "", "ftc normalize out")]
    new = propose(artifact, [found(Cause.TIME)], steps, 1600000000).change().files["Makefile"][1]
    assert "export TAR_OPTIONS := --mtime=@$(SOURCE_DATE_EPOCH)\n" in new
    assert "1600000000" not in new


def test_a_script_without_an_entry_needs_the_time_from_outside(tmp_path):
    artifact = make(tmp_path, "python3 gen.py > out", **{"gen.py": "import time\nprint(time.time())\n"})
    proposal = propose(artifact, [found(Cause.TIME, "python3", "/build/x/gen.py")], ())
    assert [step.name for step in proposal.steps] == ["SOURCE_DATE_EPOCH"]
    assert "SOURCE_DATE_EPOCH" in proposal.change().files["gen.py"][1]


def test_flags_of_the_compiler_are_extended_where_the_line_has_them(tmp_path):
    artifact = make(tmp_path, Makefile="CFLAGS = -O2\nout: a.c\n\t$(CC) $(CFLAGS) -c -o out a.c\n")
    new = propose(artifact, [found(Cause.BUILD_PATH, "cc", "-c", line="Makefile:3")], ()).change().files["Makefile"][1]
    assert new.startswith('CFLAGS = -O2\nCFLAGS += "-ffile-prefix-map=$(CURDIR)=."\n')
    assert "\t$(CC) $(CFLAGS) -c -o out a.c\n" in new


@pytest.mark.parametrize("text", ["\x1b[31m\n", "a\r\n", "x" * 50_000, "\u202e\n"])
def test_files_that_a_terminal_must_not_be_sent_and_large_ones_stay(tmp_path, text):
    artifact = make(tmp_path, Makefile=f"out:\n\ttar cf out a\n# {text}")
    assert propose(artifact, [found(Cause.USER_GROUP, "tar", "cf", line="Makefile:2")], ()).edits == ()


def test_links_and_files_outside_the_sources_stay(tmp_path):
    (tmp_path / "outside.mk").write_text("out:\n\ttar cf out a\n")
    source = tmp_path / "source"
    source.mkdir()
    (source / "Makefile").symlink_to("../outside.mk")
    for line in ("Makefile:2", "../outside.mk:2"):
        assert propose(make(source), [found(Cause.USER_GROUP, "tar", "cf", line=line)], ()).edits == ()


def test_a_build_gets_the_changed_file_with_its_time_and_mode(tmp_path):
    text = "echo 'a b' \"$x\" \\n % \\\\\n\tlast"
    artifact = make(tmp_path, "cat it's.sh", **{"it's.sh": "old"})
    file = tmp_path / "it's.sh"
    file.chmod(0o751)
    before = file.stat()
    changed = ProjectChange(files={"it's.sh": ("old", text)}).apply_to(artifact)
    subprocess.run(["/bin/sh", "-e", "-c", changed.before], cwd=tmp_path, check=True)
    after = file.stat()
    assert (file.read_text(), after.st_mode, after.st_mtime_ns) == (text, before.st_mode, before.st_mtime_ns)


CMAKE = "project(a C)\nadd_custom_command(OUTPUT out\n  COMMAND tar cf out a b)\n"


def test_a_command_of_cmake_is_found_where_the_line_that_is_named_was_generated(tmp_path):
    artifact = make(tmp_path, "cmake -B build", **{"CMakeLists.txt": CMAKE})
    command = ("/usr/bin/tar", "cf", "out", "a", "b")
    findings = [
        found(Cause.USER_GROUP, *command, line="build/CMakeFiles/a.dir/build.make:73"),
        found(Cause.SOURCE_MODE, *command, line="CMakeLists.txt:2"),
        found(Cause.BUILD_PATH, "cc", "-c", "a.c"),
    ]
    new = propose(artifact, findings, ()).change().files["CMakeLists.txt"][1]
    assert new == (
        'project(a C)\nadd_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")\nadd_custom_command(OUTPUT out\n'
        "  COMMAND tar --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX -cf out a b)\n"
    )


def test_a_change_that_defines_the_time_itself_needs_nothing_from_outside(tmp_path):
    artifact = make(tmp_path, "cmake -B build", **{"CMakeLists.txt": CMAKE})
    proposal = propose(artifact, [found(Cause.SOURCE_MTIME, "tar", "cf", "out", "a", "b")], ())
    assert proposal.steps == ()
    assert proposal.change().files["CMakeLists.txt"][1].startswith("if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})\n")


def test_several_commands_that_read_alike_are_left_alone(tmp_path):
    artifact = make(
        tmp_path, "cmake -B build", **{"CMakeLists.txt": f"{CMAKE}add_custom_target(b COMMAND tar cf out b)\n"}
    )
    assert propose(artifact, [found(Cause.USER_GROUP, "tar", "cf", "out", "a", "b")], ()).edits
    assert not propose(artifact, [found(Cause.USER_GROUP, "tar", "cf", "x")], ()).edits
    both = CMAKE.replace("out a b)", "${OUT})\nadd_custom_target(b COMMAND tar cf ${ALL})")
    artifact = make(tmp_path, "cmake -B build", **{"CMakeLists.txt": both})
    assert not propose(artifact, [found(Cause.USER_GROUP, "tar", "cf", "out", "a", "b")], ()).edits
