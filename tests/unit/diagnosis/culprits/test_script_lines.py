"""The line of a Makefile or script that runs a command, from made-up traces."""

import pytest

from pytest_ftc.diagnosis.culprits.make_variables import ask_for, find_variables
from pytest_ftc.diagnosis.culprits.script_lines import find_line
from pytest_ftc.model import Program, Trace

MAKEFILE = """CFLAGS ?= -g -O2
VERSION := $(shell date +%s)
prog: prog.c
	gcc $(CFLAGS) -c -o prog.o $(CURDIR)/prog.c
	@gcc $(CFLAGS) -o prog prog.o
%.o: %.c
	$(CC) $(CFLAGS) -c $< \\
		-Wall -o $@
x:
	$(CC) -o $@ $^
y: ; install -m 755 prog $(DESTDIR)/usr/bin/prog
# id -un
two:
	id -g > a
	id -g > b
	cc $(LDFLAGS) other.o -o other
"""
FUNCTIONS = """run-if = $(if $(shell which $1),$S $1 $2)
page.1: page.pod
	$(call run-if,pod2man,--section=1 --center="A Program" \\
		--release="$(VERSION)" $< >$@ && rm -f $<)
uninstall:
	@rm -fv $(foreach P,lib.dll $(PROGS) *.exe,"$(bindir)"/$P)
	@rm -fv $(filter-out $(KEPT),$(patsubst %.c,%.o,$(PROGS) x)) y
"""
SCRIPT = """#!/bin/sh
echo "#define V \\"built $(date -u +%F) on $(hostname)\\"" > $1
now=`id -un`
"""


def program(*argv: str, parent: int = 0) -> Program:
    return Program(pid=1, argv=argv, folder="/b", program=argv[0], parent=parent, exit_code=0)


def line(*argv: str, text: str = MAKEFILE, read: str = "/b/Makefile", make: tuple[str, ...] = ("make",)) -> str:
    programs = (program(*make, parent=-1), program(*argv))
    empty = {"written": (), "contents": (), "moved": (), "connected": (), "gaps": ()}
    trace = Trace(programs=programs, read=((0, read),), scripts=((read, text),), **empty)
    return find_line(trace, programs[1], "/b")


@pytest.mark.parametrize(
    ("argv", "number"),
    [
        (("gcc", "-g", "-O2", "-c", "-o", "prog.o", "/b/prog.c"), 4),
        (("/usr/bin/gcc", "-g", "-O2", "-o", "prog", "prog.o"), 5),
        (("cc", "-c", "a.c", "-Wall", "-o", "a.o"), 7),
        (("cc", "-o", "x", "a.o"), 10),
        (("install", "-m", "755", "prog", "/d/usr/bin/prog"), 11),
        (("date", "+%s"), 2),
    ],
)
def test_the_line_that_reads_like_the_command_is_found(argv, number):
    assert line(*argv) == f"Makefile:{number}"


def test_substitutions_of_a_script_are_commands():
    assert line("date", "-u", "+%F", text=SCRIPT, read="/b/tools/mk") == "tools/mk:2"
    assert line("hostname", text=SCRIPT, read="/b/tools/mk") == "tools/mk:2"
    assert line("id", "-un", text=SCRIPT, read="/b/tools/mk") == "tools/mk:3"


def test_no_line_is_named_that_may_be_another():
    assert line("id", "-un") == ""  # a comment
    assert line("id", "-g") == ""  # two lines alike
    assert line("cc", "-c", "a.c", text="x:\n\t$(CC) -o $@ $^\n") == ""  # the link, and not the compile
    assert line("gcc", "-o", "prog", "prog.o", text="x:\n\tgcc -shared -o prog prog.o\n") == ""
    assert line("date", "+%s", read="/usr/share/Makefile") == ""


SHAR = """FILES = a b
INSTALL = install -c
INSTALL_DATA = $(INSTALL) -m 644
install: x
	$(INSTALL_DATA) a $(DIR)
x.shar: $(FILES)
	$(SHAR) $(FILES) > x.shar
"""


@pytest.mark.parametrize(
    ("shar", "make", "number"),
    [
        ("SHAR = shar", ("make",), 8),
        ("SHAR = $(TOOL)\nTOOL = /usr/bin/shar -q", ("make",), 9),
        ("SHAR = tar", ("make", "-s", "SHAR=shar"), 8),
    ],
)
def test_a_variable_runs_the_program_that_it_holds(shar, make, number):
    assert line("shar", "a", "b", text=f"{shar}\n{SHAR}", make=make) == f"Makefile:{number}"
    assert line("install", "-c", "-m", "644", "a", "/d", text=f"{shar}\n{SHAR}", make=make) == f"Makefile:{number - 2}"


def test_a_variable_that_holds_another_program_does_not_run_it():
    literal = SHAR.replace("$(SHAR)", "shar")
    assert line("shar", "a", "b", text=literal) == "Makefile:7"
    assert line("shar", "a", "b", text=f"SHAR = tar\n{SHAR}") == ""
    assert line("shar", "a", "b", text="x:\n\tshar > x\n") == ""


def test_variables_that_hold_each_other_in_many_ways_are_each_looked_into_once():
    names = [f"V{number}" for number in range(60)]
    together = " ".join(f"$({name})" for name in names)
    variables = find_variables([*(f"{name} = {together}" for name in names), "LAST = $(V1) gcc"], [])
    assert ask_for("gcc", variables)("$(V0)") is None
    assert ask_for("gcc", variables)("$(LAST)") is True


def test_where_lines_fit_alike_none_is_named():
    twice = "x:\n\tshar $(A) > x\ny:\n\tshar $(B) > y\n"
    assert line("shar", "a", "b", text=twice) == ""
    either = "SHAR ?= tar\nx:\n\t$(SHAR) a $(B) > x\ny:\n\t$(OTHER) a $(B)\n"
    assert line("shar", "a", "b", text=either) == ""


def test_a_definition_runs_only_what_it_substitutes():
    for text in ("DATE != date +%s", "DATE := $(shell date +%s)", "DATE = `date +%s`"):
        assert line("date", "+%s", text=f"x:\n\techo\n{text}\n") == "Makefile:3"
    assert line("date", "+%s", text="DATE = date +%s\nx:\n\t$(DATE) > x\n") == ""
    assert line("sort", "a", text="LC_ALL= sort a\n", read="/b/build.sh") == "build.sh:1"


def test_arguments_of_a_function_of_make_may_be_a_command():
    words = ("--section=1", "--center=A Program", "--release=1.0", "page.pod")
    assert line("perl", "/usr/bin/pod2man", *words, text=FUNCTIONS) in ("", "Makefile:3")
    assert line("pod2man", *words, text=FUNCTIONS) == "Makefile:3"
    assert line("lib", *words, text=FUNCTIONS) == ""


def test_options_of_the_next_command_make_no_compile_of_this_one():
    page = "x.html: x.md\n\t@echo PANDOC $< -o $@; \\\n\t$(PANDOC) --standalone -c x.css $< -o $@; \\\n"
    assert line("gcc", "-MMD", "-g", "-o", "a.o", "-c", "a.c", text=page) == ""
