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
    table = tomllib.loads(done.stdout)["artifacts"]["two"]
    assert (done.returncode, table) == (0, {"source_date_epoch": "git", "env": {"PYTHONHASHSEED": "0"}})
    assert "Commit the sources first: git init" in done.stdout


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

    commit(project)
    printed = run("pytest_ftc", "determinize")
    assert printed.returncode == 0, printed.stdout + printed.stderr
    tables = tomllib.loads(printed.stdout)["tool"]["ftc"]["artifacts"]
    assert {name: table["preset"] for name, table in tables.items()} == {"sdist": "sdist", "wheel": "wheel"}
    assert "1.0" not in printed.stdout
    with (project / "pyproject.toml").open("a") as file:
        file.write(f"\n{printed.stdout}")
    (project / "pytest.ini").write_text("[pytest]\n")
    verified = run("pytest", "--ftc-verify", "--ftc-diagnose=off")
    assert verified.returncode == 0, verified.stdout


def commit(root: Path) -> None:
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1"]):
        subprocess.run(["git", *words], cwd=root, check=True)


IN_PLACE = """\
# Settings of this project
[artifacts.two]   # two causes
build = "(python3 -c 'print(set(map(str, range(30))))'; LC_ALL=C date -u -d @${SOURCE_DATE_EPOCH:-$(date +%s)}) > out"
outputs = ["out"]

# One cause has no cure.
[artifacts.part]
build = "(python3 -c 'print(set(map(str, range(30))))'; od -An -tx8 -N8 /dev/urandom) > out"
outputs = ["out"]

[artifacts.good]
build = "echo good > out"
outputs = ["out"]

[artifacts.broken]
build = "exit 3"
outputs = ["out"]
"""


@pytest.fixture(scope="module")
def in_place(tmp_path_factory):
    """Return a project whose artifacts were all determinized in place, and what was said."""
    root = tmp_path_factory.mktemp("in-place")
    (root / "ftc.toml").write_text(IN_PLACE)
    commit(root)
    command = [sys.executable, "-m", "pytest_ftc", "determinize", "--write"]
    return root, subprocess.run(command, cwd=root, capture_output=True, text=True)


def test_without_a_name_all_that_fail_are_mended_in_place_and_the_rest_is_told(in_place):
    root, done = in_place
    text = (root / "ftc.toml").read_text()
    before, after = tomllib.loads(IN_PLACE)["artifacts"], tomllib.loads(text)["artifacts"]
    assert after["two"] == {**before["two"], "source_date_epoch": "git", "env": {"PYTHONHASHSEED": "0"}}
    assert after["part"]["env"]["PYTHONHASHSEED"] == "0"
    assert (after["good"], after["broken"]) == (before["good"], before["broken"])
    lines = IN_PLACE.splitlines()
    assert [line for line in text.splitlines() if line and line in lines] == [line for line in lines if line]
    assert done.returncode == 2
    assert "ftc: broken is failed" in done.stderr
    assert "ftc: written to ftc.toml: two, part; now: pytest --ftc-verify" in done.stderr
    assert "# good is reproducible as it is" in done.stdout
    assert "# this helps, but part is not reproducible with it" in done.stdout
    assert "out › line 2: random (confirmed" in done.stdout
    assert "hash_seed" not in done.stdout


def test_what_was_written_works_and_is_not_written_again(in_place):
    root, _ = in_place
    text = (root / "ftc.toml").read_text()
    command = [sys.executable, "-m", "pytest_ftc", "determinize", "two", "--write"]
    again = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (0, "# two is reproducible as it is\n")
    assert "ftc: nothing to write to ftc.toml" in again.stderr
    assert (root / "ftc.toml").read_text() == text


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
