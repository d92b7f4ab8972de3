"""``ftc determinize``: the smallest set of settings that makes an artifact reproducible."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.usefixtures("leaves_nothing_behind")

PROJECT = """
[artifacts.set]
build = "python3 -c 'print(set(map(str, range(30))))' > out"
outputs = ["out"]
[artifacts.object]
build = "make"
outputs = ["m.o"]
[artifacts.date]
build = "date +%s > out"
outputs = ["out"]
[artifacts.good]
build = "echo good > out"
outputs = ["out"]
[artifacts.broken]
build = "exit 3"
outputs = ["out"]
[artifacts.two]
build = "(python3 -c 'print(set(map(str, range(30))))'; LC_ALL=C date -u -d @${SOURCE_DATE_EPOCH:-$(date +%s)}) > out"
outputs = ["out"]
"""


@pytest.fixture
def determinize(tmp_path):
    (tmp_path / "ftc.toml").write_text(PROJECT)
    (tmp_path / "m.c").write_text("int main(void) { return 0; }\n")
    (tmp_path / "Makefile").write_text("m.o: m.c\n\t$(CC) -g $(CFLAGS) -c -o $@ m.c\n")

    def run(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest_ftc", "determinize", name]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run


def test_one_setting_is_enough_for_a_set(determinize):
    done = determinize("set")
    assert (done.returncode, tomllib.loads(done.stdout)) == (
        0,
        {"artifacts": {"set": {"env": {"PYTHONHASHSEED": "0"}}}},
    )


def test_two_causes_need_both_settings(determinize):
    done = determinize("two")
    settings = tomllib.loads(done.stdout)["artifacts"]["two"]["env"]
    assert (done.returncode, settings.keys()) == (0, {"PYTHONHASHSEED", "SOURCE_DATE_EPOCH"})


def test_what_needs_the_build_path_becomes_part_of_the_command_and_what_is_printed_works(determinize, tmp_path):
    done = determinize("object")
    table = tomllib.loads(done.stdout)["artifacts"]["object"]
    assert done.returncode == 0
    assert "-ffile-prefix-map=$PWD=." in table["build"]
    (tmp_path / "ftc.toml").write_text(f"[artifacts.object]\noutputs = ['m.o']\nbuild = '''{table['build']}'''\n")
    assert determinize("object").stdout == "# object is reproducible as it is\n"


def test_a_python_project_without_configuration_gets_one_that_works(tmp_path):
    project = tmp_path / "project"
    shutil.copytree(Path(__file__).parents[2] / "fixtures" / "wheel-setuptools", project)

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", *command], cwd=project, capture_output=True, text=True)

    printed = run("pytest_ftc", "determinize", "wheel")
    assert printed.returncode == 0, printed.stdout + printed.stderr
    table = tomllib.loads(printed.stdout)["tool"]["ftc"]["artifacts"]["wheel"]
    assert table["preset"] == "wheel"
    with (project / "pyproject.toml").open("a") as file:
        file.write(f"\n{printed.stdout}")
    (project / "pytest.ini").write_text("[pytest]\n")
    verified = run("pytest", "--ftc-verify", "--ftc-diagnose=off")
    assert verified.returncode == 0, verified.stdout


def test_what_nothing_heals_is_told_with_what_is_left(determinize):
    done = determinize("date")
    assert done.returncode == 1
    assert "out › line 1: time" in done.stdout


def test_what_is_reproducible_needs_nothing(determinize):
    done = determinize("good")
    assert (done.returncode, done.stdout) == (0, "# good is reproducible as it is\n")


def test_a_build_that_fails_is_said_to(determinize):
    done = determinize("broken")
    assert done.returncode == 2
    assert "ftc: broken is failed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_name_is_one_clear_error(determinize):
    done = determinize("goood")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ftc: there is no artifact 'goood'; did you mean 'good'?\n"
