"""What an SBOM lacks."""

import pytest
import sboms

from pytest_ftc.attestation.sbom.completeness import check_completeness
from pytest_ftc.attestation.sbom.settings import SbomSettings

FULL = SbomSettings(author="Example Org", supplier="Example Org")


@pytest.fixture
def document(tmp_path):
    return sboms.document(sboms.write_files(tmp_path), FULL)


def test_what_is_there_is_not_missed(document):
    assert check_completeness(document, ["purl", "author", "timestamp"]) == []


@pytest.mark.parametrize(
    ("part", "lacking"),
    [
        ("version", ["pkg:pypi/click has no version", "pkg:pypi/plain-name has no version"]),
        (
            "hash",
            [
                "pkg:cargo/spin@0.9.8?vcs_url=git%2Bhttps://github.com/mvdnes/spin-rs%40502c9dc8c5c6a4ba1e4e0d4a2b2a5f9f1b5f7d10 has no hash",
                "pkg:golang/example.com/fork@v1.0.1 has no hash",
                "pkg:npm/ms@2.1.2 has no hash",
                "pkg:pypi/click has no hash",
                "pkg:pypi/plain-name has no hash",
            ],
        ),
        ("relationships", ["pkg:golang/gopkg.in/yaml.v3@v3.0.1 has no relationship: nothing says what needs it"]),
        ("build.hash", ["pkg:pypi/flit-core has no hash", "pkg:pypi/wheel@0.45 has no hash"]),
        ("build.version", ["pkg:pypi/flit-core has no version"]),
    ],
)
def test_each_package_that_lacks_it_is_named(document, part, lacking):
    assert sorted(check_completeness(document, [part])) == lacking


def test_suppliers_are_named_in_the_settings(tmp_path):
    own = SbomSettings(suppliers={"pkg:npm/": "npm", "pkg:npm/@sindresorhus/": "Sindre", "pkg:": "others"})
    made = sboms.document(sboms.write_files(tmp_path), own)
    assert check_completeness(made, ["supplier", "build.supplier"]) == [
        "the artifact itself has no supplier: set supplier in the table sbom"
    ]
    found = {one["name"]: one["supplier"]["name"] for one in made["components"] if "supplier" in one}
    assert (found["is"], found["debug"], found["libc"]) == ("Sindre", "npm", "others")


def test_licences_are_known_of_npm_packages_alone(document):
    assert {line.split("/")[0] for line in check_completeness(document, ["licence"])} == {"pkg:cargo", "pkg:golang", "pkg:pypi"}  # fmt: skip


def test_the_document_itself_can_lack_parts(tmp_path):
    document = sboms.document(sboms.write_files(tmp_path, **{"go.mod": "module a"}), epoch="unset")
    assert check_completeness(document, ["ntia"]) == [
        "the artifact itself has no supplier: set supplier in the table sbom",
        "the artifact itself has no version: no file in the root of its source says it",
        "the document has no author: set author in the table sbom",
        "the document has no timestamp: set source_date_epoch of the artifact",
    ]
    assert "pkg:npm/ms@2.1.3 has no supplier" in check_completeness(
        sboms.document(sboms.write_files(tmp_path)), ["ntia"]
    )
