"""The wrappers of compilers that remedies put in PATH, in a folder with a space, under a narrow umask."""

import os
import subprocess

import pytest

from pytest_ftc.diagnosis.remedies import catalogue

MAKEFILE = """\
CFLAGS = -g -O2
prog: prog.c
\t$(CC) --version > /dev/null
\t$(CC) $(CFLAGS) -c -o prog.o "$(CURDIR)/prog.c"
\t$(CC) $(CFLAGS) -o prog prog.o
"""
SOURCE = """\
#include <stdio.h>
static int twice(int n) { return 2 * n; }
#ifdef __OPTIMIZE__
int main(void) { return printf("optimised %s\\n", __FILE__) < twice(0); }
#else
int main(void) { return printf("SLOW %s\\n", __FILE__) < twice(0); }
#endif
"""
# As ccache does when it is called by a compiler's name: it runs the next one of that name in PATH, except itself.
MASQUERADING = """\
#!/bin/sh
own=$(dirname "$0")
PATH=$(printf %s "$PATH" | tr : '\\n' | grep -vxF "$own" | paste -sd:)
test -z "$CALLED" || { echo "recursive invocation" >&2; exit 1; }
CALLED=1 exec gcc "$@"
"""


def before(flag):
    return next(one.before for one in catalogue() if flag in one.summary and one.before)


@pytest.fixture
def build(tmp_path):
    project, tools = tmp_path / "my project", tmp_path / "tools"
    project.mkdir()
    tools.mkdir()
    (project / "prog.c").write_text(SOURCE)
    (project / "Makefile").write_text(MAKEFILE)
    for name, text in (("masquerading/gcc", MASQUERADING), ("prefix/ccache", '#!/bin/sh\nexec "$@"\n')):
        (tools / name).parent.mkdir()
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)

    def run(flag, command, first="prefix"):
        script = f"set -e\numask 077\n{before(flag)}\n(\n{command}\n)"
        environment = {**os.environ, "PATH": f"{tools / first}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
        done = subprocess.run(["sh", "-c", script], cwd=project, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return project

    return run


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("make", "prefix"),
        ("make CC=gcc CFLAGS='-g -O2 -Wall'", "prefix"),
        ("make CC='ccache gcc'", "prefix"),
        ("make CC=gcc", "masquerading"),
        ("make -e CC=cc", "prefix"),
    ],
)
def test_the_path_is_mapped_and_the_flags_stay(build, command, first):
    project = build("-ffile-prefix-map", command, first)
    assert str(project).encode() not in (project / "prog").read_bytes()
    assert subprocess.run([project / "prog"], capture_output=True, text=True).stdout == "optimised ./prog.c\n"


def test_they_are_made_anew_and_may_be_used_again(build):
    build("-ffile-prefix-map", "make")
    project = build("-ffile-prefix-map", "make -B")
    assert str(project).encode() not in (project / "prog").read_bytes()


def test_another_build_of_the_same_user_at_the_same_time_changes_nothing(build):
    flag = "-ffile-prefix-map"
    project = build(flag, f"(mkdir ../other && cd ../other && {before(flag).strip()}\n)\nmake")
    assert str(project).encode() not in (project / "prog").read_bytes()


def test_each_source_has_a_seed_of_its_own_and_the_same_in_each_build(build):
    command = (
        'cp prog.c again.c; gcc -flto -c prog.c; gcc -flto -c -o a.o "$PWD/prog.c"; gcc -flto -c again.c; gcc --version'
    )
    project = build("-frandom-seed", command)
    sections = {
        name: subprocess.run(["readelf", "-SW", project / name], capture_output=True, text=True).stdout
        for name in ("prog.o", "a.o", "again.o")
    }
    names = {name: {word for word in text.split() if word.startswith(".gnu.lto_.")} for name, text in sections.items()}
    assert names["prog.o"] == names["a.o"]
    assert names["prog.o"] != names["again.o"]


def test_both_may_be_used_together(build):
    command = f'{before("-frandom-seed")}\ngcc -flto -g -c "$PWD/prog.c" && cp prog.o one.o && gcc -flto -g -c "$PWD/prog.c" && cmp prog.o one.o'
    project = build("-ffile-prefix-map", command)
    assert str(project).encode() not in (project / "prog.o").read_bytes()
