"""What options of pytest and of known plugins write is found by their values."""

from pathlib import Path

import pytest

from pytest_ftc.plugin.written_files import find_written


def written(pytester, *arguments: str, **options: object) -> set[str]:
    config = pytester.parseconfig(*arguments)
    for name, value in options.items():
        setattr(config.option, name, value)
    # The base of temporary folders, which pytester sets, is written too.
    inside = (path for path in find_written(config) if path.is_relative_to(pytester.path))
    return {str(path.relative_to(pytester.path)) for path in inside}


def test_the_report_of_junit_the_log_and_the_cache_are_written(pytester):
    found = written(pytester, "--junitxml=reports/junit.xml", "--log-file=log", "-o", "cache_dir=cached")
    assert found == {"reports/junit.xml", "log", "cached"}
    assert written(pytester, "-p", "no:cacheprovider") == set()


def test_what_plugins_write_is_found_where_they_are_installed(pytester):
    found = written(pytester, "-p", "no:cacheprovider", htmlpath="report.html", json_report_file=".report.json")
    assert found == {"report.html", ".report.json"}


@pytest.mark.parametrize("data", [".coverage", "data/cov"])
def test_the_data_and_the_reports_of_coverage_are_written(pytester, monkeypatch, data):
    if data != ".coverage":
        monkeypatch.setenv("COVERAGE_FILE", data)
    reports = {"html": None, "xml": Path("cov.xml"), "term": None, "lcov": ""}
    found = written(pytester, "-p", "no:cacheprovider", cov_source=["src"], cov_report=reports)
    assert found == {data, f"{data}.*", "htmlcov", "cov.xml", "coverage.lcov"}
    assert written(pytester, "-p", "no:cacheprovider", cov_source=[], cov_report=reports) == set()
