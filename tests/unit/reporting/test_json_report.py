import json
import os
import time
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import verification

from pytest_ftc.model import Verdict
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.model.verification import Verification
from pytest_ftc.reporting.findings import findings_of
from pytest_ftc.reporting.json_report import report, schema
from pytest_ftc.reporting.write import write_json

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
    write_json(tmp_path / "r.json", document)
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["artifacts"][0]["findings"][0]["output"] == r"caf\xe9"


def test_a_difference_without_diagnosis_is_a_finding_of_unknown_cause():
    (finding,) = report([verification(Verdict.UNREPRODUCIBLE)], TOOL, {})["artifacts"][0]["findings"]
    assert (finding["cause"], finding["confirmed"], finding["remedy"]) == ("unknown", False, None)


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep/er/report.json"
    write_json(path, {"version": 1})
    assert json.loads(path.read_text()) == {"version": 1}
    with pytest.raises(TypeError):
        write_json(path, {"version": object()})
    assert json.loads(path.read_text()) == {"version": 1}
    assert os.listdir(path.parent) == ["report.json"]
    with pytest.raises(FtcError, match="cannot write the report") as caught:
        write_json(path / "below-a-file", {})
    assert caught.value.advice


def test_a_finding_stands_for_the_difference_it_explains():
    plain = verification(Verdict.UNREPRODUCIBLE, many=2)
    explained = replace(findings_of(plain)[0], cause="time", confirmed=True, command=("zip", "-r", "x"))
    findings = report([replace(plain, findings=(explained,))], TOOL, {})["artifacts"][0]["findings"]
    assert [(finding["cause"], finding["command"]) for finding in findings] == [
        ("time", ["zip", "-r", "x"]),
        ("unknown", []),
    ]


@given(st.text(st.characters(), max_size=40))
def test_no_text_spoils_a_report(text):
    entry = replace(verification(Verdict.UNREPRODUCIBLE, output=text, value=text), notes=(text,), reason=text)
    document = report([entry], TOOL, {"root": text, "arguments": (text,)})
    json.dumps(document, ensure_ascii=False).encode()


def test_fifty_thousand_outputs_take_no_time():
    control, experiment = verification(Verdict.REPRODUCIBLE).builds
    outputs = tuple(replace(control.outputs[0], path=f"é/{number}") for number in range(50_000))
    entry = replace(verification(Verdict.REPRODUCIBLE), builds=(replace(control, outputs=outputs), experiment))
    begin = time.process_time()
    report([entry], TOOL, {})
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verification_survives_the_journey_through_json(verdict):
    original = verification(verdict, output=os.fsdecode(b"caf\xe9"))
    assert from_json(Verification, json.loads(json.dumps(to_json(original)))) == original
