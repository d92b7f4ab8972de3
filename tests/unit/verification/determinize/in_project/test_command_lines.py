"""Commands with the options that make their outputs reproducible."""

import pytest

from pytest_ftc.model import Cause
from pytest_ftc.verification.determinize.in_project.command_lines import add_options, may_help, sort_finds

EVERY = {Cause.TIME, Cause.USER_GROUP, Cause.FILEORDERING, Cause.UMASK}


@pytest.mark.parametrize(
    ("line", "program", "causes", "expected"),
    [
        (
            "tar czf x.tgz a",
            "tar",
            EVERY,
            "tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX -czf x.tgz a",
        ),
        ("tar -cf x a | gzip > y", "tar", {Cause.FILEORDERING}, "tar --sort=name -cf x a | gzip > y"),
        ("tar --sort=name -cf x a", "tar", {Cause.FILEORDERING}, "tar --sort=name -cf x a"),
        ("tar cfC x.tar folder a", "tar", EVERY, "tar cfC x.tar folder a"),
        ("cat a | gzip > y; gzip -9 z", "gzip", {Cause.TIME}, "cat a | gzip -n > y; gzip -n -9 z"),
        ("ar rcsU lib.a a.o", "ar", {Cause.TIME}, "ar rcsD lib.a a.o"),
        ("ar -cr lib.a a.o", "ar", {Cause.USER_GROUP}, "ar -crD lib.a a.o"),
        ("ar x lib.a", "ar", {Cause.TIME}, "ar x lib.a"),
        ("echo $(date)", "date", {Cause.TIME}, "echo $(date -u -d @$SOURCE_DATE_EPOCH)"),
        ("x=`date -u +%s`", "date", {Cause.TIME}, "x=`date -d @$SOURCE_DATE_EPOCH -u +%s`"),
        ("date -r file > x", "date", {Cause.TIME}, "date -r file > x"),
        ("date > x", "date", {Cause.LOCALES}, "LC_ALL=C date -u -d @$SOURCE_DATE_EPOCH > x"),
        ("update date-file mydate", "date", {Cause.TIME}, "update date-file mydate"),
        ("sort a > b", "sort", {Cause.LOCALES}, "LC_ALL=C sort a > b"),
        ("gcc -c a.c", "gcc", {Cause.BUILD_PATH}, 'gcc "-ffile-prefix-map=$PWD=." -c a.c'),
        ("zip -r x.zip a", "zip", {Cause.USER_GROUP}, "zip -X -r x.zip a"),
    ],
)
def test_a_command_of_a_script_gets_the_options_for_its_causes(line, program, causes, expected):
    assert add_options(line, program, causes, make=False) == expected


@pytest.mark.parametrize(
    ("line", "program", "causes", "expected"),
    [
        ("\t$(AR) rcU $@ $^", "ar", {Cause.TIME}, "\t$(AR) rcD $@ $^"),
        ("\t$(CC) -c $<", "cc", {Cause.BUILD_PATH}, '\t$(CC) "-ffile-prefix-map=$(CURDIR)=." -c $<'),
        ("S := $(shell date)", "date", {Cause.TIME}, "S := $(shell date -u -d @$(SOURCE_DATE_EPOCH))"),
        ("\t@tar cf $@ a", "tar", {Cause.TIME}, "\t@tar --mtime=@$(SOURCE_DATE_EPOCH) -cf $@ a"),
    ],
)
def test_a_command_of_a_makefile_has_variables_of_make(line, program, causes, expected):
    assert add_options(line, program, causes, make=True) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cat $(find d -type f) > o", "cat $(find d -type f | LC_ALL=C sort) > o"),
        ("find d | xargs cat > o", "find d | LC_ALL=C sort | xargs cat > o"),
        ("for f in `find d`; do", "for f in `find d | LC_ALL=C sort`; do"),
        ("cat $(find d | sort) > o", "cat $(find d | sort) > o"),
        ("find d | LC_ALL=C sort | xargs cat", "find d | LC_ALL=C sort | xargs cat"),
        ("find d -exec cat {} + > o", "find d -exec cat {} + > o"),
    ],
)
def test_what_find_lists_for_others_is_sorted(line, expected):
    line = f"\t{line}"
    assert sort_finds(line) == f"\t{expected}"


def test_options_are_only_known_for_the_causes_that_they_heal():
    assert may_help("tar", {Cause.TIME})
    assert may_help("gcc", {Cause.BUILD_PATH})
    assert not may_help("gcc", {Cause.TIME})
    assert not may_help("gzip", {Cause.USER_GROUP})
    assert not may_help("unknown", EVERY)
