"""Commands in files of CMake and Meson."""

import pytest

from pytest_ftc.model import Cause
from pytest_ftc.verification.determinize.in_project.build_files import (
    build_files,
    define_epoch_there,
    find_commands,
    find_most_like,
    map_paths_there,
)

CMAKE, MESON = "CMakeLists.txt", "lib/meson.build"
CAUSES = {Cause.SOURCE_MTIME, Cause.USER_GROUP}
NOW = "$ENV{SOURCE_DATE_EPOCH}"


def change(path, text, program, causes=CAUSES):
    (found,) = find_commands(path, text, program)
    return text.replace(found.text, found.change(program, causes))


@pytest.mark.parametrize(
    ("text", "program", "expected"),
    [
        (
            "execute_process(COMMAND date +%F OUTPUT_VARIABLE made)",
            "date",
            f"execute_process(COMMAND date -u -d @{NOW} +%F OUTPUT_VARIABLE made)",
        ),
        (
            'execute_process(COMMAND\n  date "+%H (now)")\nset(a b)',
            "date",
            f'execute_process(COMMAND\n  date -u -d @{NOW} "+%H (now)")\nset(a b)',
        ),
        ("execute_process(COMMAND date)", "date", f"execute_process(COMMAND date -u -d @{NOW})"),
        (
            "add_custom_command(OUTPUT a COMMAND tar cf a b\n  COMMAND gzip a)",
            "tar",
            f"add_custom_command(OUTPUT a COMMAND tar --mtime=@{NOW} --owner=0 --group=0 --numeric-owner -cf a b\n  COMMAND gzip a)",
        ),
        (
            "add_custom_command(COMMAND ar rcs $<TARGET_FILE:a> b)",
            "ar",
            "add_custom_command(COMMAND ar rcsD $<TARGET_FILE:a> b)",
        ),
    ],
)
def test_commands_of_cmake(text, program, expected):
    assert change(CMAKE, text, program) == expected


def test_a_variable_of_the_locale_is_set_by_cmake_itself_and_by_env_in_meson():
    causes = {Cause.LOCALES}
    assert (
        change(CMAKE, "execute_process(COMMAND sort a OUTPUT_FILE b)", "sort", causes)
        == "execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C sort a OUTPUT_FILE b)"
    )
    assert change(MESON, "run_command('sort', 'a')", "sort", causes) == "run_command('env', 'LC_ALL=C', 'sort', 'a')"


@pytest.mark.parametrize(
    ("text", "program", "expected"),
    [
        (
            "a = run_command('date', '+%F', check: true)",
            "date",
            "a = run_command('date', '-u', '-d', '@' + source_date_epoch, '+%F', check: true)",
        ),
        (
            "run_command(date, '+%F %T')",
            "date",
            "run_command(date, '-u', '-d', '@' + source_date_epoch, '+%F %T')",
        ),
        (
            "command : [\n  'tar', 'cf', '@OUTPUT@',\n  '-C', here],\n)",
            "tar",
            "command : [\n  'tar', '--mtime=@' + source_date_epoch, '--owner=0', '--group=0', '--numeric-owner', '-cf', '@OUTPUT@',\n  '-C', here],\n)",
        ),
        ("command: ['ar', 'rcs', 'a', b]", "ar", "command: ['ar', 'rcsD', 'a', b]"),
        ("command: ['gzip', files]", "gzip", "command: ['gzip', '-n', files]"),
        ("run_command('date')", "date", "run_command('date', '-u', '-d', '@' + source_date_epoch)"),
    ],
)
def test_commands_of_meson(text, program, expected):
    assert change(MESON, text, program) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (CMAKE, "# execute_process(COMMAND date)"),
        (CMAKE, "execute_process(COMMAND ${CMAKE_COMMAND} -E tar cf a b)"),
        (CMAKE, "execute_process(COMMAND update +%F)"),
        (CMAKE, "execute_process(COMMAND date +%F)\nexecute_process(COMMAND date +%F)"),
        (CMAKE, "execute_process(COMMAND date-of a)"),
        (MESON, "# run_command('date')"),
        (MESON, "run_command('update', 'date')"),
    ],
)
@pytest.mark.parametrize("program", ["date", "tar"])
def test_what_is_no_command_or_several_is_left_alone(path, text, program):
    assert find_commands(path, text, program) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["date", "+%T"], ("+%T",)),
        (["date", "-u", "+%F"], ("-u", "+%F")),
        (["date", "+%F"], ("+%F",)),
        (["date", "-R"], ("${FORM}",)),
    ],
)
def test_the_command_that_has_most_of_the_plain_words_is_the_one(command, expected):
    calls = ("date +%F", "date -u +%F", "date +%T OUTPUT_FILE a", "date ${FORM}")
    found = find_commands(CMAKE, "".join(f"execute_process(COMMAND {call})\n" for call in calls), "date")
    like = find_most_like(found, command)
    assert like and like.words == expected


def test_of_commands_that_read_alike_none_is_the_one():
    found = find_commands(CMAKE, "execute_process(COMMAND date ${A})\nexecute_process(COMMAND date ${B})", "date")
    assert len(found) == 2
    assert find_most_like(found, ["date", "+%F"]) is None
    assert find_most_like([], ["date"]) is None


def test_the_time_is_defined_once_where_it_is_used_only():
    text = f"# A project\ncmake_minimum_required(VERSION 3.18)\nexecute_process(COMMAND date -d @{NOW})\n"
    defined = define_epoch_there(CMAKE, text)
    assert defined.index("cmake_minimum_required") < defined.index("set(ENV{SOURCE_DATE_EPOCH}") < defined.index("-d @")
    assert define_epoch_there(CMAKE, defined) == defined
    text = "project('a',\n  'c')\nrun_command('date', '-d', '@' + source_date_epoch)\n"
    defined = define_epoch_there(MESON, text)
    assert defined.index("'c')") < defined.index("source_date_epoch = ") < defined.index("'-d'")
    assert define_epoch_there(MESON, defined) == defined
    for path in (CMAKE, MESON):
        assert define_epoch_there(path, "project(a)\n") == "project(a)\n"


def test_compilers_map_the_path_of_the_sources_unless_they_do_already():
    mapped = map_paths_there("project(a C)\nadd_library(a a.c)\n")
    assert (
        mapped == 'project(a C)\nadd_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")\nadd_library(a a.c)\n'
    )
    assert map_paths_there(mapped) == mapped


def test_files_in_folders_below_are_found_and_each_once():
    texts = {
        "CMakeLists.txt": 'add_subdirectory(lib)\nadd_subdirectory("doc" EXCLUDE_FROM_ALL)\nadd_subdirectory(missing)',
        "lib/CMakeLists.txt": "add_subdirectory(../lib)\nadd_subdirectory(${deep})",
        "doc/CMakeLists.txt": "",
        "meson.build": "subdir('src')",
        "src/meson.build": "subdir( '..' )",
        "other/CMakeLists.txt": "",
    }
    assert sorted(build_files(texts.get)) == ["CMakeLists.txt", "doc/CMakeLists.txt", "lib/CMakeLists.txt", "meson.build", "src/meson.build"]  # fmt: skip
    assert build_files({}.get) == []


def test_endless_folders_have_an_end():
    assert len(build_files(lambda path: "add_subdirectory(a)" if len(path) < 9999 else None)) == 64
