"""Who made what others copied, from made-up traces; tests/functional/test_diagnosis.py has a real one."""

from pytest_ftc.diagnosis.culprits.origins import find_origin
from pytest_ftc.model import Program, Trace


def program(*argv: str) -> Program:
    return Program(pid=1, argv=argv, folder="/b", program=argv[0], parent=-1, exit_code=0)


LD, INSTALL, SED, OTHER, STAMP = PROGRAMS = (
    program("ld"),
    program("install"),
    program("sed"),
    program("python3", "-m", "installer"),
    program("stamp"),
)


def origin(start: Program, path: str, *, value="/b", beside=(), **recorded) -> str:
    empty = {"read": (), "written": (), "contents": (), "moved": (), "connected": (), "gaps": ()}
    trace = Trace(programs=PROGRAMS, **{**empty, **recorded})
    return find_origin(trace, start, path, value, beside).argv[0]


def index(one: Program) -> int:
    return PROGRAMS.index(one)


def test_who_made_what_was_installed_is_named():
    read, written = ((index(INSTALL), "/b/hi"),), ((index(LD), "/b/hi"), (index(INSTALL), "/b/dist/hi"))
    assert origin(INSTALL, "/b/dist/hi", read=read, written=written) == "ld"


def test_what_was_there_before_the_build_has_no_other_maker():
    read, written = ((index(INSTALL), "/b/hi"),), ((index(INSTALL), "/b/dist/hi"),)
    assert origin(INSTALL, "/b/dist/hi", read=read, written=written) == "install"


def test_who_changes_a_file_of_the_same_name_is_named_unless_the_value_was_there_already():
    read, written = ((index(SED), "/b/in/hi"),), ((index(STAMP), "/b/in/hi"), (index(SED), "/b/hi"))
    assert origin(SED, "/b/hi", read=read, written=written, contents=((index(STAMP), "/b/in/hi", "@DIR@"),)) == "sed"
    assert origin(SED, "/b/hi", read=read, written=written, contents=((index(STAMP), "/b/in/hi", "x /b"),)) == "stamp"


def test_copies_of_copies_are_followed_and_circles_end():
    read = ((index(INSTALL), "/b/two/hi"), (index(OTHER), "/b/one/hi"), (index(LD), "/b/three/hi"))
    written = ((index(INSTALL), "/b/three/hi"), (index(OTHER), "/b/two/hi"), (index(LD), "/b/one/hi"))
    contents = ((index(LD), "/b/one/hi", "/b"), (index(OTHER), "/b/two/hi", "/b"))
    assert origin(INSTALL, "/b/three/hi", read=read, written=written, contents=contents) == "ld"


def test_of_a_value_that_is_not_seen_in_what_was_written_those_beside_it_tell():
    read, written = ((index(OTHER), "/b/hi"),), ((index(LD), "/b/hi"), (index(OTHER), "/b/dist/hi"))
    contents = ((index(LD), "/b/hi", "at /b now"), (index(OTHER), "/b/dist/hi", "at /b now"))
    told = {"read": read, "written": written, "contents": contents, "value": "00 17"}
    assert origin(OTHER, "/b/dist/hi", **told) == "python3"
    assert origin(OTHER, "/b/dist/hi", beside=["/b"], **told) == "ld"
