"""SBOMs are made with the attestations, and required by policies."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import sboms
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pytest_ftc.reporting.verification_files import write_verifications

BUILD = """
import zipfile
with zipfile.ZipFile("demo-2.0-py3-none-any.whl", "w") as wheel:
    for name in ("hello.txt", "demo.cdx.json"):
        entry = zipfile.ZipInfo("demo-2.0.dist-info/sboms/" * name.endswith("json") + name)
        wheel.writestr(entry, open(name).read())
"""
QUICK = ("--ftc-builds=2", "--ftc-variations=home,umask", "--ftc-no-cache")
EMBEDDED = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [{"type": "library", "name": "libc", "purl": "pkg:cargo/libc@0.2.149", "version": "0.2.149"}],
}


@pytest.fixture
def ftc(project, monkeypatch):
    monkeypatch.setenv("FTC_KEYRING", str(project.parent / f"{project.name}-keys"))

    def run(*arguments: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "pytest_ftc", *arguments]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def verified(project, verify, ftc):
    """A project with lock files, whose wheel has an SBOM that does not agree with them."""
    sboms.write_files(project, **{"Cargo.lock": sboms.CARGO, "package-lock.json": sboms.NPM})
    (project / "hello.txt").write_text("Hello!\n")
    (project / "build.py").write_text(BUILD)
    (project / "demo.cdx.json").write_text(json.dumps(EMBEDDED))
    _configure(project, "")
    assert verify(None, "--ftc-report=report", *QUICK).verdicts == {"wheel": "reproducible"}
    ftc("keys", "new", "release")
    subprocess.run([sys.executable, "build.py"], cwd=project, check=True)
    return project


@pytest.fixture
def recorded(project, ftc):
    """A project with lock files and the record of a verification, without builds."""
    sboms.write_files(project, **{"Cargo.lock": sboms.CARGO, "package-lock.json": sboms.NPM})
    _configure(project, "")
    one = replace(sboms.verified(project), id="ftc.toml::ftc::wheel", name="wheel")
    write_verifications(project / "report", [one], "1.0")
    ftc("keys", "new", "release")
    return project


def _configure(project, table):
    (project / "ftc.toml").write_text(
        '[artifacts.wheel]\nbuild = "python build.py"\noutputs = ["*.whl"]\nsource_date_epoch = 1700000000\n' + table
    )


def test_an_sbom_is_made_signed_and_required(verified, ftc):
    _configure(verified, '[sbom]\nspec = "1.7"\nrequire = ["version", "purl", "timestamp"]\n')
    said = ftc("attest", "create", "report", "--key", "release", "-o", "made")
    assert "wheel: reproducible: made/wheel.sbom.cdx.json" in said
    assert "wheel: reproducible: made/wheel.sbom.dsse.json" in said
    place = "demo-2.0-py3-none-any.whl › demo-2.0.dist-info/sboms/demo.cdx.json"
    assert f"{place}: it lists pkg:cargo/libc in version 0.2.149, and here it is 0.1.12, 0.2.150" in said
    assert f"{place}: it lacks pkg:cargo/spin@0.9.8" in said
    data = (verified / "made/wheel.sbom.cdx.json").read_bytes()
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(data.decode()) is None
    assert b'"pkg:npm/debug@4.3.4"' in data
    _configure(verified, '[sbom]\nspec = "1.7"\nrequire = ["embedded"]\n')
    said = ftc("attest", "create", "report", "--key", "release", "-o", "again", status=1)
    assert f"    {place}: it lists pkg:cargo/libc in version 0.2.149" in said
    assert (verified / "again/wheel.sbom.cdx.json").read_bytes() == data

    (verified / "policy.toml").write_text(f'keyring = "{verified}-keys/keys.toml"\n[require]\nsbom = true\n')
    checked = ("attest", "verify", "demo-2.0-py3-none-any.whl", "-p", "policy.toml", "-a", "made")
    said = ftc(*checked)
    assert "✔ accepted" in said
    assert f"  {place}: it lists pkg:cargo/libc in version 0.2.149, and here it is 0.1.12, 0.2.150" in said
    (verified / "made/wheel.sbom.dsse.json").unlink()
    assert "no signed SBOM" in ftc(*checked, status=1)


def test_a_session_makes_it_with_its_attestations(project, verify, ftc):
    sboms.write_files(project, **{"Cargo.lock": sboms.CARGO})
    (project / "build.py").write_text("open('demo.txt', 'w')")
    ftc("keys", "new", "release")
    table = '[attest]\nkeys = ["release"]\nfolder = "made"\n[sbom]\n'
    text = '[artifacts.wheel]\nbuild = "python build.py"\noutputs = ["demo.txt"]\n'
    run = verify(table + text, *QUICK)
    assert f"attested    4 documents in {project / 'made'}" in run.flat
    assert json.loads((project / "made/wheel.sbom.cdx.json").read_text())["specVersion"] == "1.6"
    assert (project / "made/wheel.sbom.dsse.json").exists()
    (project / "made/wheel.sbom.dsse.json").unlink()
    run = verify(table + 'require = ["hash", "timestamp"]\n' + text, *QUICK)
    assert "wheel: the SBOM is not complete: pkg:cargo/spin@0.9.8" in run.flat
    assert "has no hash (and 1 more)" in run.flat
    assert run.status == 0
    assert not (project / "made/wheel.sbom.dsse.json").exists()
    run = verify(table.replace("[sbom]", "required = true\n[sbom]") + 'require = ["hash"]\n' + text, *QUICK)
    assert run.status == 1
    assert "ERROR: not attested: wheel: the SBOM is not complete: " in run.flat


def test_what_an_incomplete_one_lacks_is_named_and_it_is_not_attested(recorded, ftc):
    _configure(recorded, '[sbom]\nrequire = ["hash", "author", "embedded"]\n')
    said = ftc("attest", "create", "report", "--key", "release", "-o", "made", status=1)
    assert "✘ not attested: it lacks what is required" in said
    assert "pkg:npm/ms@2.1.2 has no hash" in said
    assert "the document has no author: set author in the table sbom" in said
    assert "dist/app.whl: SBOMs in it were not compared: the verified file is not in the source folder" in said
    assert (recorded / "made/wheel.sbom.cdx.json").exists()
    assert not (recorded / "made/wheel.sbom.dsse.json").exists()
    assert (recorded / "made/wheel.parity.dsse.json").exists()


def test_bad_input_gets_one_clear_error(recorded, ftc):
    create = ("attest", "create", "report", "--key", "release", "--sbom")
    _configure(recorded, '[sbom]\nrequire = ["hsh"]\n')
    assert "[sbom] require: unknown name 'hsh'; did you mean 'hash'?" in ftc(*create, status=2)
    _configure(recorded, '[sbom]\nfiles = ["rust/Cargo.lock"]\n')
    assert "the source has no 'rust/Cargo.lock'; did you mean 'Cargo.lock'?" in ftc(*create, status=2)
    _configure(recorded, "")
    assert "No such file" in ftc(*create, "--source", "none", status=2)
    (recorded / "Cargo.lock").write_text("")
    assert "Cargo.lock: not the file that was verified: it has changed since" in ftc(*create, status=2)


def test_without_the_extra_one_line_names_it(recorded, ftc):
    command = "import sys; sys.modules['cyclonedx'] = None; from pytest_ftc.cli.main import main; sys.exit(main())"
    arguments = ["attest", "create", "report", "--key", "release", "--sbom"]
    done = subprocess.run([sys.executable, "-c", command, *arguments], cwd=recorded, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "ftc: an SBOM needs the extra 'sbom': pip install 'pytest-ftc[sbom]'\n"


def test_nothing_of_it_is_imported_until_it_is_asked_for(recorded):
    command = (
        "import sys; from pytest_ftc.cli.main import main; main(); "
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in ('cyclonedx', 'packageurl')))"
    )
    arguments = ["attest", "create", "report", "--key", "release"]
    done = subprocess.run([sys.executable, "-c", command, *arguments], cwd=recorded, capture_output=True, text=True)
    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr
