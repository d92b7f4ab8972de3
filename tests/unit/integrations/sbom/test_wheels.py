"""SBOMs in wheels."""

import json
import zipfile

import pytest
import sboms
from samples import verification

from pytest_ftc.attestation.sbom.statement import make_sbom_statement
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.sbom import attest
from pytest_ftc.integrations.sbom.attest import compare_wheel, compare_with_signed
from pytest_ftc.integrations.sbom.embedded import read_embedded
from pytest_ftc.integrations.signers import NotInstalledError
from pytest_ftc.model import Verdict

PLACE = "demo-2.0.dist-info/sboms/demo.cdx.json"


@pytest.fixture
def ours(tmp_path):
    return sboms.document(sboms.write_files(tmp_path / "source"))


def make_wheel(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_one_that_agrees_has_no_difference(tmp_path, ours):
    wheel = make_wheel(tmp_path / "a.whl", {PLACE: json.dumps(ours), "demo/sboms/x.json": "{}", "demo.py": ""})
    assert [where for where, _ in read_embedded(wheel, "a.whl")] == [f"a.whl › {PLACE}"]
    assert list(compare_wheel(wheel, "a.whl", ours)) == []
    assert list(compare_wheel(make_wheel(tmp_path / "b.whl", {"demo.py": ""}), "b.whl", ours)) == []


def test_other_versions_are_named_with_their_place(tmp_path, ours):
    changed = json.loads(json.dumps(ours).replace("0.2.150", "0.2.149"))
    wheel = make_wheel(tmp_path / "a.whl", {PLACE: json.dumps(changed)})
    assert f"a.whl › {PLACE}: it lists pkg:cargo/libc in version 0.2.149, and here it is 0.1.12, 0.2.150" in list(
        compare_wheel(wheel, "a.whl", ours)
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("no json", "not checked: it is no JSON object"),
        ("[" * 200_000, "not checked: it is no JSON object"),
        ('{"spdxVersion": "SPDX-2.3"}', "not checked: it is no CycloneDX document"),
        ('{"bomFormat": "CycloneDX", "specVersion": "1.6", "nonsense": 1}', "not valid for CycloneDX 1.6: "),
        ('{"bomFormat": "CycloneDX", "specVersion": {}}', "specVersion: expected 1.2 to 1.7"),
        ("\0" * (17 << 20), "not checked: it is larger than 16 MiB"),
    ],
)
def test_those_that_cannot_be_compared_are_named(tmp_path, ours, data, said):
    wheel = make_wheel(tmp_path / "a.whl", {PLACE: data})
    (found,) = compare_wheel(wheel, "a.whl", ours)
    assert found.startswith(f"a.whl › {PLACE}: {said}")


def test_many_are_not_all_read(tmp_path, ours):
    wheel = make_wheel(tmp_path / "a.whl", {f"a.dist-info/sboms/{i}": "x" for i in range(30)})
    found = list(compare_wheel(wheel, "a.whl", ours))
    assert len(found) == 21
    assert found[-1] == "a.whl: it has too many members: not all SBOMs in it were read"


@pytest.mark.parametrize("damage", ["no zip", "cut", "bomb"])
def test_hostile_wheels_get_one_error(tmp_path, damage):
    wheel = make_wheel(tmp_path / "a.whl", {PLACE: b"\0" * (100 << 20) if damage == "bomb" else b"{}"})
    if damage != "bomb":
        wheel.write_bytes(b"nothing" if damage == "no zip" else wheel.read_bytes()[:60])
    with pytest.raises(DocumentError, match="a.whl: its SBOMs cannot be read: ") as caught:
        list(read_embedded(wheel, "a.whl"))
    assert "Error" not in str(caught.value)


def signed(document):
    return make_sbom_statement(verification(Verdict.REPRODUCIBLE), document)


def test_a_verified_wheel_is_compared_with_the_signed_sbom(tmp_path, ours):
    wheel = make_wheel(tmp_path / "a.whl", {PLACE: json.dumps(ours).replace("0.2.150", "0.2.149")})
    (found, *_) = compare_with_signed(wheel, [signed(ours)])
    assert found.startswith(f"a.whl › {PLACE}: it lists pkg:cargo/libc in version 0.2.149")
    assert compare_with_signed(wheel, []) == ()
    assert compare_with_signed(wheel.rename(tmp_path / "a.zip"), [signed(ours)]) == ()


@pytest.mark.parametrize("changes", [{"components": 1}, {"components": [{"purl": 1}]}, {"specVersion": 16}])
def test_a_signed_sbom_that_is_none_is_refused(tmp_path, ours, changes):
    wheel = make_wheel(tmp_path / "a.whl", {PLACE: json.dumps(ours)})
    with pytest.raises(DocumentError, match="a.whl: the signed SBOM is "):
        compare_with_signed(wheel, [signed({**ours, **changes})])


def test_without_the_extra_a_verified_wheel_is_not_compared(tmp_path, ours, monkeypatch):
    def missing(_):
        raise NotInstalledError("the extra 'sbom' is not there")

    monkeypatch.setattr(attest, "find_invalid", missing)
    wheel = make_wheel(tmp_path / "a.whl", {PLACE: json.dumps(ours)})
    assert compare_with_signed(wheel, [signed(ours)]) == (
        "a.whl: SBOMs in it were not compared: the extra 'sbom' is not there",
    )
