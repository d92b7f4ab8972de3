"""``secrets``: given to the builds that declare them, found where they leak, and never shown."""

import base64
import os
import pwd
from pathlib import Path

import pytest

VALUE = "tok3n-w1th/odd+signs"
HOW = {
    "as it is": 'printf %s "$TOKEN" > out',
    "base64": 'printf "user:%s" "$TOKEN" | base64 -w0 > out',
    "hexadecimal": 'printf %s "$TOKEN" | od -An -v -tx1 | tr -d " \\n" > out',
    "in gzip": 'printf %s "$TOKEN" | gzip -n > out',
}


@pytest.fixture(autouse=True)
def _token(monkeypatch):
    monkeypatch.setenv("TOKEN", VALUE)


def shows(text):
    encoded = base64.b64encode(VALUE.encode()).decode()[:20]
    return VALUE in text or VALUE.encode().hex() in text or encoded in text


@pytest.mark.parametrize("how", HOW)
def test_a_secret_in_an_output_fails_the_artifact(verify_build, how):
    run = verify_build(HOW[how], more='secrets = ["env:TOKEN"]')
    artifact = run.artifact()
    assert run.status == 1
    assert artifact["leaks"]
    assert artifact["leaks"][0].startswith("env:TOKEN (")
    assert "stands in out" in artifact["leaks"][0]
    assert "leaks a secret" in run.text
    assert not shows(run.text)
    assert not shows(str(run.report))


def test_a_secret_in_the_log_is_found_and_masked_there(project, verify_build):
    run = verify_build('echo "using $TOKEN"; echo good > out', more='secrets = ["env:TOKEN"]')
    assert "log of the control build" in run.artifact()["leaks"][0]
    logs = list(project.glob(".pytest_cache/d/ftc/logs/*.log"))
    assert logs
    assert not any(shows(log.read_text()) for log in logs)
    assert "using ***" in logs[0].read_text()


def test_a_secret_in_a_name_or_in_the_log_of_an_attempt_that_is_repeated_is_found(project, verify, monkeypatch):
    monkeypatch.setenv("NAME", "n4me-of-nobody")
    run = verify(
        """
        retries = 1

        [artifacts.named]
        build = 'date +%N > "out-$NAME"'
        outputs = ["out*"]
        secrets = ["env:NAME"]

        [artifacts.killed]
        build = 'echo "$TOKEN"; kill -9 $$'
        outputs = ["out"]
        secrets = ["env:TOKEN"]
        """
    )
    assert run.artifact("named")["leaks"] == ["env:NAME (as it is) stands in the name of out-***"]
    assert run.artifact("killed")["builds"][0]["attempts"] == 2
    assert "log of the control build" in run.artifact("killed")["leaks"][0]
    left = [file for file in project.rglob("*") if file.is_file() and file.name != "ftc.toml"]
    assert len([file for file in left if file.name.startswith("killed-control")]) >= 2
    assert not any("n4me" in str(file) or b"n4me" in file.read_bytes() for file in left)
    assert not any(shows(file.read_text(errors="replace")) for file in left)


def test_a_secret_that_differs_is_masked_in_evidence_and_diffs_too(project, verify_build):
    run = verify_build('echo "$TOKEN $HOME" > out', "--ftc-diagnose=full", more='secrets = ["env:TOKEN"]')
    assert run.verdicts == {"app": "unreproducible"}
    assert not shows(run.text)
    assert not shows(str(run.report))
    assert not any(shows(file.read_text()) for file in project.glob(".pytest_cache/d/ftc/diffs/*"))


def test_what_uses_its_secret_and_keeps_it_is_reproducible(verify_build):
    run = verify_build('test "$TOKEN" = "tok3n-w1th/odd+signs" && echo good > out', more='secrets = ["env:TOKEN"]')
    assert (run.status, run.verdicts, run.artifact()["leaks"]) == (0, {"app": "reproducible"}, [])


def test_a_build_that_does_not_declare_it_does_not_get_it(verify_build):
    run = verify_build('echo "<$TOKEN>" > out; test -z "$TOKEN"')
    assert run.verdicts == {"app": "reproducible"}


def test_a_file_is_given_by_its_path(verify_build):
    secret = Path(pwd.getpwuid(os.getuid()).pw_dir, ".ftc-test-secret")
    secret.write_text("file-s3cr3t\n")
    try:
        run = verify_build('cat "$FTC_TEST_SECRET" > out', more=f'secrets = ["file:{secret}"]')
    finally:
        secret.unlink()
    assert "stands in out" in run.artifact()["leaks"][0]


def test_a_file_that_builds_cannot_see_is_one_clear_error(project, verify_build):
    (project / "secret").write_text("file-s3cr3t\n")
    run = verify_build("echo > out", more='secrets = ["file:secret"]')
    assert run.verdicts == {"app": "error"}
    assert "of their own and cannot see it" in run.flat


def test_a_secret_that_is_missing_is_one_clear_error(verify_build, monkeypatch):
    monkeypatch.delenv("TOKEN")
    run = verify_build("echo > out", more='secrets = ["env:TOKEN"]')
    assert run.verdicts == {"app": "error"}
    assert "secret env:TOKEN: the variable TOKEN is not set" in run.flat


@pytest.mark.parametrize("value", ['"TOKEN"', '["TOKEN"]', "[1]", '["env:"]'])
def test_what_is_no_list_of_secrets_is_a_usage_error(verify_build, value):
    run = verify_build("echo > out", more=f"secrets = {value}")
    assert run.status == 4
    assert "secrets" in run.text
