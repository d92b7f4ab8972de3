"""How another SBOM differs from ours."""

import copy

import pytest
import sboms

from pytest_ftc.attestation.sbom.embedded import compare_embedded
from pytest_ftc.attestation.strict_json import DocumentError


@pytest.fixture
def ours(tmp_path):
    return sboms.document(sboms.write_files(tmp_path))


def theirs_of(ours):
    """Return an SBOM of the Cargo packages alone, as a wheel with Rust code has it."""
    kept = [copy.deepcopy(one) for one in ours["components"] if one.get("purl", "").startswith("pkg:cargo/")]
    return {"components": [{"name": "bundled", "type": "library", "purl": kept[0]["purl"], "components": kept[1:]}]}


def test_one_that_agrees_has_no_difference(ours):
    assert compare_embedded(theirs_of(ours), ours) == []
    assert compare_embedded({}, ours) == []


def test_packages_in_the_sources_are_known(ours):
    theirs = theirs_of(ours)
    own = {"name": "own", "purl": "pkg:cargo/own@0.1.0?download_url=file://own", "version": "0.1.0"}
    theirs["components"].append(own)
    assert compare_embedded(theirs, ours) == []
    assert compare_embedded({"components": [own]}, ours)[0].startswith("it lacks pkg:cargo/libc@0.1.12")


def test_a_missing_component_is_named(ours):
    theirs = theirs_of(ours)
    theirs["components"][0]["components"] = [
        one for one in theirs["components"][0]["components"] if one["name"] != "spin"
    ]
    (said,) = compare_embedded(theirs, ours)
    assert said.startswith("it lacks pkg:cargo/spin@0.9.8")


def test_another_version_is_named(ours):
    theirs = {"components": [{"name": "ms", "purl": "pkg:npm/ms@1.0.0", "version": "1.0.0"}]}
    assert "it lists pkg:npm/ms in version 1.0.0, and here it is 2.0.0, 2.1.2, 2.1.3" in compare_embedded(theirs, ours)


def test_another_digest_is_named(ours):
    theirs = theirs_of(ours)
    for one in theirs["components"][0]["components"]:
        for each in one.get("hashes", []):
            each["content"] = "0" * 64
    assert f"with another SHA-256 digest: {'0' * 64}" in compare_embedded(theirs, ours)[0]


def test_what_is_unknown_here_is_named(ours):
    theirs = {"components": [{"name": "ssl", "purl": "pkg:deb/debian/openssl@3"}, {"name": "x"}]}
    assert compare_embedded(theirs, ours) == [
        "it lists pkg:deb/debian/openssl@3, which the lock files and the build environment do not have",
        "1 of its components have no package URL, and were not compared",
    ]


def test_many_differences_are_counted(ours):
    theirs = {"components": [{"name": "x", "purl": f"pkg:deb/x{i}@1"} for i in range(80)]}
    assert compare_embedded(theirs, ours)[-1] == "and 30 more differences"
    with pytest.raises(DocumentError, match="more than 10000 components"):
        compare_embedded({"components": [{"name": "x"}] * 10_001}, ours)
