"""Artifacts are tests like any other: every way to select, order and stop tests works on them."""

import itertools
import re

import pytest

TWO = """
[artifacts.good]
build = "echo > good"
outputs = ["good"]
[artifacts.bad]
build = "pwd > bad"
outputs = ["bad"]
"""


@pytest.fixture
def two(verify, project):
    (project / "test_ordinary.py").write_text("def test_ordinary(): pass\n")

    def run(*arguments):
        return verify(TWO, *arguments)

    return run


def test_without_the_flag_nothing_is_collected(pytester, project):
    (project / "ftc.toml").write_text(TWO)
    (project / "test_ordinary.py").write_text("def test_ordinary(): pass\n")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*ftc.toml*")


def test_with_the_flag_each_artifact_is_an_item(two):
    run = two("-v")
    assert "ftc.toml::ftc::good PASSED" in run.text
    assert "ftc.toml::ftc::bad FAILED" in run.text
    assert "test_ordinary.py::test_ordinary PASSED" in run.text
    assert run.status == 1


@pytest.mark.parametrize(
    ("arguments", "verdicts"),
    [
        (["-k", "good"], {"good": "reproducible"}),
        (["-m", "ftc"], {"good": "reproducible", "bad": "unreproducible"}),
        (["-m", "not ftc"], {}),
        (["ftc.toml::ftc::good"], {"good": "reproducible"}),
        (["ftc.toml::ftc"], {"good": "reproducible", "bad": "unreproducible"}),
        (["ftc.toml"], {"good": "reproducible", "bad": "unreproducible"}),
        (["test_ordinary.py"], {}),
        (["test_ordinary.py", "ftc.toml"], {"good": "reproducible", "bad": "unreproducible"}),
        (["."], {"good": "reproducible", "bad": "unreproducible"}),
        (["test_ordinary.py::test_ordinary"], {}),
        (["--deselect", "ftc.toml::ftc::bad"], {"good": "reproducible"}),
        (["--durations=3", "-vv"], {"good": "reproducible", "bad": "unreproducible"}),
        (["-p", "no:cacheprovider"], {"good": "reproducible", "bad": "unreproducible"}),
        (["-n2", "-p", "xdist"], {"good": "reproducible", "bad": "unreproducible"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_selecting(two, arguments, verdicts):
    assert two(*arguments).verdicts == verdicts


@pytest.mark.parametrize("workers", [[], ["-n2", "-p", "xdist"]], ids=["alone", "xdist"])
def test_running_a_file_of_tests_says_that_artifacts_are_not_verified_and_how_they_are(two, workers):
    note = "ftc: 2 artifacts of ftc.toml not verified, since other paths were named; to verify them: pytest --ftc-verify ftc.toml"
    run = two("test_ordinary.py", "-q", *workers)
    assert run.status == 0
    assert run.text.count(note) == 1
    assert note not in two("test_ordinary.py::test_ordinary").text
    assert note not in two("-k", "good").text


@pytest.mark.parametrize("key", ["testpaths", "addopts"])
def test_paths_of_the_projects_settings_leave_no_artifact_aside(two, project, key):
    (project / "tests").mkdir()
    (project / "tests" / "test_more.py").write_text("def test_more(): pass\n")
    (project / "pytest.ini").write_text(f"[pytest]\n{key} = tests\n")
    assert two("-k", "good or more").verdicts == {"good": "reproducible"}
    assert "not verified, since" in two("tests").text


TAGGED = """
[artifacts.good]
build = "echo > good"
outputs = ["good"]
tags = ["release", "slow-one"]
[artifacts.bad]
build = "pwd > bad"
outputs = ["bad"]
tags = ["release"]
owner = "packaging team <team@example.org>"
[artifacts.other]
build = "echo > other"
outputs = ["other"]
"""


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("ftc and release", {"good", "bad"}),
        ("ftc and release and not slow-one", {"bad"}),
        ("slow-one", {"good"}),
        ("ftc and not release", {"other"}),
    ],
)
def test_tags_select_as_marks_do(verify, expression, names):
    run = verify(TAGGED, "-m", expression, "--strict-markers", "-W", "error", "--ftc-variations=umask,build_path")
    assert set(run.verdicts) == names


def test_an_artifact_has_an_owner_whom_findings_and_reports_name(verify, project):
    run = verify(TAGGED, "-m", "release", "--junitxml=junit.xml", "--ftc-variations=build_path")
    assert run.text.count("owner       packaging team <team@example.org>") == 1
    assert {one["name"]: (one["owner"], one["tags"]) for one in run.report["artifacts"]} == {
        "good": ("", ["release", "slow-one"]),
        "bad": ("packaging team <team@example.org>", ["release"]),
    }
    junit = (project / "junit.xml").read_text()
    assert 'name="ftc_owner" value="packaging team &lt;team@example.org&gt;"' in junit
    assert 'name="ftc_tags" value="release,slow-one"' in junit


def test_an_owner_is_told_of_a_verdict_from_the_cache_too(verify, project):
    (project / "src").mkdir()
    (project / "src" / "file").touch()
    toml = '[artifacts.a]\nbuild = "echo > a"\noutputs = ["a"]\nsource = "src"\n'
    verify(toml, "--ftc-variations=umask")
    artifact = verify(f"{toml}owner = 'me'\n", "--ftc-variations=umask").artifact("a")
    assert (artifact["cached"], artifact["owner"]) == (True, "me")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("tags = 'release'", "tags: expected a list of names such as ['release', 'slow'], found 'release'"),
        ("tags = ['two words']", "tags: expected a list of names"),
        (
            "tags = ['skip']",
            "tags: expected a list of names such as ['release', 'slow'], and none of pytest's own marks (skip)",
        ),
        ("owner = ''", "owner: expected text on one line"),
        ("owner = 'a\\nb'", "owner: expected text on one line"),
    ],
)
def test_mistakes_in_tags_and_owners(verify, key, message):
    key = key.replace("'a\\nb'", '"a\\nb"')
    run = verify(f'[artifacts.a]\nbuild = "true"\noutputs = ["a"]\n{key}\n')
    assert run.status == 4
    assert message in run.text


def test_an_unknown_node_id_is_an_error_of_pytest(two):
    run = two("ftc.toml::ftc::nothing")
    assert run.status == 4
    assert "not found" in run.text


def test_collect_only_lists_and_builds_nothing(two, project):
    run = two("--collect-only", "-q")
    assert "ftc.toml::ftc::good\nftc.toml::ftc::bad\n" in run.text
    assert run.report == {}
    assert not (project / ".pytest_cache/d/ftc/logs/good-control.log").exists()


def test_the_first_failure_ends_the_session_and_the_builds(verify):
    slow = '[artifacts.slow]\nbuild = "sleep 100; echo > slow"\noutputs = ["slow"]\n'
    failing = '[artifacts.first]\nbuild = "exit 3"\noutputs = ["x"]\n'
    run = verify(failing + slow, "-x")
    assert run.verdicts == {"first": "failed"}


def test_the_last_failed_run_again_alone(two):
    two()
    assert two("--lf").verdicts == {"bad": "unreproducible"}


def test_builds_overlap_ordinary_tests(verify, project):
    (project / "test_slow.py").write_text("import time\ndef test_slow(): time.sleep(3)\n")
    run = verify(
        '[artifacts.app]\nbuild = "echo > out"\noutputs = ["out"]\n', "-vv", "--durations=0", "test_slow.py", "ftc.toml"
    )
    waited = [line for line in run.text.splitlines() if "call" in line and "ftc::app" in line]
    assert all(float(line.split("s")[0]) < 1 for line in waited), run.text


def test_jobs_bound_how_many_builds_run_at_once(verify):
    artifacts = "".join(
        f"""
        [artifacts.a{number}]
        build = "echo > out; sleep 0.3"
        outputs = ["out"]
        """
        for number in range(3)
    )
    builds = [build for a in verify(artifacts, "--ftc-jobs=1").report["artifacts"] for build in a["builds"]]
    builds.sort(key=lambda build: build["started"])
    for one, other in itertools.pairwise(builds):
        assert one["started"] + one["seconds"] <= other["started"]


def test_builds_that_are_compared_start_apart(verify_build):
    """See test_gap.py for those that need not."""
    control, experiment = verify_build("ls -l > /dev/null; echo > out").artifact()["builds"][:2]
    assert experiment["started"] - control["started"] >= 2.1


def test_more_builds_are_more_experiments(verify_build):
    run = verify_build("echo > out", "--ftc-builds=3")
    assert [build["role"] for build in run.artifact()["builds"]] == ["control", "experiment", "experiment"]


def test_only_the_variations_asked_for_are_applied(verify_build):
    run = verify_build("pwd > out", "--ftc-variations=all,-build_path")
    assert run.verdicts == {"app": "reproducible"}
    assert "build_path" not in run.artifact()["varied"]
    run = verify_build("pwd > out", "--ftc-variations=+build_path")
    assert run.verdicts == {"app": "unreproducible"}
    assert run.artifact()["varied"] == ["build_path"]


def test_an_artifact_has_variations_of_its_own(verify_build):
    run = verify_build("pwd > out", more='variations = "all,-build_path"')
    assert run.verdicts == {"app": "reproducible"}


def test_metadata_strict_compares_all_permission_bits(verify_build):
    assert verify_build("touch out").verdicts == {"app": "reproducible"}
    assert verify_build("touch out", more='metadata = "strict"').verdicts == {"app": "unreproducible"}


def test_a_report_folder_holds_report_logs_and_diffs(verify_build, project):
    verify_build("echo hello; pwd > out", "--ftc-report=results")
    assert (project / "results/report.json").is_file()
    assert (project / "results/logs/app-control.log").read_text() == "hello\n"
    assert "ftc-build-" in next((project / "results/diffs").iterdir()).read_text()


def test_the_command_in_the_panel_verifies_again(two, pytester):
    line = next(line for line in two().text.splitlines() if line.strip().startswith("again"))
    assert line.split(maxsplit=1)[1] == "pytest --ftc-verify ftc.toml::ftc::bad"


def test_quiet_says_less_and_very_quiet_nothing(two):
    summary = re.compile(r"reproducible +good +[2-7] builds")
    assert summary.search(two("-q").text)
    assert not summary.search(two("-qq").text)


@pytest.mark.parametrize(
    "arguments", [[], ["setup.py"], ["setup.py::ftc::wheel"], ["."], ["setup.py", "test_ordinary.py"]]
)
def test_a_project_with_a_setup_py_alone_is_collected_and_never_imported(verify, project, arguments):
    (project / "setup.py").write_text("raise SystemExit('imported')\n")
    (project / "test_ordinary.py").write_text("def test_ordinary(): pass\n")
    run = verify(None, "--collect-only", "-q", *arguments)
    assert run.status == 0, run.text
    assert "setup.py::ftc::wheel" in run.text
    assert "imported" not in run.text
