"""Presets and parameters, as users write them: on the command line, in the file, for one artifact."""

from __future__ import annotations

import os
import subprocess

import pytest

CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
QUIET = 'build = "touch out"\noutputs = ["out"]\n'


def reasons(artifact):
    return {entry["variation"]: entry["reason"] for entry in artifact["not_varied"]}


def environments(artifact):
    return [build["environment"] for build in artifact["builds"]]


def test_presets_for_the_session_and_for_one_artifact(verify):
    run = verify(f'variations = "quick"\n[artifacts.a]\n{QUIET}[artifacts.b]\n{QUIET}variations = "standard"\n')
    assert run.verdicts == {"a": "reproducible", "b": "reproducible"}
    quick, standard = ({*run.artifact(name)["varied"], *reasons(run.artifact(name))} for name in ("a", "b"))
    assert quick == {
        "time", "timezone", "locales", "build_path", "home", "temp_dir", "exec_path", "environment", "terminal", "umask",
        "hash_seed",
    }  # fmt: skip
    assert quick < standard
    assert standard.isdisjoint({"kernel", "aslr", "network"})
    assert "fileordering" in standard


def test_the_clock_is_as_far_away_as_asked(verify):
    build = "build = 'date +%s > out'\noutputs = ['out']\n"
    toml = f"[artifacts.ahead]\n{build}variations = 'time.offset=+30d'\n[artifacts.behind]\n{build}"
    run = verify(toml, "--ftc-variations=time.offset=-1d2h", "--ftc-builds=2")
    for name, value, seconds in (
        ("ahead", "30 days 0 hours 0 minutes ahead", 30 * 86400),
        ("behind", "1 days 2 hours 0 minutes behind", -26 * 3600),
    ):
        artifact = run.artifact(name)
        assert artifact["verdict"] == "unreproducible", artifact
        assert [environment["time"] for environment in environments(artifact)] == ["the real clock", value]
        evidence = artifact["findings"][0]["evidence"]
        assert abs(int(evidence["experiment"]) - int(evidence["control"]) - seconds) < 300


def test_a_clock_that_is_not_moved_is_not_claimed(verify):
    artifact = verify(f"[artifacts.app]\n{QUIET}", "--ftc-variations=umask,time.offset=0").artifact()
    assert (artifact["verdict"], artifact["varied"]) == ("reproducible", ["umask"])
    assert reasons(artifact) == {"time": "time.offset is 0 s, and clocks less than an hour apart could meet"}


def test_as_many_cpus_as_the_machine_has_are_not_claimed(verify_build):
    run = verify_build("nproc > out", f"--ftc-variations=umask,num_cpus.experiment={CPUS}")
    assert (run.artifact()["verdict"], run.artifact()["varied"]) == ("reproducible", ["umask"])
    assert list(reasons(run.artifact())) == ["num_cpus"]


@pytest.mark.skipif(CPUS < 2, reason="this machine has one CPU only")
def test_the_experiment_has_as_many_cpus_as_asked(verify_build):
    options = f"--ftc-variations=num_cpus.experiment={CPUS - 1}", "--ftc-builds=2"
    artifact = verify_build("nproc > out", *options).artifact()
    assert artifact["verdict"] == "unreproducible"
    assert [environment["num_cpus"] for environment in environments(artifact)] == ["all", str(CPUS - 1)]


def test_a_locale_that_is_not_installed_is_told_with_what_to_install(verify_build):
    artifact = verify_build("touch out", "--ftc-variations=umask,locales.names=xx_XX.UTF-8").artifact()
    assert (artifact["verdict"], artifact["varied"]) == ("reproducible", ["umask"])
    assert "xx_XX.UTF-8 of locales.names is not installed" in reasons(artifact)["locales"]
    assert "locales-all" in reasons(artifact)["locales"]


def test_a_locale_is_chosen_by_name(verify_build):
    installed = subprocess.run(["locale", "-a"], capture_output=True, text=True).stdout.split()
    others = [name for name in installed if name not in ("C.utf8", "C.UTF-8")] or pytest.fail("there is always C")
    for name in (others[0], others[-1]):
        artifact = verify_build("echo $LC_ALL > out", f"--ftc-variations=locales.names={name};xx_XX").artifact()
        assert artifact["verdict"] == "unreproducible"
        assert environments(artifact)[1]["locales"] == name


def test_a_variable_that_a_build_reads_is_found_by_its_name(verify_build):
    build = "echo ${EDITOR:-none} > out"
    assert verify_build(build, "--ftc-variations=environment").artifact()["verdict"] == "reproducible"
    artifact = verify_build(build, "--ftc-variations=environment.variables+=EDITOR").artifact()
    assert artifact["verdict"] == "unreproducible"
    assert artifact["findings"][0]["evidence"]["control"] == "none"


def test_network_mode_both_takes_the_network_from_both_builds(verify_build):
    interfaces = "tail -n +3 /proc/net/dev | cut -d: -f1 | sort > out; [ $(wc -l < out) = 1 ]"
    artifact = verify_build(interfaces, "--ftc-variations=all,network.mode=both").artifact()
    if "no build can be kept offline" in reasons(artifact)["network"]:
        return  # without namespaces nothing is claimed
    assert artifact["verdict"] == "reproducible", artifact
    assert "network" not in artifact["varied"]
    assert reasons(artifact)["network"] == "every build of this artifact runs offline"


def test_quick_is_shown_in_the_help_text(pytester):
    help_text = pytester.runpytest_subprocess("--help").stdout.str()
    assert "quick" in help_text
    assert "time.offset=+30d" in help_text


def test_sets_that_the_project_names_are_for_the_command_line_artifacts_and_tests(verify, project):
    toml = (
        "[sets]\ntwo = 'umask,time.offset=+30d'\nbroken = 'tiem'\n"
        "[artifacts.one]\nbuild = 'echo > one'\noutputs = ['one']\n"
        "[artifacts.own]\nbuild = 'echo > own'\noutputs = ['own']\nvariations = 'two,-time'\n"
    )
    run = verify(toml, "--ftc-variations=two")
    assert run.status == 4
    assert "ftc.toml:3: [sets] broken: unknown variation 'tiem'; did you mean 'time'?" in run.text
    (project / "test_it.py").write_text("def test_it(ftc): ftc.verify('echo > o', ['o'], variations='two,home')\n")
    run = verify(toml.replace("broken = 'tiem'\n", ""), "--ftc-variations=two")
    assert run.status == 0, run.text
    varied = {one["name"].rpartition(" ")[2]: set(one["varied"]) for one in run.report["artifacts"]}
    assert varied.pop("one") == {"umask", "time"}
    assert varied.pop("own") == {"umask"}
    assert list(varied.values()) == [{"umask", "time", "home"}]
