"""SARIF: valid, with all that code scanning shows."""

import json
from pathlib import Path

import jsonschema
import pytest
from report_samples import NOTHING, TOOL, everything, finding, with_findings

from pytest_ftc.reporting.sarif import to_sarif

SCHEMAS = Path(__file__).parents[2] / "schemas"


SARIF = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text())


def test_sarif_is_valid():
    document = to_sarif(everything(), TOOL, {"ftc.toml::ftc::app": 7}, NOTHING)
    jsonschema.Draft4Validator(SARIF).validate(json.loads(json.dumps(document)))
    results = document["runs"][0]["results"]
    assert {result["ruleId"] for result in results} == {
        rule["id"] for rule in document["runs"][0]["tool"]["driver"]["rules"]
    }
    assert any(result["locations"][0]["physicalLocation"]["region"]["startLine"] == 7 for result in results)


def test_each_rule_of_sarif_says_what_code_scanning_shows():
    strange = with_findings(finding(cause="phase_of_the_moon"))
    rules = to_sarif([*everything(), strange], TOOL, {}, NOTHING)["runs"][0]["tool"]["driver"]["rules"]
    assert {"failed", "fragile", "error", "time", "phase_of_the_moon"} <= {rule["id"] for rule in rules}
    assert all(rule[key]["text"] for rule in rules for key in ("shortDescription", "fullDescription", "help"))


def test_the_schema_of_sarif_refuses_what_is_not():
    document = to_sarif(everything(), TOOL, {}, NOTHING)
    del document["runs"][0]["tool"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(SARIF).validate(document)
