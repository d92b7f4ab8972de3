"""CycloneDX documents."""

import json
import re
import subprocess
import sys
import sysconfig
from dataclasses import replace

import pytest
import sboms

from pytest_ftc.attestation.sbom.component import Component
from pytest_ftc.attestation.sbom.inventory import take_inventory
from pytest_ftc.attestation.sbom.settings import SPECS, SbomSettings
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.sbom.document import encode_document, find_invalid, make_document
from pytest_ftc.verification.build_inputs import _list_distributions

FULL = SbomSettings(author="Example Org", supplier="Example Org")


@pytest.fixture
def folder(tmp_path):
    return sboms.write_files(tmp_path)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("epoch", ["1700000000", "unset"])
def test_the_strict_validator_of_each_version_accepts_it(folder, spec, epoch):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    made = sboms.document(folder, replace(FULL, spec=spec), epoch)
    assert made["specVersion"] == spec
    validator = JsonStrictValidator(SchemaVersion.from_version(spec))
    assert validator.validate_str(encode_document(made).decode()) is None
    broken = {**made, "components": [{**made["components"][0], "type": "nonsense"}]}
    assert validator.validate_str(json.dumps(broken)) is not None


def test_other_readers_read_it(folder):
    from cyclonedx.model.bom import Bom

    made = sboms.document(folder, FULL)
    read = Bom.from_json(made)
    assert len(read.components) == len(made["components"])
    assert str(read.metadata.component.purl) == "pkg:pypi/demo-project@2.0"


def test_two_runs_give_the_same_bytes(folder):
    one, other = sboms.inventory(folder), sboms.inventory(folder)
    again = replace(other, components=tuple(reversed(other.components)), tools=tuple(reversed(other.tools)))
    documents = {encode_document(make_document(each, FULL, "1.0")) for each in (one, again)}
    assert len(documents) == 1
    changed = make_document(replace(one, components=one.components[1:]), FULL, "1.0")
    assert changed["serialNumber"] not in documents.pop().decode()


def test_the_time_is_that_of_the_sources_or_left_out(folder):
    assert sboms.document(folder, epoch="1700000000")["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert "timestamp" not in sboms.document(folder, epoch="unset")["metadata"]


def test_what_it_needs_is_told_from_what_built_it(folder):
    made = sboms.document(folder)
    properties = {
        one["bom-ref"]: {each["name"]: each["value"] for each in one["properties"]} for one in made["components"]
    }
    scopes = {one["bom-ref"]: one["scope"] for one in made["components"]}
    assert scopes["declared:npm/ms@2.1.3"] == "required"
    assert scopes["build:pypi/wheel@0.45"] == "excluded"
    assert properties["build:pypi/wheel@0.45"]["pytest-ftc:role"] == "build"
    assert properties["build:pypi/wheel@0.45"]["pytest-ftc:requirement"] == "wheel>=0.40"
    assert properties["tool:/usr/bin/make"] == {"pytest-ftc:path": "/usr/bin/make", "pytest-ftc:role": "tool"}
    needed = next(one["dependsOn"] for one in made["dependencies"] if one["ref"] == "artifact")
    assert "declared:pypi/attrs@25.1.0" in needed
    assert not any(ref.startswith(("build:", "tool:")) for ref in needed)


def test_it_is_about_the_outputs(folder):
    root = sboms.document(folder)["metadata"]["component"]
    assert root["components"][0]["name"] == "dist/app.whl"
    assert root["components"][0]["hashes"] == root["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]


def test_no_secret_of_an_address_is_in_it(folder):
    data = encode_document(sboms.document(folder))
    assert b"example.com/plain.zip" in data
    assert b"secret" not in data
    assert b"token@" not in data


def test_what_is_not_known_is_said(folder):
    (folder / "sub").mkdir()
    (folder / "sub/Cargo.lock").write_text("")
    properties = sboms.document(folder)["metadata"]["properties"]
    unknown = [one["value"] for one in properties if one["name"] == "pytest-ftc:unknown"]
    assert "not read: sub/Cargo.lock; name it in files of the table sbom" in unknown


def test_values_that_the_format_forbids_get_one_error(folder):
    bad = Component(type="", name="x", version="1")
    inventory = replace(sboms.inventory(folder), components=(bad,), direct=())
    with pytest.raises(DocumentError, match="app: SBOM: "):
        make_document(inventory, FULL, "1.0")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "specVersion: expected 1.2 to 1.7, found 'None'"),
        ({"specVersion": "9.9"}, "specVersion: expected 1.2 to 1.7, found '9.9'"),
        ({"specVersion": "1.6", "bomFormat": "x"}, "not valid for CycloneDX 1.6: bomFormat: 'x' is not one of"),
    ],
)
def test_invalid_documents_are_explained(document, said):
    assert said in find_invalid(json.dumps(document).encode())


def test_the_components_of_an_environment_agree_with_those_that_cyclonedx_bom_finds(folder):
    command = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        "--output-reproducible",
        "--no-validate",
        sys.executable,
    ]
    theirs = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    expected = {(re.sub("[-_.]+", "-", one["name"]).lower(), one["version"]) for one in theirs["components"]}
    found = _list_distributions((sysconfig.get_path("purelib"),))
    verified = sboms.verified(folder)
    verified = replace(verified, inputs=replace(verified.inputs, distributions=found))
    made = make_document(take_inventory(verified, folder, FULL), FULL, "1.0")
    installed = [one for one in made["components"] if one["bom-ref"].startswith("build:pypi/") and "version" in one]
    assert len(expected) > 20
    assert {(one["name"], one["version"]) for one in installed} == expected
