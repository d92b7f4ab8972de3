"""What the commands about attestations say of mistakes, and of a record that somebody has changed."""

import hashlib
import json
import shutil

import pytest
from publishing import FILES, make_project

from pytest_ftc.attestation.evidence import log_entry
from pytest_ftc.attestation.verdict_log import VerdictLog
from pytest_ftc.cli.attest.verify import _show_embedded
from pytest_ftc.cli.main import main


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("FTC_KEYRING", str(project.folder / "keys"))
    monkeypatch.setenv("FTC_STORE", str(project.folder / "store"))
    monkeypatch.setenv("FTC_STORE_KEY", str(tmp_path / "store-key"))
    VerdictLog(project.folder / "store" / "log").append([log_entry(project.verification, 0)])
    return project


@pytest.fixture
def ftc(capsys):
    def run(*arguments: str, status: int = 0) -> str:
        found = main(list(arguments))
        said = "".join(capsys.readouterr())
        assert found == status, said
        return said

    return run


def create(ftc, report: str = "report", *more: str, status: int = 0) -> str:
    return ftc("attest", "create", report, "--store", "store", "-o", "made", *more, status=status)


def test_a_record_that_was_changed_has_no_proof_of_the_log(project, ftc):
    assert "not in the log" not in create(ftc, "report", "--key", "release")
    accepted = ("attest", "verify", "dist/app.whl", "-p", "policy.toml", "-a", "made")
    project.require("log = true")
    assert "✔ accepted" in ftc(*accepted)
    shutil.copytree("report", "changed")
    record = project.folder / "changed/verifications/app.json"
    evil = hashlib.sha256(b"evil").hexdigest()
    record.write_text(record.read_text().replace(hashlib.sha256(FILES["dist/app.whl"]).hexdigest(), evil))
    said = create(ftc, "changed", "--key", "release")
    assert "app: not in the log: verified with another store, or changed since" in said
    said = ftc("attest", "verify", f"sha256:{evil}", "-p", "policy.toml", "-a", "made", status=1)
    assert "a proof that the verdict is in a log" in said


def test_statements_that_nobody_has_signed_do_not_count_and_do_no_harm(project, ftc):
    create(ftc, "report", "--unsigned")
    said = ftc("attest", "verify", "dist/app.whl", "-p", "policy.toml", "-a", "made", status=1)
    assert "no attestation that a trusted key has signed" in said
    create(ftc, "report", "--key", "release")
    assert "✔ accepted" in ftc("attest", "verify", "dist/app.whl", "-p", "policy.toml", "-a", "made")


@pytest.mark.parametrize("folder", ["policy.toml", "policy.toml/below", "/proc/nothing"])
def test_nothing_waits_for_a_folder_that_cannot_be(project, ftc, folder):
    said = ftc("attest", "create", "report", "--store", "store", "--key", "release", "-o", folder, status=2)
    assert said.startswith(f"ftc: {folder}: ")
    assert said.count("\n") == 1
    assert ftc("attest", "flush", "--store", "store") == "nothing waits for a signer\n"


def test_what_cannot_be_written_waits_and_is_told_in_one_short_line(project, ftc):
    (project.folder / "made").mkdir()
    for kind in ("parity", "test-result", "provenance"):
        (project.folder / f"made/app.{kind}.dsse.json").mkdir()
        (project.folder / f"made/app.{kind}.dsse.json" / "in the way").touch()
    create(ftc, "report", "--key", "release", status=1)
    said = create(ftc, "report", "--key", "release", "--bundle", "--builder", "https://b.example/", status=1)
    assert "3 attestations wait to be written: " in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("attest", "verify", "dist", "-p", "policy.toml"), "dist: a folder: name files in it"),
        (("attest", "verify", "sha256:ABC", "-p", "policy.toml"), "sha256:ABC: expected sha256: and 64"),
        (("keys", "retire", "nothing-like-it"), "no key 'nothing-like-it'; `ftc keys new` makes one\n"),
        (("keys", "retire", "relese"), "no key 'relese'; did you mean 'release'?\n"),
        (("attest", "create", "report", "--key", "x"), "no key 'x'; `ftc keys new` makes one\n"),
    ],
)
def test_a_mistake_is_named_with_what_helps(project, ftc, arguments, said):
    assert said in ftc(*arguments, status=2)


def test_one_verdict_is_one(project, ftc):
    assert "✔ 1 verdict\n" in ftc("log", "verify", "--store", "store")
    assert json.loads(ftc("log", "verify", "--store", "store", "--json"))["size"] == 1


def test_the_head_of_an_empty_log_is_one(project, ftc):
    first = ftc("log", "verify", "--store", "empty").split()[-1]
    assert first.startswith("0:")
    assert "✔ the first 0 of 1 verdicts" in ftc("log", "consistency", first, "--store", "store")
    assert "✘ " in ftc("log", "consistency", f"0:{'a' * 64}", "--store", "store", status=1)


@pytest.mark.parametrize("head", ["{", "[]", '{"size": 1, "size": 2}', '{"size": "x"}', "{}"])
def test_a_changed_head_of_the_log_is_a_problem_of_the_log(project, ftc, head):
    (project.folder / "store/log/head.json").write_text(head)
    assert ftc("log", "verify", "--store", "store", status=1).startswith("✘ head of the log: ")
    assert ftc("log", "prove", "app", "--store", "store", status=1).startswith("✘ head of the log: ")


def test_differences_of_many_embedded_sboms_are_bounded(capsys):
    _show_embedded([f"difference {number}" for number in range(500)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "  and 480 more differences between its SBOMs and the signed one"


def test_a_summary_is_signed_by_the_keys_that_sign_attestations(project, ftc):
    verify = ("attest", "verify", "dist/app.whl", "-p", "policy.toml", "-a", "attestations", "--vsa", "vsa.json")
    ftc("keys", "import", "held", "file2:keys/release.pem")
    ftc(*verify, "--key", "held", "--key", "held")
    assert len(json.loads((project.folder / "vsa.json").read_text())["signatures"]) == 1
    ftc("keys", "retire", "held")
    assert "the key 'held' is retired: its signatures do not count any more" in ftc(*verify, "--key", "held", status=2)


def test_a_variation_that_no_attestation_knows_gets_a_hint(project, ftc):
    project.require('varied = ["tiem", "umask"]')
    said = ftc("attest", "verify", "dist/app.whl", "-p", "policy.toml", "-a", "attestations", status=1)
    reason = "  attestations that lack something were not counted: tiem (did you mean 'time'?)"
    assert said.splitlines()[-1] == reason
