"""The table sbom."""

import pytest

from pytest_ftc.attestation.sbom.settings import SbomSettings
from pytest_ftc.config.project import load_project
from pytest_ftc.model.errors import ConfigurationError


def load(folder, text):
    (folder / "ftc.toml").write_text(text)
    return load_project(folder, {}, needs_artifacts=False).sbom


def test_without_the_table_no_sbom_is_asked_for(tmp_path):
    assert load(tmp_path, "") is None
    assert load(tmp_path, "[sbom]") == SbomSettings(spec="1.6")


def test_all_keys_are_read(tmp_path):
    text = '[sbom]\nspec = "1.7"\nrequire = ["license", "ntia", "build.version"]\nfiles = ["rust/Cargo.lock"]\nauthor = "Us"\nsupplier = "We"\nsuppliers = {"pkg:npm/" = "Npm"}'
    assert load(tmp_path, text) == SbomSettings(
        spec="1.7",
        require=("licence", "ntia", "build.version"),
        files=("rust/Cargo.lock",),
        author="Us",
        supplier="We",
        suppliers={"pkg:npm/": "Npm"},
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sbom = 1", "ftc.toml:1: sbom: expected a table, found 1"),
        ("[sbom]\nspecs = 1", "ftc.toml:2: [sbom] unknown key 'specs'; did you mean 'spec'?  Valid keys: spec,"),
        ("[sbom]\nspec = '2.0'", "ftc.toml:2: [sbom] spec: expected '1.6' or '1.7', found '2.0'"),
        ("[sbom]\nspec = 1.6", "[sbom] spec: expected non-empty text on one line, found 1.6"),
        ("[sbom]\nauthor = ''", "[sbom] author: expected non-empty text on one line, found ''"),
        (
            "[sbom]\nrequire = 'hash'",
            "[sbom] require: expected a list of texts such as ['version', 'hash'], found 'hash'",
        ),
        (
            "[sbom]\nrequire = ['hsh']",
            "[sbom] require: unknown name 'hsh'; did you mean 'hash'?  Valid names: version,",
        ),
        ("[sbom]\nsuppliers = 1", "[sbom] suppliers: expected a table such as {"),
        (
            "[sbom]\nsuppliers = {'npm' = 'x'}",
            "[sbom] suppliers: expected the beginnings of package URLs as in a table",
        ),
        ("[sbom.suppliers]\n'pkg:npm/' = 1", "[sbom.suppliers] pkg:npm/: expected non-empty text on one line, found 1"),
        ("[sbom]\nfiles = ['../x']", "[sbom] files: expected paths below the source folder such as 'rust/Cargo.lock'"),
        ("[sbom]\nfiles = ['/x']", "[sbom] files: expected paths below the source folder"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, text, said):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert said in str(caught.value)
