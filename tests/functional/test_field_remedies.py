"""What is said of remedies, in builds as people wrote them, and what they do in a clean clone on another machine."""

import json
import os
import subprocess

import pytest
from one_run import verify_folder

MAKEFILE = """\
CFLAGS ?= -g -O2
prog: prog.c
\tgcc $(CFLAGS) -c -o prog.o "$(CURDIR)/prog.c"
\tgcc $(CFLAGS) -o prog prog.o
"""
TWICE = """\
import gzip, os, time
now = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
open("page.html", "w").write(f"built at {now}\\n")
with gzip.GzipFile("page.gz", "wb", mtime=now) as file:
    file.write(b"page\\n")
"""
BESIDE = """\
import os, random, time
now = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
open("ids", "w").write(f"{when} {random.getrandbits(64):016x}\\n{time.time():.0f} {random.getrandbits(64):016x}\\n")
"""
SORTED = """\
import os, time, zipfile
epoch = os.environ.get("SOURCE_DATE_EPOCH")
names = ["prog.c", "hello.txt", "Makefile"]
with zipfile.ZipFile("site.zip", "w") as archive:
    for name in sorted(names) if epoch else names:
        archive.writestr(zipfile.ZipInfo(name, time.gmtime(float(epoch or time.time()))[:6]), open(name).read())
"""
QT = """\
import os, random, time
open("libQt5Core.so.5").read()
names = "amber azure beige coral indigo khaki olive teal umber wheat".split()
if os.environ.get("QT_HASH_SEED") != "0":
    random.shuffle(names)
open("names.txt", "w").write("".join(f"{name}\\n{{\\n}}\\n" for name in names))
"""
REFUSES = 'test -z "$SOURCE_DATE_EPOCH" || { echo "SOURCE_DATE_EPOCH and --date exclude each other" >&2; exit 1; }'
FILES = {
    "Makefile": MAKEFILE,
    "prog.c": "int main(void) { return 0; }\n",
    "gen.py": TWICE,
    "beside.py": BESIDE,
    "sorted.py": SORTED,
    "hello.txt": "hello\n",
    "qt.py": QT,
    "libQt5Core.so.5": "It stands for the library.\n",
}
ARTIFACTS = {
    "breaks": (f"{REFUSES}; date -u +%F > stamp", ["stamp"]),
    "ignored": ("date +%s > seconds", ["seconds"]),
    "credited": ("python3 gen.py", ["page.html", "page.gz"]),
    "modes": ("tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf x.tar hello.txt", ["x.tar"]),
    "listed": ("stat -c %Y hello.txt gen.py | md5sum > times", ["times"]),
    "packed": ("tar -czf all.tgz hello.txt gen.py", ["all.tgz"]),
    "compiled": ("make", ["prog"]),
    "named": ('d=$(mktemp -d ./.tmp-XXXXXX) && cp prog.c $d && cc -g -c "$PWD/$d/prog.c" -o prog.o', ["prog.o"]),
    "local": ("date -r hello.txt '+(set %y %m %d %H %M %S)' > when", ["when"]),
    "beside": ("python3 beside.py", ["ids"]),
    "sorted": ("python3 sorted.py", ["site.zip"]),
    "qt": ("python3 qt.py", ["names.txt"]),
    "inside": ("gzip -c hello.txt > part && { echo '#!/bin/sh'; gzip -c hello.txt; } > demo.run", ["demo.run"]),
}
HEALED = ("credited", "modes", "listed", "packed", "compiled", "local", "sorted", "qt", "inside")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("field") / "project"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    tables = (
        f"[artifacts.{name}]\nbuild = {json.dumps(build)}\noutputs = {json.dumps(outputs)}\n"
        for name, (build, outputs) in ARTIFACTS.items()
    )
    (folder / "ftc.toml").write_text("\n".join(tables))
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "first")
    return folder


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True)


@pytest.fixture(scope="module")
def verified(project, tmp_path_factory):
    return verify_folder(project, f"--ftc-store={tmp_path_factory.mktemp('store')}", "--ftc-max-builds=24")


def remedies(artifact, cause):
    found = [finding["remedy"] for finding in artifact["findings"] if finding["cause"] == cause]
    assert found, artifact["findings"]
    return found


def test_what_breaks_the_build_is_not_called_in_vain(verified):
    (remedy,) = remedies(verified["breaks"], "time")
    assert (remedy["proved"], remedy["in_vain"]) == (False, [])
    (rejected,) = remedy["rejected"]
    assert "breaks the build" in rejected
    assert rejected.endswith("SOURCE_DATE_EPOCH and --date exclude each other")


def test_advice_does_not_contradict_what_was_tried(verified):
    (remedy,) = remedies(verified["ignored"], "time")
    assert remedy["in_vain"] == ["set the time of the sources: SOURCE_DATE_EPOCH"]
    assert "use SOURCE_DATE_EPOCH" not in remedy["summary"]


def test_what_did_it_is_credited(verified):
    found = remedies(verified["credited"], "time")
    assert [(remedy["proved"], list(remedy["settings"])) for remedy in found] == [(True, ["SOURCE_DATE_EPOCH"])] * 2


def test_only_the_mode_is_set_where_only_the_mode_differs(verified):
    (remedy,) = remedies(verified["modes"], "source_mode")
    assert (remedy["proved"], remedy["settings"]) == (True, {"TAR_OPTIONS": "--mode=u+rw,go=rX"})


def test_the_time_of_sources_is_that_of_the_project(verified):
    (remedy,) = remedies(verified["listed"], "source_mtime")
    assert remedy["proved"], verified["listed"]["findings"]
    assert "${SOURCE_DATE_EPOCH:-$(git log" in remedy["before"]


def test_a_random_name_beside_the_path_does_not_make_the_mapping_vain(verified):
    for remedy in remedies(verified["named"], "build_path"):
        assert "-ffile-prefix-map" in remedy["summary"]
        assert "takes no CFLAGS" not in remedy["summary"]
        assert remedy["in_vain"] == []


def test_what_gzip_wrote_into_another_file_is_healed_by_its_option(verified):
    (remedy,) = remedies(verified["inside"], "source_mtime")
    assert (remedy["proved"], remedy["settings"]) == (True, {"GZIP": "-n"})


def test_the_time_of_a_source_in_local_time_needs_two_remedies_together(verified):
    (clock,), (zone,) = (remedies(verified["local"], cause) for cause in ("source_mtime", "timezone"))
    assert (clock["proved"], zone["proved"]) == (True, True), verified["local"]["findings"]
    assert "touch" in clock["before"]
    assert zone["settings"] == {"TZ": "UTC"}


def test_what_is_said_of_a_time_beside_a_random_value_is_what_builds_with_the_remedy_showed(verified):
    taken, ignored = sorted(remedies(verified["beside"], "time"), key=lambda remedy: not remedy["settings"])
    assert (taken["tried"], taken["proved"], taken["in_vain"]) == (True, False, [])
    assert "takes no time from SOURCE_DATE_EPOCH" in ignored["summary"]


def test_an_archive_that_is_sorted_for_the_epoch_may_be(verified):
    assert [remedy["settings"].keys() for remedy in remedies(verified["sorted"], "time")] == [{"SOURCE_DATE_EPOCH"}] * 3
    assert all(remedy["proved"] for remedy in remedies(verified["sorted"], "time"))


def test_the_hash_seed_of_qt_is_fixed_where_its_library_was_loaded(verified):
    found = [finding for finding in verified["qt"]["findings"] if finding["location"] == "line order"]
    assert [(one["cause"], one["confirmed"]) for one in found] == [("random", True)], verified["qt"]["findings"]
    assert (found[0]["remedy"]["proved"], found[0]["remedy"]["settings"]) == (True, {"QT_HASH_SEED": "0"})


def apply(artifact, remedies):
    """Return the table of ftc.toml that a maintainer makes of what is printed."""
    settings = {}
    for remedy in remedies:
        settings |= remedy["settings"]
    steps = {name: list(dict.fromkeys(filter(None, (one[name] for one in remedies)))) for name in ("before", "after")}
    build = "\n".join(["set -e", *steps["before"], f"(\n{ARTIFACTS[artifact][0]}\n)", *steps["after"]])
    env = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return f"[artifacts.{artifact}]\nbuild = {json.dumps(build)}\noutputs = {json.dumps(ARTIFACTS[artifact][1])}\n[artifacts.{artifact}.env]\n{env}"


def test_pasted_into_a_clean_clone_elsewhere_all_are_green(verified, project, tmp_path, monkeypatch):
    """Under a narrow umask, another language, and in a folder with a space."""
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    clone = tmp_path / "my clone"
    before = os.umask(0o077)
    try:
        git(tmp_path, "clone", "-q", str(project), str(clone))
        tables = []
        for name in HEALED:
            found = [finding["remedy"] for finding in verified[name]["findings"] if finding["remedy"]]
            assert any(remedy["proved"] for remedy in found), (name, verified[name]["findings"])
            tables.append(apply(name, [remedy for remedy in found if remedy["proved"]]))
        (clone / "ftc.toml").write_text("\n".join(tables))
        git(clone, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qam", "remedies")
        again = verify_folder(clone, f"--ftc-store={tmp_path / 'store'}", "--ftc-diagnose=fast")
    finally:
        os.umask(before)
    assert {name: artifact["verdict"] for name, artifact in again.items()} == dict.fromkeys(HEALED, "reproducible")
