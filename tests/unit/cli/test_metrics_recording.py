"""Commands that push and pull measure that, where the project has metrics."""

import json

import pytest
from otlp_receiver import receiving

from pytest_ftc.cli.main import main
from pytest_ftc.cli.metrics.recording import measure_operation
from pytest_ftc.model.errors import FtcError


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "ftc.toml").write_text('[metrics]\nproject = "p"\ntextfile = "ftc.prom"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FTC_STORE", str(tmp_path / "store"))
    return tmp_path


def fail(message):
    raise FtcError(message)


def series(capsys):
    capsys.readouterr()
    assert main(["metrics", "show", "--json"]) == 0
    return {
        (one["name"], *(value for name, value in one["labels"].items() if name != "project")): one["value"]
        for one in json.loads(capsys.readouterr().out)
    }


def test_each_outcome_of_an_operation_counts(project, capsys):
    assert measure_operation("push", lambda: 0) == 0
    assert measure_operation("push", lambda: 1) == 1
    with pytest.raises(FtcError, match="403 Forbidden"):
        measure_operation("pull", lambda: fail("registry.example.org/a: 403 Forbidden"))
    found = series(capsys)
    counted = {key[1:]: value for key, value in found.items() if key[0] == "ftc_registry_operations_total" and value}
    assert counted == {("push", "ok"): 1, ("push", "refused"): 1, ("pull", "failed"): 1}
    assert sum(found["ftc_registry_seconds", "push"]["counts"]) == 2
    assert found["ftc_permission_errors_total", "registry"] == 1
    assert 'operation="push",outcome="ok",project="p"} 1.0' in (project / "ftc.prom").read_text()


def test_the_status_of_a_command_does_not_depend_on_metrics(project, capsys):
    (project / "ftc.prom").mkdir()
    assert measure_operation("push", lambda: 0) == 0
    assert "ftc: metrics: " in capsys.readouterr().err


def test_a_collector_of_the_environment_gets_them_without_the_table(project, monkeypatch, capsys):
    (project / "ftc.toml").write_text("")
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        assert measure_operation("push", lambda: 0) == 0
        assert capsys.readouterr().err == ""
        names = {one.name for one in receiver.metrics[0].resource_metrics[0].scope_metrics[0].metrics}
    assert "ftc_registry_operations_total" in names


def test_without_the_table_nothing_is_written(project, capsys):
    (project / "ftc.toml").write_text("")
    assert measure_operation("push", lambda: 0) == 0
    assert not (project / "store").exists() and capsys.readouterr().err == ""
    assert main(["metrics", "show"]) == 2
    assert "[tool.ftc.metrics] is missing in " in capsys.readouterr().err


def test_a_signing_queue_that_is_flushed_says_so(project, capsys):
    assert main(["attest", "flush"]) == 0
    found = series(capsys)
    assert found["ftc_signing_queue_length",] == 0
    assert found["ftc_signings_total", "signed"] == 0


def test_what_has_no_group_cannot_be_deleted(project, capsys):
    assert main(["metrics", "delete"]) == 2
    assert "has no pushgateway: there is no group to delete" in capsys.readouterr().err
