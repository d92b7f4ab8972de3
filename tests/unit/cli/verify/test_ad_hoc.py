"""A command line of reprotest as artifacts."""

import pytest

from pytest_ftc.cli.verify.ad_hoc import read_ad_hoc
from pytest_ftc.cli.verify.words import read_words
from pytest_ftc.model.errors import ConfigurationError


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(*arguments):
    return read_ad_hoc(read_words(arguments))


def test_a_command_and_its_outputs(project):
    asked = read("python3 setup.py bdist", "dist/*.tar.gz", "'a file' *.deb", "-v")
    build = {"build": "python3 setup.py bdist", "outputs": ["dist/*.tar.gz", "a file", "*.deb"]}
    assert asked.artifacts == {"python3": {**build, "source": str(project)}}
    assert asked.options == ("-v",)


@pytest.mark.parametrize(
    "given",
    [("-s", "sub", "make", "out"), ("-c", "make", "sub", "out"), ("--source-root=sub/Makefile", "make", "out")],
)
def test_reprotest_says_which_word_is_the_source(project, given):
    (project / "sub").mkdir()
    (project / "sub" / "Makefile").touch()
    assert read(*given).artifacts == {"make": {"build": "make", "outputs": ["out"], "source": str(project / "sub")}}


def test_without_variations_those_of_the_session_apply():
    assert "variations" not in read("make", "out").artifacts["make"]


@pytest.mark.parametrize(
    ("given", "specification"),
    [
        (["--vary=-user_group"], "all,-user_group"),
        (
            ["--variations=-all,locales", "--variations=home,time", "--vary=timezone", "--vary=-time"],
            "home,time,timezone,-time",
        ),
        (["--vary=-all,umask"], "umask"),
        (["--dont-vary=time,umask"], "all,-time,-umask"),
        (["--min-cpus=2"], "all,num_cpus.experiment=2"),
        (["--min-cpus=2", "--vary=-num_cpus"], "all,-num_cpus"),
        (["--vary=-all,time", "--min-cpus=2"], "time"),
    ],
)
def test_variations(given, specification):
    assert read("make", "out", *given).artifacts["make"]["variations"] == specification


def test_each_extra_build_is_an_artifact_with_variations_of_its_own():
    artifacts = read("make", "out", "--vary=-kernel", "--extra-build=-time", "--extra-build=").artifacts
    assert {name: table["variations"] for name, table in artifacts.items()} == {
        "make": "all,-kernel",
        "make-extra-1": "all,-kernel,-time",
        "make-extra-2": "all,-kernel",
    }


def test_other_flags(project):
    asked = read("make", "out", "--append-build-command=-j2", "--store-dir=kept", "--dry-run", "--auto-build",
                 "--control-build=old", "--source-pattern=*.c Makefile", "--diffoscope-arg=--exclude-directory-metadata=no")  # fmt: skip
    assert asked.artifacts["make"]["build"] == "make -j2"
    assert asked.artifacts["make"]["reference"] == str(project / "old")
    assert asked.artifacts["make"]["metadata"] == "strict"
    assert asked.source_pattern == "*.c Makefile"
    assert asked.options == ("--ftc-report=kept", "--collect-only", "--ftc-diagnose=full")


def test_outputs_beside_the_source_are_built_a_folder_deeper():
    table = read("dpkg-buildpackage -b", "../*.deb", "debian/files").artifacts["dpkg-buildpackage"]
    assert table["outputs"] == ["ftc-outputs/*.deb", "ftc-outputs/source/debian/files"]
    assert table["before"].endswith("cd ftc-outputs/source")


@pytest.mark.parametrize("given", [("auto",), (".",), ("-c", "auto", ".")])
def test_auto_knows_debian_packages_and_python_projects(project, given):
    with pytest.raises(ConfigurationError, match="neither a Debian package nor a Python project"):
        read(*given)
    (project / "setup.py").touch()
    assert {name: table["preset"] for name, table in read(*given).artifacts.items()} == {
        "sdist": "sdist",
        "wheel": "wheel",
    }
    (project / "debian").mkdir()
    (project / "debian" / "control").touch()
    package = read(*given).artifacts["package"]
    assert (package["build"], package["outputs"]) == ("dpkg-buildpackage --no-sign -b", ["ftc-outputs/*.deb"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--vary=-time"], "expected a command: ftc verify 'COMMAND' OUTPUT..."),
        (["make"], "expected the outputs of the command too: ftc verify make 'dist/*'"),
        (["make", "'out"], '"\'out": expected patterns as a shell reads them'),
        (["make", "out", "--vary=-all"], "selects no variation"),
        (["make", "out", "--vary=-time", "--ftc-variations=umask"], "--vary and --ftc-variations: expected only one"),
        (
            ["make", "out", "--", "schroot", "unstable"],
            "-- schroot: builds run on this machine, not in a virtual server",
        ),
        (["make", "out", "--diffoscope-arg=--html=x.html"], "nearest: --ftc-report=DIR"),
        (["make", "out", "--diffoscope-arg=--max-report-size=1"], "nearest: ftc diff"),
    ],
)
def test_mistakes(given, message):
    with pytest.raises(ConfigurationError) as caught:
        read(*given)
    assert message in str(caught.value)


def test_the_server_null_is_this_machine():
    assert read("make", "out", "--", "null", "-d").artifacts.keys() == {"make"}


@pytest.mark.parametrize(("command", "name"), [("/usr/bin/make all", "make"), ("$(x) y", "x"), ("'' ", "command")])
def test_an_artifact_has_the_name_of_the_program(command, name):
    assert read(command, "out").artifacts.keys() == {name}
