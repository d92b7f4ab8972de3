import json
import os

import jsonschema
import pytest
from samples import verification

from pytest_ftc.errors import FtcError
from pytest_ftc.model import Verdict
from pytest_ftc.model.serial import from_json, to_json
from pytest_ftc.model.verification import Verification
from pytest_ftc.reporting.json_report import report, schema, write_report

TOOL = {"name": "pytest-ftc", "version": "0"}


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_makes_a_valid_report(verdict):
    document = report([verification(verdict)], TOOL, {})
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(json.dumps(document)), schema())


def test_the_schema_refuses_what_must_not_be():
    good = report([verification(Verdict.REPRODUCIBLE)], TOOL, {})
    for spoil in (
        lambda artifact: artifact.update(verdict="fine"),
        lambda artifact: artifact.update(varied=[]),
        lambda artifact: artifact["builds"].pop(),
        lambda artifact: artifact["builds"][0].update(status="lost"),
        lambda artifact: artifact.update(surprise=1),
    ):
        spoiled = json.loads(json.dumps(good))
        spoil(spoiled["artifacts"][0])
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spoiled, schema())


def test_names_that_are_not_unicode_are_escaped(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    document = report([verification(Verdict.UNREPRODUCIBLE, output=name)], TOOL, {})
    write_report(tmp_path / "r.json", document)
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["artifacts"][0]["findings"][0]["output"] == r"caf\xe9"


def test_a_difference_without_diagnosis_is_a_finding_of_unknown_cause():
    (finding,) = report([verification(Verdict.UNREPRODUCIBLE)], TOOL, {})["artifacts"][0]["findings"]
    assert (finding["cause"], finding["confirmed"], finding["remedy"]) == ("unknown", False, None)


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep/er/report.json"
    write_report(path, {"version": 1})
    assert json.loads(path.read_text()) == {"version": 1}
    with pytest.raises(TypeError):
        write_report(path, {"version": object()})
    assert json.loads(path.read_text()) == {"version": 1}
    assert os.listdir(path.parent) == ["report.json"]
    with pytest.raises(FtcError, match="cannot be written"):
        write_report(path / "below-a-file", {})


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verification_survives_the_journey_through_json(verdict):
    original = verification(verdict, output=os.fsdecode(b"caf\xe9"))
    assert from_json(Verification, json.loads(json.dumps(to_json(original)))) == original
