"""Who wrote an output, from made-up traces; tests/functional/test_diagnosis.py has real ones."""

from pytest_ftc.diagnosis.culprits.commands import (
    COVERAGE,
    QT,
    describe_circumstances,
    find_culprit,
    find_given,
    find_source,
    is_made_in_parallel,
    name_tools,
)
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.model import Field, Place, Program, Trace

SHELL, DATE, TAR, MAKE, MV = range(5)


def program(*argv: str, parent: int = 0, **more) -> Program:
    return Program(
        pid=1,
        argv=argv,
        folder=more.get("folder", "/b"),
        program=argv[0],
        parent=parent,
        exit_code=more.get("exit_code", 0),
    )


PROGRAMS = (
    program("/bin/sh", "-c", "make", parent=-1),
    program("date", "+%s", parent=3),
    program("tar", "cf", "out", parent=3, folder="/b/sub"),
    program("make", "all"),
    program("mv", "tmp", "out"),
)


def culprit(path="/b/out", values=(), **recorded) -> str | None:
    empty = {"read": (), "written": (), "contents": (), "moved": (), "connected": (), "gaps": ()}
    found = find_culprit(Flow(Trace(programs=PROGRAMS, **{**empty, **recorded})), path, values)
    return found.argv[0] if found else None


def test_who_opened_it_wrote_it():
    assert culprit(written=((TAR, "/b/out"), (DATE, "/b/other"))) == "tar"


def test_nobody_wrote_what_nobody_opened():
    assert culprit(written=((TAR, "/b/other"),)) is None


def test_a_shell_that_redirects_is_not_the_writer():
    assert culprit(written=((SHELL, "/b/out"), (DATE, "/b/out"))) == "date"


def test_a_shell_that_writes_itself_is():
    assert culprit(written=((SHELL, "/b/out"),)) == "/bin/sh"


def test_of_several_writers_the_one_that_wrote_the_value_is_named():
    written = ((SHELL, "/b/out"), (DATE, "/b/out"), (TAR, "/b/out"))
    contents = ((DATE, "/b/out", "1795465794\n"), (TAR, "/b/out", "names"))
    assert culprit(written=written, contents=contents, values=["1795465794"]) == "date"


def test_the_compiler_is_named_and_not_its_stage():
    programs = (
        program("/bin/sh", parent=-1),
        program("gcc", "-o", "out"),
        program("/usr/lib/gcc/collect2", parent=1),
        program("/usr/bin/ld", parent=2),
        program("ld", "-o", "other"),
    )
    empty = {"read": (), "contents": (), "moved": (), "connected": (), "gaps": ()}
    trace = Trace(programs=programs, written=((3, "/b/out"), (4, "/b/other")), **empty)
    assert find_culprit(Flow(trace), "/b/out", ()) is programs[1]
    assert find_culprit(Flow(trace), "/b/other", ()) is programs[4]


def test_m4_is_named_where_a_script_runs_it_and_bison_where_bison_does():
    programs = (
        program("/bin/sh", parent=-1),
        program("bison", "-d", "p.y"),
        program("/usr/bin/m4", parent=1),
        program("m4", "page.m4"),
    )
    empty = {"read": (), "contents": (), "moved": (), "connected": (), "gaps": ()}
    trace = Trace(programs=programs, written=((2, "/b/p.h"), (3, "/b/page")), **empty)
    assert find_culprit(Flow(trace), "/b/p.h", ()) is programs[1]
    assert find_culprit(Flow(trace), "/b/page", ()) is programs[3]


def test_a_renamed_file_was_written_by_who_wrote_it_before():
    assert culprit(written=((TAR, "/b/tmp"),), moved=((MV, "/b/tmp", "/b/out"),)) == "tar"


def test_a_file_in_a_renamed_folder_too():
    moved = ((MV, "/b/tmp", "/b/dist"),)
    assert culprit("/b/dist/x/out", written=((TAR, "/b/tmp/x/out"),), moved=moved) == "tar"


def test_files_renamed_in_a_circle_end():
    assert culprit(moved=((MV, "/b/a", "/b/out"), (MV, "/b/out", "/b/a"))) == "mv"


def test_the_circumstances_name_the_folder_and_the_parents():
    trace = Trace(programs=PROGRAMS, read=(), written=(), contents=(), moved=(), connected=(), gaps=())
    told = describe_circumstances(trace, PROGRAMS[TAR], "/b")
    assert told == "in sub; started by make all; started by /bin/sh -c make"


def test_the_command_of_a_pipe_that_was_given_the_value_is_found():
    pipe = (
        program("/bin/sh", "-c", "...", parent=-1),
        program("sed", "s/@YEAR/2026/"),
        program("sed", "s/@VERSION/1.0/"),
    )
    trace = Trace(programs=pipe, read=(), written=(), contents=(), moved=(), connected=(), gaps=())
    assert find_given(trace, pipe[2], "2026\n") is pipe[1]
    assert find_given(trace, pipe[1], "2026") is None
    assert find_given(trace, pipe[2], "202") is None


def test_shells_beside_each_other_write_in_parallel_and_one_above_another_does_not():
    def shells(*parents_and_times):
        return tuple(
            Program(
                pid=1,
                argv=("/bin/sh", "-c"),
                folder="/b",
                program="sh",
                parent=parent,
                exit_code=0,
                began=began,
                ended=ended,
            )
            for parent, began, ended in parents_and_times
        )

    def parallel(programs):
        written = tuple((number, "/b/log") for number in range(1, len(programs)))
        trace = Trace(programs=programs, read=(), written=written, contents=(), moved=(), connected=(), gaps=())
        return is_made_in_parallel(Flow(trace), "/b/log", programs[-1], threads=False)

    assert parallel(shells((-1, 0, 9), (0, 1, 5), (0, 2, 6)))
    assert not parallel(shells((-1, 0, 9), (0, 1, 2), (0, 3, 6)))
    assert not parallel(shells((-1, 0, 9), (0, 1, 8), (1, 2, 6)))


def source(member: str, *, field=Field.CONTENT, format="text", value="1795465794", **recorded) -> str:
    empty = {"read": (), "written": (), "contents": (), "moved": (), "connected": (), "gaps": ()}
    leaf = Place(field=field, location="line 1", control=b"", experiment=b"", member=member, format=format)
    return find_source(Flow(Trace(programs=PROGRAMS, **{**empty, **recorded})), "/b/out.tar", leaf, [value])


MADE = ((DATE, "/b/version.txt"), (MV, "/b/stage/app/version.txt"), (TAR, "/b/out.tar"))


def test_what_is_in_an_archive_was_written_before_it_went_there():
    assert source("app/version.txt", written=MADE[:1] + MADE[2:]) == "/b/version.txt"
    assert source("app/other.txt", written=MADE) == "/b/out.tar"
    assert source("", written=MADE) == "/b/out.tar"


def test_of_files_of_one_name_the_first_that_was_written_the_value_counts_and_else_the_one_most_alike():
    contents = ((DATE, "/b/version.txt", "1795465794"), (MV, "/b/stage/app/version.txt", "1795465794"))
    assert source("app/version.txt", written=MADE, contents=contents) == "/b/version.txt"
    assert source("app/version.txt", written=MADE, contents=contents[1:]) == "/b/stage/app/version.txt"
    assert source("app/version.txt", written=MADE) == "/b/stage/app/version.txt"


def test_what_an_archive_says_of_its_member_the_archiver_wrote():
    assert source("app/version.txt", field=Field.MTIME, format="tar", written=MADE) == "/b/out.tar"


def test_a_file_that_was_renamed_is_known_by_its_new_name():
    written, moved = ((DATE, "/b/tmp.1"), (TAR, "/b/out.tar")), ((MV, "/b/tmp.1", "/b/version.txt"),)
    assert source("app/version.txt", written=written, moved=moved) == "/b/version.txt"


def test_of_files_of_one_name_the_one_that_the_packer_wrote_counts():
    path = "/b/lib"
    contents = ((DATE, "/tmp/1/lib.rmeta", path), (TAR, "/tmp/2/lib.rmeta", path))
    written = tuple((index, name) for index, name, _ in contents)
    own = {"written": (*written, (TAR, "/b/out.tar")), "contents": contents}
    assert source("lib.rmeta", value=path, **own) == "/tmp/2/lib.rmeta"


def test_a_compiler_that_records_coverage_is_told_from_others():
    programs = (
        program("make", parent=-1),
        program("gcc", "-O2", "-ftest-coverage", "-c", "a.c"),
        program("gcc", "a.o"),
    )
    trace = Trace(programs=programs, read=(), written=(), contents=(), moved=(), connected=(), gaps=())
    assert name_tools(trace, programs[1]) == ("gcc", "O2", "make", COVERAGE)
    assert name_tools(trace, programs[2]) == ("gcc", "a.o", "make")


def test_a_script_that_started_a_program_is_one_of_its_tools():
    programs = (program("make", parent=-1), program("/bin/sh", "/usr/bin/mvn", "package"), program("java", parent=1))
    trace = Trace(programs=programs, read=(), written=(), contents=(), moved=(), connected=(), gaps=())
    assert name_tools(trace, programs[2]) == ("java", "sh", "make", "mvn")


def test_a_program_that_loads_the_library_of_qt_is_told_from_others():
    programs = (program("make", parent=-1), program("python3", "-m", "PyQt5.pyrcc_main"), program("python3", "qt.py"))
    library = "/usr/lib/x86_64-linux-gnu/libQt5Core.so.5.15.8"
    read = ((1, library), (2, "/usr/lib/libQt5Xml.so.5"), (2, "/b/libQt5Core.txt"))
    trace = Trace(programs=programs, read=read, written=(), contents=(), moved=(), connected=(), gaps=())
    assert name_tools(trace, programs[1]) == ("python3", "m", "PyQt5.pyrcc_main", "make", QT)
    assert QT not in name_tools(trace, programs[2])
