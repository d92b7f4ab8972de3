"""Verdicts are attested, and the attestations verified, by the commands."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "fixtures" / "sample"


@pytest.fixture
def ftc(project, monkeypatch):
    monkeypatch.setenv("FTC_KEYRING", f"{project}-keys")

    def run(*arguments: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "pytest_ftc", *arguments]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    yield run
    shutil.rmtree(f"{project}-keys", ignore_errors=True)


@pytest.fixture
def attested(project, verify, ftc):
    shutil.copytree(SAMPLE, project, dirs_exist_ok=True)
    run = verify(None, "--ftc-report=report", "--ftc-diagnose=full")
    assert run.verdicts == {"good": "reproducible", "bad": "unreproducible"}
    ftc("keys", "new", "release", "--operator", "us")
    ftc("attest", "create", "report", "--key", "release", "-o", "attestations")
    (project / "policy.toml").write_text(
        f'keyring = "{project}-keys/keys.toml"\n[require]\nlog = true\nprovenance = true\n'
    )
    return project


def test_a_negative_attestation_names_cause_command_and_remedy(attested, ftc):
    said = ftc("attest", "verify", "attestations/bad.parity.dsse.json", "-p", "policy.toml", status=1)
    assert "✘ refused   bad.tgz" in said
    assert "attested as not reproducible, cause: " in said
    assert "command  tar czf bad.tgz hello.txt" in said
    assert "(confirmed)" in said
    assert "(proved by rebuilding)" in said


def test_a_file_is_accepted_until_its_key_is_retired(attested, ftc):
    build = json.loads((attested / "report/verifications/good.json").read_text())["verification"]["builds"][0]
    subprocess.run(["sh", "-c", _command_of(attested, "good")], cwd=attested, check=True)
    assert build["outputs"][0]["sha256"] == _sha256(attested / "good.tgz")
    verified = ("attest", "verify", "good.tgz", "-p", "policy.toml", "-a", "attestations", "--json")
    (result,) = json.loads(ftc(*verified)).values()
    assert result["accepted"]
    assert result["builds"] >= 2
    assert result["problems"] == []
    ftc("keys", "retire", "release")
    (result,) = json.loads(ftc(*verified, status=1)).values()
    assert result["problems"] == ["no attestation that a trusted key has signed is about it"]


def test_a_report_is_verified_with_its_attestations_until_it_is_changed(attested, ftc):
    said = ftc("report", "verify", "report", "-p", "policy.toml", "-a", "attestations")
    assert "✔ the report and the files beside it are as they were written" in said
    assert "  verdicts    1 reproducible, 1 unreproducible\n" in said
    assert "  attested    good.tgz\n" in said
    log = attested / "report/logs/good-control.log"
    log.write_text(f"{log.read_text()}forged\n")
    assert "✘ logs/good-control.log was changed" in ftc("report", "verify", "report/report.json", status=1)
    ftc("keys", "retire", "release")
    said = ftc("report", "verify", "report", "-p", "policy.toml", "-a", "attestations", status=1)
    assert "✘ good.tgz is not attested: no attestation that a trusted key has signed is about it" in said


def test_provenance_names_the_sources_and_tools(attested, ftc):
    ftc("attest", "create", "report", "--unsigned", "-o", "statements")
    statement = json.loads((attested / "statements/good.provenance.statement.json").read_text())
    listed = {one["name"]: one for one in statement["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert "source tree" in listed
    assert any(name.endswith("/tar") for name in listed)
    assert statement["predicate"]["buildDefinition"]["externalParameters"]["artifact"] == "ftc.toml::ftc::good"


def test_every_verdict_is_logged_and_a_lost_one_is_found(attested, verify, ftc, monkeypatch):
    import os

    assert "✔ 2 verdicts" in ftc("log", "verify")
    head = json.loads(ftc("log", "verify", "--json"))
    verify(None)
    assert "✔ 4 verdicts" in ftc("log", "verify")
    ftc("log", "consistency", f"{head['size']}:{head['root']}")
    leaves = Path(os.environ["FTC_STORE"], "log", "leaves.jsonl")
    leaves.write_bytes(b"".join(leaves.read_bytes().splitlines(keepends=True)[1:]))
    assert "the log has 3 leaves, and its head counts 4" in ftc("log", "verify", status=1)
    assert "the verdicts were not logged: the log lost leaves" in verify(None).flat


def test_a_trace_is_attested_without_secrets(project, verify_build, ftc, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cret-Value-of-it")
    build = 'sh -c "true $TOKEN"; cat /etc/hostname > /dev/null; echo "$TOKEN" | wc -c > out'
    more = 'secrets = ["env:TOKEN"]\n[artifacts.app.env]\nPLAIN = "of-the-environment"'
    for arguments in ((), ("--ftc-trace", "--ftc-no-cache")):
        run = verify_build(build, "--ftc-report=report", *arguments, more=more)
        assert run.verdicts == {"app": "reproducible"}
        ftc("attest", "create", "report", "--unsigned", "-o", "statements")
        assert (project / "statements/app.runtime-trace.statement.json").exists() == bool(arguments)
    text = (project / "statements/app.runtime-trace.statement.json").read_text()
    found = json.loads(text)["predicate"]["monitorLog"]
    assert any(one["processBinary"].endswith("/cat") for one in found["process"])
    assert "/etc/hostname" in {one["name"] for one in found["fileAccess"]}
    record = (project / "report/verifications/app.json").read_text()
    for kept in (text, record):
        assert "s3cret-Value-of-it" not in kept
    assert "of-the-environment" not in text


def test_a_summary_of_one_builder_claims_no_reproduced_build(attested, ftc):
    subprocess.run(["sh", "-c", _command_of(attested, "good")], cwd=attested, check=True)
    verified = ("attest", "verify", "good.tgz", "-p", "policy.toml", "-a", "attestations", "--vsa", "out/vsa.json")
    ftc(*verified)
    summary = json.loads((attested / "out/vsa.json").read_text())
    assert summary["subject"] == [{"name": "good.tgz", "digest": {"sha256": _sha256(attested / "good.tgz")}}]
    assert summary["predicate"]["verifiedLevels"] == ["SLSA_BUILD_LEVEL_UNEVALUATED"]
    assert summary["predicate"]["policy"]["digest"] == {"sha256": _sha256(attested / "policy.toml")}
    used = {one["uri"]: one["digest"]["sha256"] for one in summary["predicate"]["inputAttestations"]}
    assert used == {path.name: _sha256(path) for path in (attested / "attestations").glob("good.*")}
    (attested / "altered.tgz").write_bytes(b"x")
    again = [{"good.tgz": "altered.tgz"}.get(one, one) for one in verified]
    ftc(*again, "--key", "release", "--verifier", "https://gate.example/", status=1)
    signed = json.loads((attested / "out/vsa.json").read_text())
    predicate = json.loads(base64.b64decode(signed["payload"]))["predicate"]
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert predicate["verifier"]["id"] == "https://gate.example/"
    assert len(signed["signatures"]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("attest", "verify", "hello.txt", "-p", "policy.toml", "--key", "release"), "are for --vsa PATH"),
        (
            ("attest", "verify", "hello.txt", "-p", "policy.toml", "--vsa", "v", "--verifier", "me"),
            "--verifier: expected a URI",
        ),
        (
            ("attest", "verify", "hello.txt", "ftc.toml", "-p", "policy.toml", "--vsa", "v"),
            "--vsa: expected one artifact, found 2",
        ),
        (
            ("attest", "verify", "hello.txt", "-p", "policy.toml", "--vsa", "v", "--key", "relase"),
            "no key 'relase'; did you mean 'release'",
        ),
        (("attest", "create", "none", "--unsigned"), "none: no verification was recorded there"),
        (("attest", "create", "report"), "name a signer with --key, or give --unsigned"),
        (("attest", "create", "report", "--key", "release", "--unsigned"), "--key and --unsigned exclude each other"),
        (("attest", "create", "report", "--key", "relase"), "no key 'relase'; did you mean 'release'"),
        (("attest", "create", "report", "--key", "release", "--builder", "me"), "--builder: expected a URI"),
        (("attest", "verify", "hello.txt", "-p", "none.toml"), "none.toml: No such file"),
        (("attest", "verify", "none.txt", "-p", "policy.toml"), "none.txt: No such file"),
        (
            ("attest", "verify", "hello.txt", "-p", "policy.toml", "-a", "ftc.toml"),
            "ftc.toml: attestation: no valid JSON",
        ),
        (("keys", "rotate", "relase"), "no key 'relase'; did you mean 'release'"),
        (("log", "prove", "none"), "the log has no verdict on 'none'"),
        (("log", "consistency", "1:2"), "expected SIZE:ROOT"),
    ],
)
def test_bad_input_gets_one_clear_error(attested_once, ftc_once, arguments, said):
    assert said in ftc_once(*arguments, status=2)


@pytest.fixture(scope="module")
def attested_once(tmp_path_factory):
    """A project with a record of a verification, a key and a policy, and no builds."""
    folder = tmp_path_factory.mktemp("attested")
    (folder / "hello.txt").write_text("Hello!\n")
    (folder / "ftc.toml").write_text("")
    (folder / "report/verifications").mkdir(parents=True)
    (folder / "report/verifications/x.json").write_text('{"version": 1, "verification": {}}')
    keys = folder / "keys"
    _run(folder, "keys", "new", "release", "--keyring", str(keys))
    (folder / "policy.toml").write_text('keyring = "keys/keys.toml"\n')
    return folder


@pytest.fixture
def ftc_once(attested_once, monkeypatch):
    monkeypatch.setenv("FTC_KEYRING", str(attested_once / "keys"))

    def run(*arguments: str, status: int) -> str:
        done = _run(attested_once, *arguments)
        assert done.returncode == status, done.stdout + done.stderr
        assert done.stderr.count("\n") <= 2
        return done.stderr

    return run


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "pytest_ftc", *arguments], cwd=folder, capture_output=True, text=True)


def _command_of(project: Path, name: str) -> str:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads((project / "ftc.toml").read_text())["artifacts"][name]["build"]


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_of_it_is_imported_unless_it_is_asked_for():
    code = (
        "import sys, pytest_ftc.plugin, pytest_ftc.plugin.session, pytest_ftc.verification.open_session as o;"
        "print([m for m in sys.modules if m.startswith(('securesystemslib', 'cryptography', 'in_toto'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_extra_one_line_names_it(attested_once, tmp_path):
    (tmp_path / "securesystemslib.py").write_text("raise ImportError('not installed')")
    command = [sys.executable, "-m", "pytest_ftc", "keys", "new", "other", "--keyring", str(tmp_path / "keys")]
    import os

    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=attested_once, env=environ, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "ftc: signing needs the extra 'sign': pip install 'pytest-ftc[sign]'\n"
