"""``--ftc-diagnose``: the cause, the place, the command and the remedy of what differs."""

import pytest

BUILDS = {
    "time": ("date -u +%s > out", "date"),
    "timezone": ("date -d '2020-01-01 12:00 UTC' '+%Z%z' > out", "date"),
    "build_path": ("echo $PWD > out", None),
    "home": ("printf '%s\\n' $HOME > out; env -u LC_ALL sed -i s/x/x/ out", "sh"),
    "hash_seed": ("python3 -c 'print(set(map(str, range(30))))' > out", "python3"),
    "terminal": ("python3 -c 'import shutil; print(\"-\" * shutil.get_terminal_size()[0])' > out", "python3"),
    "num_cpus": ("nproc > out", "nproc"),
    "random": ("head -c 16 /dev/urandom > out", "head"),
    "user_group": ("touch -d @0 a; tar --mtime=@0 --mode=644 -czf out a", "tar"),
    "network": ("ls /sys/class/net 2> /dev/null | cksum > /dev/null; cut -c-4 /proc/net/dev | LC_ALL=C sort | cksum > out", "cut"),
}  # fmt: skip
RACE = """
import os, select, sys
select.select((), (), (), int.from_bytes(os.urandom(2), "big") / 65536 * 0.3)
with open("out", "a") as file:
    file.write(sys.argv[1] + "\\n")
"""


def first(run):
    artifact = run.artifact()
    assert artifact["verdict"] == "unreproducible", run.text
    return artifact["findings"][0]


@pytest.mark.parametrize("cause", BUILDS)
def test_the_cause_is_confirmed_and_the_command_named(verify_build, cause):
    build, command = BUILDS[cause]
    finding = first(verify_build(build, "--ftc-diagnose=full"))
    assert (finding["cause"], finding["confirmed"]) == (cause, True)
    assert command is None or finding["command"][0].rpartition("/")[2] == command
    assert finding["output"] == "out"
    assert finding["why"]


def test_a_digest_is_not_said_to_follow_from_a_time_zone_beside_it(verify_build):
    build = "date -d '2020-01-01 12:00 UTC' +%z > out; pwd | md5sum >> out"
    findings = verify_build(build, "--ftc-diagnose=full").artifact()["findings"]
    assert {(finding["location"], finding["cause"], finding["confirmed"]) for finding in findings} == {
        ("line 1", "timezone", True),
        ("line 2", "build_path", True),
    }


def test_who_made_what_is_packed_is_named_and_who_packed_it_for_the_rest(verify_build):
    build = "mkdir a b; date > a/stamp; cp a/stamp b/stamp; tar cf out b"
    findings = verify_build(build, "--ftc-diagnose=full").artifact()["findings"]
    commands = {finding["location"].split()[0]: finding["command"][0] for finding in findings}
    assert commands == {"line": "date", "tar": "tar"}


def test_parallel_jobs_that_write_as_they_end_are_a_race(project, verify_build):
    (project / "job.py").write_text(RACE)
    build = "for n in 1 2 3 4 5 6 7 8; do python3 job.py $n & done; wait"
    finding = first(verify_build(build, "--ftc-diagnose=full"))
    assert (finding["cause"], finding["confirmed"]) == ("race", True)


@pytest.mark.parametrize(("build", "cause"), [("date +%s", "time"), ("head -c 16 /dev/urandom", "random")])
def test_a_digest_of_the_time_is_told_from_a_digest_of_chance(verify_build, build, cause):
    finding = first(verify_build(f"{build} | sha256sum > out", "--ftc-diagnose=full"))
    assert (finding["cause"], finding["confirmed"]) == (cause, True)


def test_neighbouring_lines_have_causes_of_their_own(verify_build):
    run = verify_build("(echo $HOME; head -c 8 /dev/urandom | od -An -tx1; hostname) > out", "--ftc-diagnose=full")
    causes = {finding["location"]: finding["cause"] for finding in run.artifact()["findings"]}
    assert causes == {"line 1": "home", "line 2": "random", "line 3": "domain_host"}


def test_it_is_the_default(pytester, project):
    (project / "ftc.toml").write_text("[artifacts.app]\nbuild = 'echo $HOME > out'\noutputs = ['out']\n")
    result = pytester.runpytest_subprocess("--ftc-verify", "--ftc-builds=2")
    result.stdout.fnmatch_lines(["out: line 1: home (confirmed)", "  why *(4 builds)"])


def test_fast_looks_at_the_values_alone(verify_build):
    run = verify_build("echo $HOME > out", "--ftc-diagnose=fast", "--ftc-builds=2")
    assert (first(run)["cause"], first(run)["confirmed"]) == ("home", False)
    assert len(run.artifact()["builds"]) == 2


@pytest.mark.parametrize("mode", ["off", "fast"])
def test_places_are_the_same_with_and_without_diagnosis(verify_build, mode):
    build = "(echo a; echo $HOME) | gzip -n > out"
    run = verify_build(build, f"--ftc-diagnose={mode}", "--ftc-variations=home")
    places = [(one["output"], one["member"], one["location"]) for one in run.artifact()["differences"]]
    assert places == [("out", "", "line 2")]


def test_off_says_that_nothing_is_known(verify_build):
    run = verify_build("echo $HOME > out", "--ftc-diagnose=off", "--ftc-builds=2")
    assert first(run)["cause"] == "unknown"
    assert len(run.artifact()["builds"]) == 2


def test_all_experiments_count_among_the_builds_that_a_finding_rests_on(verify_build):
    run = verify_build("echo $HOME > out", "--ftc-diagnose=full", "--ftc-builds=4")
    builds = [build["role"] for build in run.artifact()["builds"]]
    assert builds.count("experiment") == 3
    assert "home (confirmed)" in run.flat
    assert f"({len(builds) - builds.count('remedy')} builds)" in run.flat


@pytest.mark.parametrize("most", [2, 3, 5])
def test_there_are_never_more_builds_than_allowed(verify_build, most):
    run = verify_build("set | cksum > out", "--ftc-diagnose=full", f"--ftc-max-builds={most}")
    assert len(run.artifact()["builds"]) <= most
    assert not first(run)["confirmed"] or first(run)["cause"] == "random"


def test_where_builds_were_too_few_it_is_told_what_is_left(verify_build):
    run = verify_build("umask | sha256sum > out", "--ftc-diagnose=full", "--ftc-max-builds=4")
    finding = first(run)
    assert finding["cause"] == "unknown", finding
    assert "umask" in finding["why"]
    assert "--ftc-max-builds=N" in run.flat


def test_two_causes_at_one_place_are_both_found(verify_build):
    run = verify_build("echo $HOME on $(hostname) > out", "--ftc-diagnose=full")
    findings = run.artifact()["findings"]
    assert {(finding["cause"], finding["confirmed"]) for finding in findings} == {("home", True), ("domain_host", True)}


def test_a_date_in_the_language_of_the_build_has_two_causes_and_needs_both_remedies(verify_build):
    run = verify_build("date -u -d @${SOURCE_DATE_EPOCH:-$(date +%s)} > out", "--ftc-diagnose=full")
    environments = {build["role"]: build["environment"] for build in run.artifact()["builds"]}
    has_language = environments["experiment"]["locales"] not in ("C", "POSIX")
    found = {finding["cause"]: finding for finding in run.artifact()["findings"]}
    assert found.keys() == ({"time", "locales"} if has_language else {"time"}), run.text
    assert all(finding["confirmed"] and finding["remedy"]["proved"] for finding in found.values())


def test_a_remedy_is_not_proved_by_an_output_that_it_does_not_heal_under_another_name(verify_build):
    run = verify_build("date > $(date +%Y-%m-%d).log", "--ftc-diagnose=full", outputs='["*.log"]')
    assert not any(finding["remedy"]["proved"] for finding in run.artifact()["findings"]), run.text


def test_a_remedy_is_proved_by_rebuilding(verify_build):
    run = verify_build("echo $(date -u -d @${SOURCE_DATE_EPOCH:-$(date +%s)}) > out", "--ftc-diagnose=full")
    remedy = first(run)["remedy"]
    assert remedy["proved"]
    assert remedy["settings"].keys() == {"SOURCE_DATE_EPOCH"}
    assert {build["role"] for build in run.artifact()["builds"]} >= {"remedy"}
    assert "proved by rebuilding" in run.flat


def test_a_remedy_that_does_not_help_is_not_called_proved(verify_build):
    finding = first(verify_build("date -u +%s > out", "--ftc-diagnose=full"))
    assert not finding["remedy"]["proved"]


def test_the_remedy_that_is_printed_heals_the_build(verify_build):
    build = "touch b a; tar -czf out b a"
    remedy = first(verify_build(build, "--ftc-diagnose=full"))["remedy"]
    assert remedy["proved"]
    settings = "\n".join(f"{name} = '{value}'" for name, value in remedy["settings"].items())
    healed = verify_build(build, "--ftc-diagnose=full", more=f"[artifacts.app.env]\n{settings}")
    assert healed.verdicts == {"app": "reproducible"}


def test_an_output_that_is_named_by_the_date_is_one_finding(verify_build):
    run = verify_build("date > $(date +%Y-%m-%d).log", "--ftc-diagnose=full", outputs='["*.log"]')
    findings = run.artifact()["findings"]
    assert [(finding["location"], finding["cause"]) for finding in findings[:1]] == [("the output's name", "time")]


def test_many_files_with_one_cause_are_folded_into_one(verify_build):
    build = "mkdir out; for n in $(seq 1 40); do echo $HOME > out/$n; done"
    run = verify_build(build, "--ftc-diagnose=full", outputs='["out/*"]')
    assert len(run.artifact()["findings"]) == 40
    assert run.text.count("home (confirmed)") == 1
    assert "in 40 files" in run.flat


def test_every_one_of_very_many_outputs_has_its_finding(verify_build):
    build = "mkdir out; cd out; for n in $(seq 1 400); do echo $HOME > $n; done"
    run = verify_build(build, "--ftc-diagnose=full", outputs='["out/*"]')
    assert {finding["cause"] for finding in run.artifact()["findings"]} == {"home"}
    assert len(run.artifact()["findings"]) == 400


def test_a_bomb_is_reported_as_a_difference(project, verify_build):
    bomb = (
        "import gzip, os; open('out', 'wb').write(gzip.compress(bytes(1 << 24) + os.environ['HOME'].encode(), mtime=0))"
    )
    (project / "bomb.py").write_text(bomb)
    run = verify_build("python3 bomb.py", "--ftc-diagnose=full")
    assert first(run)["cause"] == "home"


def test_members_with_hostile_names_harm_neither_the_disk_nor_the_terminal(project, verify_build):
    script = (
        "import io, os, tarfile\n"
        "with tarfile.open('out', 'w') as tar:\n"
        "    for name in ('../../evil', '/etc/evil', 'red\\x1b[31m', 'new\\nline'):\n"
        "        data = os.environ['HOME'].encode()\n"
        "        info = tarfile.TarInfo(name)\n"
        "        info.size = len(data)\n"
        "        tar.addfile(info, io.BytesIO(data))\n"
    )
    (project / "pack.py").write_text(script)
    before = set(project.parent.parent.rglob("evil"))
    run = verify_build("python3 pack.py", "--ftc-diagnose=full")
    assert first(run)["cause"] == "home"
    assert "\x1b[31m" not in run.text
    assert set(project.parent.parent.rglob("evil")) == before


def test_a_date_that_compilers_write_has_the_zone_of_its_day_also_after_few_builds(verify_build, project):
    """Slow builds have no more than these: one that varies all but the time shows another date, which tells the zone."""
    (project / "a.c").write_text("const char day[] = __DATE__;\n")
    run = verify_build("gcc -g -c a.c -o a.o && gcc -shared a.o -o out", "--ftc-diagnose=full", "--ftc-max-builds=12")
    assert {"time", "timezone", "build_path"} <= {one["cause"] for one in run.artifact()["findings"]}
