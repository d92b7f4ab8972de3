"""A session reports while it runs, and its end takes a bounded time."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from samples import verification

from pytest_ftc.config.load import load_config
from pytest_ftc.integrations.metrics import session, table
from pytest_ftc.integrations.metrics.session import open_exporter
from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.progress import Load
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.metrics.facts import Services, SessionFacts

PROJECT = """
[tool.ftc.metrics]
project = "p"
textfile = "ftc.prom"
[tool.ftc.artifacts.app]
build = "true"
outputs = ["x"]
timeout = 7700
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return load_config(tmp_path, {"store": str(tmp_path / "store")}, Vocabulary(()))


def facts(**more):
    return SessionFacts(outcome="passed", verifications=[verification(Verdict.REPRODUCIBLE)], critical={}, **more)


def read(root: Path) -> dict[str, float]:
    text = (root / "ftc.prom").read_text()
    return {
        f"{sample.name}{{{','.join(value for name, value in sorted(sample.labels.items()) if name != 'project')}}}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def await_file(root: Path, holds: str) -> dict[str, float]:
    end = time.monotonic() + 10
    while not ((root / "ftc.prom").exists() and holds in (root / "ftc.prom").read_text()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return read(root)


def test_it_says_that_it_runs_and_counters_are_there_before_the_first_event(config, tmp_path):
    exporter = open_exporter(config)
    exporter.begin(lambda: Load(waiting=4, running=2))
    values = await_file(tmp_path, "ftc_session_active")
    assert values["ftc_session_active{}"] == 1
    assert values["ftc_queue_depth{}"] == 4
    assert values["ftc_builds_running{}"] == 2
    assert values["ftc_build_timeout_seconds{}"] == 7700
    assert values["ftc_verdicts_total{app,false,unreproducible}"] == 0
    assert exporter.finish(facts(services=Services(store_up=True))) == ""
    values = read(tmp_path)
    assert values["ftc_session_active{}"] == values["ftc_queue_depth{}"] == values["ftc_builds_running{}"] == 0
    assert values["ftc_sessions_total{passed}"] == 1
    assert values["ftc_store_up{}"] == 1
    assert values["ftc_cache_entries{local}"] == 0, "what the store holds"


def test_progress_is_when_the_load_changed_last(config, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "_BETWEEN", 0.02)
    load = Load(waiting=3)
    exporter = open_exporter(config)
    exporter.begin(lambda: load)
    first = await_file(tmp_path, 'ftc_queue_depth{project="p"} 3.0')["ftc_session_progress_timestamp_seconds{}"]
    time.sleep(0.1)
    assert read(tmp_path)["ftc_session_progress_timestamp_seconds{}"] == first, "nothing began or ended"
    load = replace(load, waiting=2)
    later = await_file(tmp_path, 'ftc_queue_depth{project="p"} 2.0')["ftc_session_progress_timestamp_seconds{}"]
    assert later > first
    exporter.finish(facts())


def test_the_next_session_goes_on_counting(config, tmp_path):
    for _ in range(3):
        assert open_exporter(config).finish(facts()) == ""
    assert read(tmp_path)["ftc_sessions_total{passed}"] == 3


def test_a_way_out_that_hangs_costs_a_bounded_time_and_loses_nothing(config, tmp_path, monkeypatch):
    exporter, free = open_exporter(config), threading.Event()
    monkeypatch.setattr(session, "SECONDS", 0.5)
    monkeypatch.setattr("pytest_ftc.integrations.metrics.export.write_textfile", lambda *_: free.wait())
    began = time.monotonic()
    assert exporter.finish(facts()) == "they took longer than 0.5 s; ftc metrics push"
    assert time.monotonic() - began < 3
    free.set()
    assert exporter._export.totals.read().value(table.SESSIONS, "passed") == 1


def test_without_the_store_only_gauges_leave_and_that_is_said(config, tmp_path):
    (tmp_path / "store").write_text("no folder")
    said = open_exporter(config).finish(facts(services=Services(store_up=False)))
    assert said.startswith(f"no totals: the store in {tmp_path / 'store'} cannot be used: ")
    values = read(tmp_path)
    assert values["ftc_store_up{}"] == 0
    assert not any(name.startswith("ftc_sessions_total") for name in values), "a counter would seem to be reset"


def test_a_mistake_of_ours_is_told_and_nothing_more(config, monkeypatch):
    monkeypatch.setattr(session, "measure_session", lambda *_: 1 / 0)
    assert "internal error, please report it: ZeroDivisionError" in open_exporter(config).finish(facts())


def test_a_file_that_cannot_be_written_is_said(config, tmp_path):
    (tmp_path / "ftc.prom").mkdir()
    assert open_exporter(config).finish(facts()) == f"{tmp_path / 'ftc.prom'} was not written: Is a directory"


def test_without_the_extra_there_is_one_clear_error(config, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match=r"metrics need the extra 'prometheus': pip install"):
        open_exporter(config)


def test_a_header_without_its_secret_is_one_clear_error(config, tmp_path, monkeypatch):
    text = PROJECT.replace(
        'textfile = "ftc.prom"', 'pushgateway = "http://127.0.0.1:1"\nheaders = {authorization = "env:GONE"}'
    )
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.delenv("GONE", raising=False)
    with pytest.raises(ConfigurationError, match=r"\[tool.ftc.metrics\] headers: the variable GONE is not set"):
        open_exporter(load_config(tmp_path, {}, Vocabulary(())))
