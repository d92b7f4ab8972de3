"""A session attests its verdicts as [tool.ftc.attest] says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BUILD = """\
[attest]
keys = ["release"]
{more}

[artifacts.good]
build = "echo good > good.txt"
outputs = ["good.txt"]
[artifacts.bad]
build = "date +%s%N > bad.txt"
outputs = ["bad.txt"]
"""
QUICK = ("--ftc-variations=home,umask",)


@pytest.fixture
def keyring(project, monkeypatch):
    """An empty keyring, outside the project."""
    folder = Path(f"{project}-keys")
    monkeypatch.setenv("FTC_KEYRING", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def release(keyring, project):
    """A key in the keyring, and a policy that trusts it."""
    ftc(project, "keys", "new", "release")
    (project / "policy.toml").write_text(f'keyring = "{keyring}/keys.toml"\n[require]\nlog = true\n')
    return keyring / "release.pem"


def ftc(project: Path, *arguments: str, status: int = 0) -> str:
    command = [sys.executable, "-m", "pytest_ftc", *arguments]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def statement(path: Path) -> dict[str, object]:
    import base64

    return dict(json.loads(base64.b64decode(json.loads(path.read_text())["payload"])))


def test_good_and_bad_verdicts_are_attested_beside_the_report(project, verify, release):
    run = verify(BUILD.format(more='builder = "https://ci.example/"\nbundle = true'), "--ftc-report=report", *QUICK)
    assert run.verdicts == {"good": "reproducible", "bad": "unreproducible"}
    folder = project / "report/attestations"
    assert f"attested    6 documents in {folder}" in run.flat
    assert len(list(folder.glob("*.dsse.json"))) == len(list(folder.glob("*.sigstore.json"))) == 6
    (project / "good.txt").write_text("good\n")
    assert "✔ accepted" in ftc(project, "attest", "verify", "good.txt", "-p", "policy.toml", "-a", str(folder))
    made = statement(folder / "good.parity.dsse.json")
    assert made["predicate"]["producer"]["uri"] == "https://ci.example/"


def test_a_report_is_verified_with_the_attestations_in_its_folder(project, verify, release):
    # The second session writes its report beside the attestations of the first, and then its own over them.
    for _ in range(2):
        verify(BUILD.format(more=""), "--ftc-report=report", "--ftc-no-cache", *QUICK)
    said = ftc(project, "report", "verify", "report", "-p", "policy.toml")
    assert "✔ the report and the files beside it are as they were written" in said
    assert "attested    good.txt\n" in said


def test_the_workers_of_xdist_verify_and_the_session_attests(project, verify, release):
    run = verify(BUILD.format(more="required = true"), "-n2", *QUICK)
    assert run.verdicts == {"good": "reproducible", "bad": "unreproducible"}
    assert run.text.count("attested    6 documents in") == 1
    (project / "good.txt").write_text("good\n")
    assert "✔ accepted" in ftc(project, "attest", "verify", "good.txt", "-p", "policy.toml", "-a", "attestations")


def test_attestations_are_no_sources(project, verify, release):
    (project / "src").mkdir()
    text = BUILD.partition("[artifacts.bad]")[0].format(more="folder = 'src/proofs'") + "source = 'src'\n"
    for is_cached in (False, True):
        run = verify(text, *QUICK)
        assert run.artifact("good")["cached"] is is_cached
        assert f"attested    3 documents in {project / 'src/proofs'}" in run.flat


def test_without_the_key_the_verdict_stands_unless_it_is_required(project, verify, release):
    release.unlink()
    run = verify(BUILD.format(more=""), *QUICK)
    assert run.verdicts == {"good": "reproducible", "bad": "unreproducible"}
    assert f"unsigned    {release}: the private key 'release' is not here" in run.flat
    run = verify(BUILD.format(more="required = true"), *QUICK)
    assert run.status == 4
    assert f"attest: {release}: the private key 'release' is not here" in run.flat


@pytest.mark.parametrize("required", [False, True])
def test_a_signer_that_is_away_lets_them_wait_until_the_next_session(project, verify, release, required):
    good = BUILD.partition("[artifacts.bad]")[0]
    text = good.format(more=f"required = {str(required).lower()}\nfolder = 'proofs'")
    away = text.replace('keys = ["release"]', 'keys = ["release", "hv:release"]')
    os.environ["VAULT_ADDR"] = "http://127.0.0.1:9"
    try:
        run = verify(away, *QUICK)
    finally:
        del os.environ["VAULT_ADDR"]
    reason = "3 attestations wait for a signer: hv:release: it cannot be reached: it is down, or VAULT_ADDR is wrong; ftc attest flush"
    assert f"{'ERROR: not attested:' if required else 'unsigned   '} {reason}" in run.flat
    assert run.status == int(required)
    assert run.verdicts == {"good": "reproducible"}
    assert not (project / "proofs").exists()
    # The same files, by the key that is there: what waited for them is replaced.
    run = verify(text, *QUICK)
    assert run.status == 0
    assert f"attested    3 documents in {project / 'proofs'}" in run.flat
    assert "for a signer" not in run.flat


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('keys = ["release"]\nrequird = true', "[attest] unknown key 'requird'; did you mean 'required'?"),
        ('keys = ["hw:release"]', "attest: hw:release: no known signer; did you mean 'hv'?"),
        ('keys = ["relase"]\nrequired = true', "no key 'relase'; did you mean 'release'?"),
    ],
)
def test_bad_settings_are_one_clear_error(project, verify, release, table, said):
    run = verify(f"[attest]\n{table}\n[artifacts.app]\nbuild = 'touch x'\noutputs = ['x']\n")
    assert run.status == 4
    assert said in run.flat
    assert "Traceback" not in run.text


def test_without_the_extra_one_line_names_it(project, verify, release, tmp_path, monkeypatch):
    (tmp_path / "securesystemslib.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = verify(BUILD.format(more="required = true"), *QUICK)
    assert run.status == 4
    assert "attest: signing needs the extra 'sign': pip install 'pytest-ftc[sign]'" in run.flat


def test_the_command_signs_as_configured(project, verify, release):
    toml = BUILD.format(more='builder = "https://ci.example/"\nbundle = true')
    verify(toml, *QUICK, "--ftc-report=report", "-k", "good")
    ftc(project, "attest", "create", "report", "-o", "own")
    assert sorted(path.suffixes[-2] for path in (project / "own").glob("good.parity.*")) == [".dsse", ".sigstore"]
    statement = ftc(project, "attest", "create", "report", "--unsigned", "-o", "plain")
    assert "good.parity.statement.json" in statement
    provenance = json.loads((project / "plain/good.provenance.statement.json").read_text())
    assert provenance["predicate"]["runDetails"]["builder"]["id"] == "https://ci.example/"
