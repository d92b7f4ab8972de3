"""Metrics of sessions as a user has them: with workers, without the Pushgateway, and with mistakes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from functional.conftest import Verify
from prometheus_client.parser import text_string_to_metric_families

TWO = """
[metrics]
project = "p"
{out}

[artifacts.good]
build = "echo hello > good.txt"
outputs = ["good.txt"]
source = "src"

[artifacts.bad]
build = "date +%s%N > bad.txt"
outputs = ["bad.txt"]
source = "src"
"""


@pytest.fixture(autouse=True)
def _sources(project: Path) -> None:
    # Each run of a session leaves a folder in the project.
    (project / "src").mkdir()
    (project / "src" / "readme").touch()


def read(file: Path) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(file.read_text()):
        for sample in family.samples:
            labels = ",".join(value for name, value in sorted(sample.labels.items()) if name != "project")
            found[f"{sample.name}({labels})"] = sample.value
    return found


def test_the_controller_measures_what_workers_did_and_totals_go_on(verify: Verify, project: Path) -> None:
    toml = TWO.format(out='textfile = "ftc.prom"')
    first = verify(toml, "--ftc-builds=2", "-n", "2", "-p", "xdist")
    assert first.status == 1 and "  metrics  " not in first.text
    values = read(project / "ftc.prom")
    assert values["ftc_sessions_total(failed)"] == 1
    assert values["ftc_builds_total(ok,control)"] == values["ftc_builds_total(ok,experiment)"] == 2
    assert values["ftc_verdicts_total(bad,false,unreproducible)"] == 1
    assert values["ftc_store_up()"] == 1 and values["ftc_store_writes_total(ok)"] > 0
    assert values["ftc_cache_misses_total(local)"] == 2
    assert values["ftc_build_cpu_seconds_total(good)"] > 0
    second = verify(None, "--ftc-builds=2")
    assert second.status == 1
    values = read(project / "ftc.prom")
    assert values["ftc_sessions_total(failed)"] == 2
    assert values["ftc_verdicts_total(good,true,reproducible)"] == 1
    assert values["ftc_builds_total(ok,control)"] == 2, "both verdicts came from the cache"
    assert values["ftc_cache_hits_total(local)"] == 2


def test_a_pushgateway_that_is_away_is_one_line_and_changes_nothing(verify: Verify, project: Path) -> None:
    with socket.socket() as bound:  # nobody listens there
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        run = verify(TWO.format(out=f'pushgateway = "{url}"'), "--ftc-builds=2", "-k", "good")
    assert run.status == 0
    assert run.text.count("  metrics     ") == 1
    assert f"  metrics     the Pushgateway {url}: Connection refused" in run.text


def test_a_secret_that_is_missing_is_an_error_before_any_build(verify: Verify, project: Path) -> None:
    out = 'pushgateway = "https://push.example.org"\nheaders = { authorization = "env:FTC_TEST_GONE" }'
    run = verify(TWO.format(out=out))
    assert run.status == 4 and not run.report
    assert "ERROR: [tool.ftc.metrics] headers: the variable FTC_TEST_GONE is not set" in run.text
