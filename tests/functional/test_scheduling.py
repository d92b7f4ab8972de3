"""When builds run: which first, how many at a time, and none any more when the session stops."""

import time

PROJECT = """
[artifacts.broken]
build = "exit 3"
outputs = ["out"]
[artifacts.slow]
build = "sleep 300; echo > out"
outputs = ["out"]
"""


def test_a_session_that_stops_at_the_first_failure_does_not_wait_for_other_builds(verify):
    begin = time.monotonic()
    run = verify(PROJECT, "-x")
    assert run.verdicts == {"broken": "failed"}
    assert time.monotonic() - begin < 200  # the slow build alone takes 300


def test_what_is_critical_is_built_before_what_waits(verify):
    table = "[artifacts.{name}]\nbuild = 'sleep 0.2; echo > out'\noutputs = ['out']\ncritical = {critical}\n"
    names = [f"plain-{number}" for number in range(6)]
    artifacts = "".join(table.format(name=name, critical="false") for name in names)
    run = verify(f"jobs = 1\n{artifacts}{table.format(name='critical', critical='true')}")
    starts = {name: run.artifact(name)["builds"][0]["started"] for name in (*names, "critical")}
    assert set(run.verdicts.values()) == {"reproducible"}
    assert sum(starts[name] < starts["critical"] for name in names) <= 3
