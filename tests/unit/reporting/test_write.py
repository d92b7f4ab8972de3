"""Reports as files."""

import json

import pytest
from samples import verification

from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import FtcError
from pytest_ftc.reporting.write import Earlier, write_json, write_reports, write_text

SESSION = {"python": "3.12", "platform": "Linux", "started": 0.0, "seconds": 1.0, "root": "/project"}
FILES = ["findings.sarif", "gl-code-quality-report.json", "index.html", "report.json"]


def test_all_reports_name_the_artifact(tmp_path):
    folder = tmp_path / "new" / "report"
    tool = {"name": "pytest-ftc", "version": "0"}
    write_reports(folder, [verification(Verdict.UNREPRODUCIBLE)], tool, SESSION, {}, Earlier())
    assert sorted(path.name for path in folder.iterdir()) == [*FILES, "verifications"]
    assert all("app" in (folder / name).read_text() for name in FILES)
    for name in FILES:
        if name != "index.html":
            json.loads((folder / name).read_text())


def test_a_document_is_readable_and_ends_its_last_line(tmp_path):
    write_json(tmp_path / "x.json", {"name": "é", "list": [1]})
    assert (tmp_path / "x.json").read_text() == '{\n "name": "é",\n "list": [\n  1\n ]\n}\n'


def test_what_cannot_be_written_is_said_with_the_options_that_name_the_place(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FtcError, match="cannot write the report to .*file/x") as raised:
        write_text(tmp_path / "file" / "x", "text")
    assert raised.value.advice and "--ftc-report" in raised.value.advice
