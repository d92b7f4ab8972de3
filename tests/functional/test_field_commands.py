"""The command that brought a value in is named, over all files, pipes and names that it passed, with its line."""

import json
import shutil
from pathlib import Path

import pytest
from one_run import verify_folder

LIBRARY = "int add(int a, int b) { return a + b; }\n"
PROGRAM = "int main(void) { return 0; }\n"
ONE_MAKEFILE = """CFLAGS ?= -g -O2
prog: prog.c
	gcc $(CFLAGS) -c -o prog.o $(CURDIR)/prog.c
	gcc $(CFLAGS) -o prog prog.o
install: prog
	mkdir -p dist
	cp -f prog dist/prog2
"""
AUTOTOOLS = """CC = gcc
CFLAGS ?= -g -O2
all: libfrob.a frob
frob.o: frob.c
	$(CC) $(CFLAGS) -c -o $@ @DIR@/frob.c
libfrob.a: frob.o
	ar rcsD $@ frob.o
frob: frob.o
	$(CC) -o $@ frob.o
install: all
	install -d $(DESTDIR)/usr/bin $(DESTDIR)/usr/lib
	install -m 755 frob $(DESTDIR)/usr/bin/frob
	install -m 644 libfrob.a $(DESTDIR)/usr/lib/libfrob.a
"""
FIRMWARE = """out/bios.bin: out/rom.o
	objcopy -O binary out/rom.o out/bios.raw
	cat out/bios.raw > out/bios.bin
out/rom.o: out/boot.o
	ld -r -o out/rom.o out/boot.o
out/boot.o: boot.c out/version.h
	gcc -include out/version.h -c -o out/boot.o boot.c
out/version.h: version.sh
	mkdir -p out
	sh version.sh out/version.h
"""
VERSION = '#!/bin/sh\necho "#define VERSION \\"built $(date +%s) on $(uname -n)\\"" > $1\n'
DATABASE = """import sqlite3, datetime
db = sqlite3.connect("x.db")
db.execute("create table meta(k text, v text)")
db.execute("insert into meta values('generated', ?)", (datetime.datetime.now().isoformat(),))
db.commit(); db.close()
"""
DUMP = """import sqlite3
print(*sqlite3.connect("x.db").iterdump())
"""
PACK = """import glob, zipfile
with zipfile.ZipFile("x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for name in sorted(glob.glob("pkg/*")):
        archive.writestr(zipfile.ZipInfo(name), open(name, "rb").read(), zipfile.ZIP_DEFLATED)
"""
PACK_TREE = """import glob, zipfile
with zipfile.ZipFile("x.zip", "w") as archive:
    for name in sorted(glob.glob("tree/*/*")):
        archive.write(name, name.replace("tree", "site"))
"""
COPY = """import shutil
shutil.copy("n.txt", "m.txt")
open("o.txt", "wb").write(open("m.txt", "rb").read())
"""
STAMPED = """import sys
open("o.txt", "w").write(f"built at {sys.argv[1]}\\n")
"""
WORDS = """print("enum word {", ", ".join({"one", "two", "three", "four", "five", "six", "seven", "eight"}), "};")
"""
ENUM = """#include "config.h"
#include "words.h"
int f(void) { return one * WIDTH; }
"""
EXPORTED = """export ID := $(shell date +%s)-$(shell uname -n)
all:
	$(MAKE) -s -f inner.mk
"""
INNER = """out.txt:
	echo "by $(ID)" > $@
"""
JOBS = """-include jobs.mk
out.txt: jobs.mk
	printf 'workers %s\\n' '$(WORKERS)' > $@
jobs.mk:
	nproc | tee jobs | sed 's/^/WORKERS = /' > $@
"""
LISTED = """FILES = README
LIST = stat -c %Y
INSTALL = install -c
out.txt: $(FILES)
	$(LIST) $(FILES) > $@
install:
	$(INSTALL) README $(DESTDIR)
"""
LINES = """out.txt:
	echo "by $$$$" > $@
	nproc >> $@
	ls -i README >> $@
"""
SPLIT = """import os, tempfile
os.mkdir("pkg")
os.close(tempfile.mkstemp(dir="pkg")[0])
"""
LIST = """import shutil, sys
shutil.copy("a.o", "b.o")
open("o.txt", "w").write(sys.argv[1] + "/b.o\\n")
"""
FRONTEND = """import os, shutil, subprocess, tempfile
work = tempfile.mkdtemp(prefix="build-")
shutil.copy("a.c", work)
subprocess.run(["sh", os.path.abspath("backend.sh"), os.getcwd()], cwd=work, check=True)
"""
OBJECT = """import os, sys
open(sys.argv[1] + ".o", "wb").write(bytes(range(32)) + 9 * sys.argv[1].encode() + os.getcwd().encode() + bytes(1))
"""
ARCHIVE = """with open("first.lib", "wb") as lib:
    lib.write(bytes(8))
    for name in ("one.o", "two.o"):
        lib.write(open(name, "rb").read())
    end = lib.tell()
    lib.seek(0)
    lib.write(b"LIB%05d" % end)
"""
TAKE = """import sys
open(sys.argv[1] + "/b.lib", "wb").write(open("first.lib", "rb").read())
"""
PAGE = """import os
os.system(f"cut -c1 names | sort > named/page-{os.getpid()}.txt")
"""
MUCH = "for one in $(seq 60); do head -c 600000 /dev/zero > pad; done;"
NESTED = (
    "mkdir img && tar cf img/in.tar README && tar --sort=name --mtime=@0 --owner=0:0 --group=0:0 --mode=0 -cf x.tar img"
)
PLAIN = "tar --mtime=@0 --owner=0:0 --group=0:0 --mode=0"
AWK = 'awk { print "name", $1 }'
BUILDS = {
    "compressed and put behind a script": (
        'echo hello > note && gzip -c note > part && { echo "#!/bin/sh"; cat part; } > demo.run', {}),
    "compiled and linked": ('gcc -g -c "$PWD/a.c" -o a.o && gcc -shared a.o -o a.so', {"a.c": LIBRARY}),
    "compiled by a relative name": ("cc $CFLAGS -g -c a.c -o a.o && cc -shared a.o -o a.so", {"a.c": LIBRARY}),
    "compiled by make and copied": ("make install", {"prog.c": PROGRAM, "Makefile": ONE_MAKEFILE}),
    "configured and installed": (
        'sed "s,@DIR@,$PWD,g" Makefile.in > Makefile && make && make install DESTDIR="$PWD/dist"',
        {"frob.c": PROGRAM, "Makefile.in": AUTOTOOLS}),
    "firmware": (
        "make", {"boot.c": "const char stamp[] __attribute__((section(\".text\"))) = VERSION;\n",
                 "Makefile": FIRMWARE, "version.sh": VERSION}),
    "a database that is dumped": (
        "python3 build.py && python3 dump.py > x.sql", {"build.py": DATABASE, "dump.py": DUMP}),
    "several append": ("date +%s > a.txt; echo hi; uname -n >> a.txt; id -un >> a.txt", {}),
    "through a pipe": ("pwd > out.txt && stat -c %Y README | md5sum >> out.txt", {}),
    "substituted": ('now=$(date +%s); echo "built $now" > out.txt', {}),
    "packed under its name": (
        "mkdir pkg; uname -n > pkg/host; echo x > pkg/other; python3 pack.py", {"pack.py": PACK}),
    "packed with its mode": (
        "mkdir -p tree/pkg; seq 3 > tree/pkg/numbers; touch -d @1000000000 tree/pkg/numbers; python3 pack.py", {"pack.py": PACK_TREE}),
    "copied by a script": ("date +%s > n.txt && python3 copy_.py", {"copy_.py": COPY}),
    "named by a digest": ("date +%s > f && mkdir named && cp f named/chunk-$(md5sum < f | cut -c1-12).js", {}),
    "given as an argument": ('V=$(date +%Y%m%d_%H%M%S); python3 stamped.py "$V"', {"stamped.py": STAMPED}),
    "told after much was written": (
        f'{MUCH} V=$(date +%Y%m%d_%H%M%S); python3 stamped.py "$V"', {"stamped.py": STAMPED}),
    "packed twice": (NESTED, {}),
    "of two files": ("date > h; date -u > d; cat h d > both; sha256sum both > out.txt", {}),
    "of two files that tell different things": (
        "uname -n > h; id -un > d; cat h d > both; sha256sum both > out.txt", {}),
    "an order that is compiled": (
        "echo '#define WIDTH 2' > config.h && python3 words.py > words.h && cc -O1 -c a.c -o a.o && cc -shared a.o -o a.so",
        {"a.c": ENUM, "words.py": WORDS}),
    "exported by make": ("make", {"Makefile": EXPORTED, "inner.mk": INNER}),
    "listed by a variable": ("make", {"Makefile": LISTED}),
    "a number that make includes": ("make", {"Makefile": JOBS}),
    "sorted before": (
        "sort names > s && awk '{ print \"name\", $1 }' s > out.txt", {"names": "b\nA\na\nB\nc\nD\nd\nC\n"}),
    "sorted and numbered": (
        "sed -n 's/^def //p' names > s && sort s | awk '{ print NR, $1 }' > out.txt",
        {"names": "def b\ndef A\nx\ndef a\ndef B\ndef c\ndef D\n"}),
    "named by who had a shell write it": (
        "mkdir named && python3 page.py", {"page.py": PAGE, "names": "b\na\n"}),
    "a file system that is filled": (
        "truncate -s 128K img && mkfs.vfat -n label img && mcopy -i img README :: && cp img disk.img", {}),
    "names of temporary files": (
        "python3 split.py && python3 pack.py", {"split.py": SPLIT, "pack.py": PACK}),
    "a list of what was copied": (
        'cc -g -c a.c -o a.o && python3 list_.py "$PWD"', {"a.c": LIBRARY, "list_.py": LIST}),
    "compiled in a random folder": (
        "python3 frontend.py", {"a.c": LIBRARY, "frontend.py": FRONTEND, "backend.sh": 'gcc -g -c a.c -o "$1/a.so"\n'}),
    "of several files in one": (
        'python3 object.py one && python3 object.py two && python3 archive.py && python3 take.py "$PWD"',
        {"object.py": OBJECT, "archive.py": ARCHIVE, "take.py": TAKE}),
    "packed in the order of a list": (
        f"find . -name '[a-e]' | grep . > list && {PLAIN} -cf x.tar -T list", dict.fromkeys("abcde", "x")),
    "packed in the order of arguments": (f"{PLAIN} -cf x.tar $(find . -name '[a-e]')", dict.fromkeys("abcde", "x")),
    "packed in the order of folders": (f"{PLAIN} -cf x.tar d", dict.fromkeys(["d/a", "d/b", "d/c", "d/d"], "x")),
    "linked and stripped": (
        'gcc -g -c "$PWD/a.c" -o a.o && gcc -shared -Wl,--build-id a.o -o a.so && strip a.so', {"a.c": LIBRARY}),
    "digits among lines": ("make", {"Makefile": LINES}),
    "named by the shell itself": (
        "d=$(date +%s%N | md5sum | cut -c1-12); mkdir named; echo x > named/app-$d.js", {}),
    "compressed objects in one": (
        "gcc -flto -O2 -c a.c && gcc -flto -O2 -c b.c && gcc-ar rcs all.a a.o b.o",
        {"a.c": LIBRARY, "b.c": LIBRARY.replace("add", "more") + "const char *when = __TIME__;\n"}),
    "units of one library": (
        # As libtool does, for an archive and for a library.
        ("for one in main more most; do gcc -g -c -o $one.a.o $one.c; gcc -g -c -fPIC $one.c; done; "
        "gcc -shared -o a.so main.o more.o most.o"),
        {"main.c": LIBRARY, "more.c": LIBRARY.replace("add", "more"), "most.c": LIBRARY.replace("add", "most")}),
    "a path to elsewhere that was lengthened": (
        'echo "see $(realpath --relative-to=. /usr/share/misc)/magic" > out.txt', {}),
}  # fmt: skip
CAN_MAKE_FAT = shutil.which("mkfs.vfat") and shutil.which("mcopy")
OUTPUTS = [
    "demo.run",
    "a.so",
    "dist",
    "out/bios.bin",
    "x.db",
    "x.sql",
    "a.txt",
    "out.txt",
    "x.zip",
    "x.tar",
    "o.txt",
    "named",
    "disk.img",
    "b.lib",
    "all.a",
]


@pytest.fixture(scope="module")
def verified(tmp_path_factory) -> dict[str, dict]:
    folder: Path = tmp_path_factory.mktemp("field") / "project"
    declared = []
    for number, (name, (build, files)) in enumerate(BUILDS.items()):
        if "mkfs" in build and not CAN_MAKE_FAT:
            continue
        source = folder / "src" / str(number)
        source.mkdir(parents=True)
        for path, text in {"README": "x\n", **files}.items():
            (source / path).parent.mkdir(exist_ok=True)
            (source / path).write_text(text)
        outputs = [path for path in OUTPUTS if path in build + "".join(files.values())]
        declared.append(
            f"[artifacts.{json.dumps(name)}]\nbuild = {json.dumps(build)}\n"
            f"outputs = {json.dumps(outputs)}\nsource = 'src/{number}'\n"
        )
    (folder / "ftc.toml").write_text("\n".join(declared))
    (folder / "pytest.ini").write_text("[pytest]\n")
    return verify_folder(folder)


def told(verified: dict[str, dict], name: str, cause: str, output: str = "") -> tuple[list[str], list[list[str]]]:
    """Return command and chain of the findings with this cause, each command by its first two words."""
    found = [one for one in verified[name]["findings"] if one["cause"] == cause and one["output"].startswith(output)]
    assert found, verified[name]
    shown = {(tuple(one["command"]), tuple(map(tuple, one.get("chain", ())))) for one in found}
    assert len(shown) == 1, shown
    command, chain = shown.pop()
    return list(command), [" ".join(argv[:2]) for argv in chain]


def lines(verified: dict[str, dict], name: str, cause: str) -> set[str]:
    return {one.get("command_line", "") for one in verified[name]["findings"] if one["cause"] == cause}


def test_a_time_in_a_header_is_the_compressors_and_not_that_of_what_copied_it(verified):
    command, chain = told(verified, "compressed and put behind a script", "time")
    assert command == ["gzip", "-c", "note"]
    assert chain == ["gzip -c", "cat part"]


def test_what_has_another_name_in_each_build_is_followed_too(verified):
    command, chain = told(verified, "named by a digest", "time")
    assert command == ["date", "+%s"]
    assert chain == ["date +%s", "cp f"]


@pytest.mark.parametrize("name", ["compiled and linked", "compiled by a relative name"])
def test_the_compile_is_named_and_not_the_link(verified, name):
    command, chain = told(verified, name, "build_path")
    assert "-c" in command
    assert len(chain) == 2


def test_the_line_of_the_makefile_is_shown(verified):
    command, chain = told(verified, "compiled by make and copied", "build_path", "dist/prog2")
    assert command[:5] == ["gcc", "-g", "-O2", "-c", "-o"]
    assert chain == ["gcc -g", "gcc -g", "cp -f"]
    assert lines(verified, "compiled by make and copied", "build_path") == {"Makefile:3"}


def test_the_line_is_that_whose_variable_holds_the_program(verified):
    assert told(verified, "listed by a variable", "source_mtime")[0] == ["stat", "-c", "%Y", "README"]
    assert lines(verified, "listed by a variable", "source_mtime") == {"Makefile:5"}


def test_what_was_installed_or_archived_was_compiled_first(verified):
    name = "configured and installed"
    assert told(verified, name, "build_path", "dist/usr/bin")[1] == ["gcc -g", "gcc -o", "install -m"]
    command, chain = told(verified, name, "build_path", "dist/usr/lib")
    assert "-c" in command
    assert chain == ["gcc -g", "ar rcsD", "install -m"]
    assert lines(verified, name, "build_path") == {"Makefile:5"}


def test_each_value_of_a_string_is_followed_through_a_generated_header(verified):
    for cause, first in (("time", ["date", "+%s"]), ("domain_host", ["uname", "-n"])):
        command, chain = told(verified, "firmware", cause)
        assert command == first
        assert [link.split()[0] for link in chain[1:]] == ["sh", "gcc", "ld", "objcopy", "cat"]
        assert lines(verified, "firmware", cause) == {"version.sh:2"}


def test_who_reads_a_database_did_not_write_it(verified):
    assert told(verified, "a database that is dumped", "time", "x.db") == (["python3", "build.py"], [])
    command, chain = told(verified, "a database that is dumped", "time", "x.sql")
    assert command == ["python3", "build.py"]
    assert chain == ["python3 build.py", "python3 dump.py"]


def test_each_line_is_of_the_command_that_appended_it(verified):
    for cause, command in (("time", "date"), ("domain_host", "uname"), ("user_group", "id")):
        assert told(verified, "several append", cause)[0][0] == command


def test_pipes_carry_values_too(verified):
    command, chain = told(verified, "through a pipe", "source_mtime")
    assert command == ["stat", "-c", "%Y", "README"]
    assert chain == ["stat -c", "md5sum"]
    assert told(verified, "through a pipe", "build_path")[0][0] == "/bin/sh"
    assert told(verified, "substituted", "time")[0] == ["date", "+%s"]


def test_what_is_packed_or_copied_by_a_script_was_written_before(verified):
    assert told(verified, "packed under its name", "domain_host")[0] == ["uname", "-n"]
    assert told(verified, "copied by a script", "time")[0] == ["date", "+%s"]


def test_a_mode_is_of_who_made_the_packed_file(verified):
    assert told(verified, "packed with its mode", "umask")[0] == ["seq", "3"]
    assert told(verified, "packed with its mode", "timezone")[0] == ["python3", "pack.py"]


def test_what_was_given_as_an_argument_is_of_who_made_it_and_the_zone_too(verified):
    for cause in ("time", "timezone"):
        command, chain = told(verified, "given as an argument", cause)
        assert command == ["date", "+%Y%m%d_%H%M%S"]
        assert chain == ["date +%Y%m%d_%H%M%S", "python3 stamped.py"]


def test_what_was_told_late_is_recorded_too(verified):
    assert told(verified, "told after much was written", "time")[0] == ["date", "+%Y%m%d_%H%M%S"]


def test_an_entry_of_an_archive_in_an_archive_is_of_who_made_the_inner_one(verified):
    for cause in ("user_group", "source_mtime", "source_mode"):
        assert told(verified, "packed twice", cause)[0] == ["tar", "cf", "img/in.tar", "README"]


def test_no_command_is_named_where_one_of_two_may_have_brought_the_value_in(verified):
    for finding in verified["of two files"]["findings"]:
        assert finding["command"] == []
        assert [" ".join(argv) for argv in finding["chain"]] == ["cat h d", "sha256sum both"]


def test_of_several_the_one_is_named_that_alone_can_tell_the_cause(verified):
    for cause, command in (("domain_host", "uname -n"), ("user_group", "id -un")):
        chain = told(verified, "of two files that tell different things", cause)[1]
        assert chain == [command, "cat h", "sha256sum both"]


def test_what_became_another_form_on_the_way_is_of_who_alone_can_have_made_it(verified):
    for finding in verified["an order that is compiled"]["findings"]:
        assert finding["command"][:2] == ["python3", "words.py"]
    command, chain = told(verified, "a number that make includes", "num_cpus")
    assert command == ["nproc"]
    assert chain[:3] == ["nproc", "tee jobs", "sed s/^/WORKERS = /"]
    assert told(verified, "sorted before", "locales") == (["sort", "names"], ["sort names", AWK])


def test_who_sorted_is_named_and_not_who_passed_the_lines_on(verified):
    command, chain = told(verified, "sorted and numbered", "locales")
    assert command == ["sort", "s"]
    assert chain == ["sort s", "awk { print NR, $1 }"]


def test_what_make_exports_is_of_who_told_it(verified):
    assert told(verified, "exported by make", "time")[0] == ["date", "+%s"]
    assert told(verified, "exported by make", "domain_host")[0] == ["uname", "-n"]


def test_the_name_of_a_packed_file_is_of_who_made_the_file(verified):
    assert told(verified, "names of temporary files", "random")[0] == ["python3", "split.py"]


def test_a_name_is_of_who_gave_it_to_a_shell_and_not_of_who_wrote_there(verified):
    command, chain = told(verified, "named by who had a shell write it", "pid")
    assert command == ["python3", "page.py"]
    assert chain == ["python3 page.py", "sort"]


@pytest.mark.skipif(not CAN_MAKE_FAT, reason="needs dosfstools and mtools")
def test_fields_of_a_file_system_are_of_who_made_it_and_entries_of_who_added_them(verified):
    name = "a file system that is filled"
    findings = [one for one in verified[name]["findings"] if one["cause"] == "time"]
    made = {one["command"][0] for one in findings if "label" in one["member"] or "volume ID" in one["location"]}
    added = {one["command"][0] for one in findings if one["member"] == "README"}
    assert (made, added) == ({"mkfs.vfat"}, {"mcopy"})


def test_who_was_given_a_path_did_not_have_it_from_what_it_copied(verified):
    assert told(verified, "a list of what was copied", "build_path", "o.txt")[0][:2] == ["python3", "list_.py"]


def test_the_name_of_a_random_folder_is_of_who_made_it_and_so_is_what_follows_from_it(verified):
    command, chain = told(verified, "compiled in a random folder", "random")
    assert command == ["python3", "frontend.py"]
    assert chain == ["python3 frontend.py", "gcc -g"]


def test_of_several_files_in_one_each_part_is_of_who_made_its_own(verified):
    found = sorted(verified["of several files in one"]["findings"], key=lambda one: one["location"])
    findings = [one for one in found if one["evidence"]["control"].startswith("/")]
    assert {one["cause"] for one in findings} == {"build_path"}
    assert [[argv[1] for argv in one["chain"]] for one in findings] == [
        ["object.py", "archive.py", "take.py"],
        ["object.py", "archive.py", "take.py"],
    ]
    assert [one["command"][2] for one in findings] == ["one", "two"]


@pytest.mark.parametrize("by", ["a list", "arguments"])
def test_the_order_in_an_archive_is_of_who_listed_what_was_packed(verified, by):
    command, chain = told(verified, f"packed in the order of {by}", "fileordering")
    assert command[:2] == ["find", "."]
    assert [link.split()[0] for link in chain] == ["find", *["grep"] * (by == "a list"), "tar"]


def test_an_archiver_that_lists_folders_itself_made_their_order(verified):
    assert told(verified, "packed in the order of folders", "fileordering")[0][0] == "tar"


def test_a_path_is_of_who_made_it_whatever_was_appended(verified):
    assert told(verified, "a path to elsewhere that was lengthened", "build_path")[0][0] == "realpath"


def test_the_digest_in_a_stripped_program_is_of_the_compile(verified):
    command, chain = told(verified, "linked and stripped", "build_path")
    assert command[:3] == ["gcc", "-g", "-c"]
    assert [link.split()[0] for link in chain] == ["gcc", "gcc"]


def test_a_value_as_short_as_a_digit_is_of_who_wrote_its_line(verified):
    assert told(verified, "digits among lines", "num_cpus")[0] == ["nproc"]
    assert told(verified, "digits among lines", "pid")[0][:2] == ["/bin/sh", "-c"]


def test_a_name_that_a_shell_gave_is_of_who_told_it(verified):
    assert told(verified, "named by the shell itself", "time")[0] == ["date", "+%s%N"]


def test_what_is_compressed_in_an_object_is_of_its_own_compile(verified):
    found = verified["compressed objects in one"]["findings"]
    paths = {(one["member"], one["command"][-1]) for one in found if one["cause"] == "build_path" and one["confirmed"]}
    assert paths == {("a.o", "a.c"), ("b.o", "b.c")}


def test_debug_data_of_a_unit_is_of_the_compile_of_its_source(verified):
    found = [one for one in verified["units of one library"]["findings"] if one["cause"] == "build_path"]
    places = [one for one in found if one["location"].startswith("ELF section .debug_info, byte ")]
    by_place = sorted((int(one["location"].partition("byte ")[2], 16), one["command"][-1]) for one in places)
    assert list(dict.fromkeys(source for _, source in by_place)) == ["main.c", "more.c", "most.c"], found
    assert all(one["chain"][0] == one["command"] and "-fPIC" in one["command"] for one in places)
