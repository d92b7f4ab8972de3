"""What counts as used beyond the declared inputs."""

from pathlib import Path

import pytest

from pytest_ftc.model import Action, BuildResult, BuildStatus, Environment, Program, Role, Trace, Tracing
from pytest_ftc.verification.hermeticity import find_outside_uses


def uses(*, environ: dict[str, str] | None = None, **recorded: object) -> tuple[str, ...]:
    action = Action(
        id="a",
        role=Role.CONTROL,
        command=("make",),
        snapshot=Path("/snapshot"),
        environment=Environment(
            build_path="/ftc-build-x/a",
            home="/ftc-home-x",
            temp_dir="/scratch",
            variables=environ or {"PATH": "/usr/bin"},
        ),
        described={},
        outputs=("out",),
        timeout=1,
        trace=Tracing.USES,
    )
    make = Program(pid=2, argv=("/usr/bin/make", "all"), folder="/", program="/usr/bin/make", parent=-1, exit_code=0)
    empty = {"read": (), "written": (), "contents": (), "moved": (), "connected": (), "gaps": ()}
    trace = Trace(**{"programs": (make,), **empty, **recorded})
    result = BuildResult(id="a", role=Role.CONTROL, environment={}, status=BuildStatus.OK, trace=trace)
    return find_outside_uses(action, result)


@pytest.mark.parametrize(
    "path",
    [
        "/ftc-build-x/a/main.c",
        "/ftc-home-x/.cache/x",
        "/scratch/cc1.s",
        "/tmp/cc1.s",
        "/usr/include/stdio.h",
        "/etc/ld.so.cache",
        "/dev/null",
        "/opt/tool/bin/tool",
        "/opt/tool/lib/tool/data",
        "/opt/scripts/run",
    ],
)
def test_own_files_tools_and_the_system_are_inside(path):
    assert uses(read=((0, path),), environ={"PATH": "/usr/bin:/opt/tool/bin:/opt/scripts"}) == ()


def test_folders_that_the_own_ones_lie_in_may_be_made():
    assert uses(written=((0, "/ftc-build-x"), (0, "/")), environ={"PATH": "/usr/bin"}) == ()
    assert uses(written=((0, "/ftc-build"),)) == ("make opened for writing /ftc-build",)


@pytest.mark.parametrize(
    "path",
    ["/home/me/notes", "/ftc-build-xy/a", "/ftc-build-x/ab", "/opt/tool/secret", "/var/lib/dpkg/status", "/usrlocal"],
)
def test_all_else_is_outside(path):
    assert uses(read=((0, path),), environ={"PATH": "/usr/bin:/opt/tool/bin"}) == (f"make read {path}",)


def test_a_home_is_not_inside_because_programs_lie_in_it():
    assert uses(read=((0, "/home/me/.netrc"),), environ={"PATH": "/home/me/bin"}) == ("make read /home/me/.netrc",)


def test_files_of_one_folder_are_told_in_one_sentence():
    read = tuple((0, f"/srv/data/{name}") for name in "dcba")
    assert uses(read=read) == ("make read 4 files in /srv/data: a, b, c, ...",)


def test_writing_outside_is_told_apart():
    assert uses(written=((0, "/srv/log"),)) == ("make opened for writing /srv/log",)


def test_random_devices_are_named():
    assert uses(read=((0, "/dev/urandom"), (0, "/dev/random"))) == ("make read /dev/urandom", "make read /dev/random")


def test_this_machine_is_no_network_but_its_name_server_is():
    addresses = ("127.0.0.1:8080", "[::1]:80", "127.0.0.53:53", "192.0.2.1:443", "[2001:db8::1]:443")
    assert uses(connected=tuple((0, address) for address in addresses)) == (
        "make tried to reach 127.0.0.53:53 (a name server)",
        "make tried to reach 192.0.2.1:443",
        "make tried to reach [2001:db8::1]:443",
    )


def test_a_program_that_is_not_known_is_said_to_be_one():
    assert uses(read=((-1, "/srv/x"),)) == ("a program read /srv/x",)


def test_gaps_are_told():
    assert uses(gaps=("strace is traced",)) == ("strace is traced",)


def test_a_build_that_could_not_be_traced_is_not_hermetic():
    action = Action(
        id="a", role=Role.CONTROL, command=("x",), snapshot=Path("/"), described={}, outputs=(), timeout=1,
        environment=Environment(build_path="/b", home="/h", temp_dir="/t"), trace=Tracing.USES,
    )  # fmt: skip
    result = BuildResult(
        id="a", role=Role.CONTROL, environment={}, status=BuildStatus.OK, not_followed="ptrace: not permitted"
    )
    (told,) = find_outside_uses(action, result)
    assert "ptrace: not permitted" in told


def test_what_is_listed_and_looked_at_outside_is_told_but_not_the_way_to_what_is_inside():
    outside = (
        ("/opt", "looked at"),
        ("/opt/adv", "folder"),
        ("/opt/adv/a", "looked at"),
        ("/opt/adv/b", "absent"),
        ("/opt/tool/lib/x", "looked at"),
        ("/usr/share", "folder"),
    )
    environ = {"PATH": "/usr/bin:/opt/tool/bin"}
    told = ("the build listed /opt/adv", "the build looked at /opt/adv/a")
    assert uses(outside=outside, environ=environ) == told
    assert uses(outside=outside[:1]) == ("the build looked at /opt",)


def test_random_bytes_are_told_but_not_of_what_seeds_itself_at_every_start():
    assert uses(random=(0,)) == ("make requested random bytes with getrandom(2)",)
    node = Program(pid=2, argv=("npm",), folder="/", program="/usr/bin/node", parent=-1, exit_code=0)
    assert uses(programs=(node,), random=(0,)) == ()
