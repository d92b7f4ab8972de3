"""Lines of Makefiles and scripts that stand for settings from outside."""

import json
import subprocess

import pytest

from pytest_ftc.verification.determinize.in_project.makefiles import (
    define_epoch,
    export,
    is_makefile,
    map_paths,
    set_epoch,
    sort_lists,
)


def run_make(folder, text: str, **variables: str) -> str:
    (folder / "Makefile").write_text(text)
    command = ["make", "-s", *(f"{name}={value}" for name, value in variables.items())]
    environment = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def run_shell(folder, text: str) -> str:
    environment = {"PATH": "/usr/bin:/bin"}
    command = ["/bin/sh", "-c", text]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_epoch_is_that_of_the_commit_or_1980(tmp_path):
    text = set_epoch("Makefile", "all:\n\techo $$SOURCE_DATE_EPOCH\n")
    assert run_make(tmp_path, text) == "315532800\n"
    assert run_shell(tmp_path, set_epoch("x.sh", "echo $SOURCE_DATE_EPOCH\n")) == "315532800\n"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    dated = {"GIT_COMMITTER_DATE": "1600000000 +0000", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path, env=dated, check=True)
    assert run_make(tmp_path, text) == "1600000000\n"
    assert run_make(tmp_path, text, SOURCE_DATE_EPOCH="7") == "7\n"
    assert run_shell(tmp_path, set_epoch("x.sh", "echo $SOURCE_DATE_EPOCH\n")) == "1600000000\n"


def test_the_epoch_is_defined_once_and_only_where_it_is_used():
    text = "#!/bin/sh\n# What it does.\nset -e\n\ndate -d @$SOURCE_DATE_EPOCH\n"
    once = define_epoch("build.sh", text)
    assert once.startswith("#!/bin/sh\n# What it does.\nset -e\n\nexport SOURCE_DATE_EPOCH=")
    assert define_epoch("build.sh", once) == once
    assert define_epoch("Makefile", "all:\n\techo\n") == "all:\n\techo\n"
    script = '{"scripts": {"build": "tar --mtime=@$SOURCE_DATE_EPOCH -cf out a"}}\n'
    assert define_epoch("build.yml", script) == script
    assert define_epoch("release", "#!/usr/bin/env bash\necho $SOURCE_DATE_EPOCH\n").count("export") == 1
    own = "SOURCE_DATE_EPOCH ?= 5\nall:\n\techo $(SOURCE_DATE_EPOCH)\n"
    assert define_epoch("Makefile", own) == own


def test_a_script_of_npm_works_with_and_without_the_epoch(tmp_path):
    script = '{"scripts": {"build": "echo @$SOURCE_DATE_EPOCH"}}\n'
    made = define_epoch("app/package.json", script)
    assert define_epoch("app/package.json", made) == made
    command = json.loads(made)["scripts"]["build"]
    assert run_shell(tmp_path, command) == "@315532800\n"
    assert run_shell(tmp_path, f"SOURCE_DATE_EPOCH=7; {command}") == "@7\n"
    own = script.replace("echo", "SOURCE_DATE_EPOCH=5; echo")
    assert define_epoch("app/package.json", own) == own


@pytest.mark.parametrize("value", ["0", "-a $x#y", "a'b", 'a"b', "x y", "--mtime=@$SOURCE_DATE_EPOCH"])
def test_an_exported_value_reaches_commands_as_it_is(tmp_path, value):
    expected = value.replace("$SOURCE_DATE_EPOCH", "315532800") + "\n"
    made = define_epoch("Makefile", export("Makefile", "all:\n\tprintenv V\n", "V", value))
    assert run_make(tmp_path, made) == expected
    assert run_shell(tmp_path, define_epoch("x.sh", export("x.sh", "printenv V\n", "V", value))) == expected


def test_the_option_for_paths_follows_the_flags_and_replaces_none(tmp_path):
    text = map_paths("CFLAGS = -O2 \\\n  -g\nall:\n\t@echo $(CFLAGS)\n", "CFLAGS")
    assert text == 'CFLAGS = -O2 \\\n  -g\nCFLAGS += "-ffile-prefix-map=$(CURDIR)=."\nall:\n\t@echo $(CFLAGS)\n'
    assert run_make(tmp_path, text) == f"-O2 -g -ffile-prefix-map={tmp_path}=.\n"
    assert map_paths("all:\n", "CFLAGS").startswith("CFLAGS += ")


def test_lists_of_files_are_sorted_once():
    text = "A = $(wildcard *.c)\nB = $(sort $(shell find . -name '*.c'))\nC = $(filter-out x,$(wildcard $(D)/*.c))\n"
    expected = "A = $(sort $(wildcard *.c))\nB = $(sort $(shell find . -name '*.c'))\nC = $(filter-out x,$(sort $(wildcard $(D)/*.c)))\n"
    assert sort_lists(text) == expected
    assert sort_lists(expected) == expected
    assert sort_lists("A = $(wildcard *.c") == "A = $(wildcard *.c"


def test_makefiles_are_known_by_their_names():
    assert all(map(is_makefile, ["Makefile", "a/GNUmakefile", "rules.mk"]))
    assert not any(map(is_makefile, ["build.sh", "Makefile.am", "Makefile.in"]))
