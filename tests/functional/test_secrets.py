"""``secrets``: given to the builds that declare them, found where they leak, and never shown."""

import base64
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pytest_ftc.builds.workspace import Workspace

VALUE = "tok3n-w1th/odd+signs"
HOW = {
    "verbatim": 'printf %s "$TOKEN" > out',
    "base64": 'printf "user:%s" "$TOKEN" | base64 -w0 > out',
    "hexadecimal": 'printf %s "$TOKEN" | od -An -v -tx1 | tr -d " \\n" > out',
    "words": 'printf "at %s" "$TOKEN" | od -An -tx2 > out',
    "large words": 'printf "at %s" "$TOKEN" | od -tx4 > out',
    "words of xxd": 'printf "at %s" "$TOKEN" | xxd -e > out',
    "bits": 'printf "at %s" "$TOKEN" | xxd -b > out',
    "short lines": 'printf %s "$TOKEN" | fold -w3 > out',
    "entities": 'for code in $(printf %s "$TOKEN" | od -An -v -tu1); do printf "&#%s" "$code"; done > out',
    "octal": r'for code in $(printf %s "$TOKEN" | od -An -v -to1); do printf "\\\0%s" "$code"; done > out',
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
    assert "appears in out" in artifact["leaks"][0]
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
    assert run.artifact("named")["leaks"] == ["env:NAME (verbatim) appears in the name of out-***"]
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
    assert "appears in out" in run.artifact()["leaks"][0]


def test_a_file_that_builds_cannot_see_is_one_clear_error(project, verify_build):
    (project / "secret").write_text("file-s3cr3t\n")
    run = verify_build("echo > out", more='secrets = ["file:secret"]')
    assert run.verdicts == {"app": "error"}
    assert "builds have a private" in run.flat


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


def hidden_in(texts, value):
    """Return the parts of `value` of six bytes that are shown, as they are or in columns of a dump."""
    parts = [value[start : start + 6] for start in range(len(value) - 5)]
    return [part for part in parts if any(part in text or part.encode().hex(" ") in text for text in texts)]


CUT = {
    "cut": "import os,time;open('out','w').write(os.environ['TOKEN']+'x'*90+str(time.time_ns()))",
    "dumped": "import os;open('out','wb').write(b'\\0'*7+os.urandom(4)+os.environ['TOKEN'].encode()+b'\\0'*5)",
    "escaped": "import os,time,json;json.dump({os.environ['TOKEN']:time.time_ns()},open('out','w'))",
    "wide": "import os;open('out','wb').write((os.urandom(9).hex()+os.environ['TOKEN']).encode('utf-16-le'))",
    "wrapped": "import os,base64;open('out','wb').write(base64.encodebytes(os.urandom(40)+os.environ['TOKEN'].encode()*3))",
    "named": "import os;open('out-'+os.urandom(4).hex()+os.environ['TOKEN'],'w').write('x')",
    "zipped": "import os,gzip,zipfile\n"
    "with zipfile.ZipFile('out','w') as z: z.writestr('a.gz',gzip.compress(os.urandom(9)+os.environ['TOKEN'].encode()))",
    "printed": "import os,time;v=os.environ['TOKEN'];print(v[:9]);print(v.encode().hex(' '));print(repr(v[5:]));raise SystemExit(1)",
    "raised": "import os,time;open('out-'+os.environ['TOKEN'][2:][:9],'w').write(str(time.time_ns()));os.mkfifo('out-f')",
}


@pytest.mark.parametrize("diagnose", ["off", "full"])
def test_no_part_of_a_secret_stands_in_a_report_or_on_the_screen(project, verify, monkeypatch, diagnose):
    token = "Zq9tok~KLMNOP\"4711'xyzw-BCDF"
    monkeypatch.setenv("TOKEN", token)
    tables = [
        f'[artifacts.{name}]\nbuild = ["python3", "-c", {json.dumps(script)}]\noutputs = ["out*"]\nsecrets = ["env:TOKEN"]'
        for name, script in CUT.items()
    ]
    run = verify(
        "\n".join(tables),
        "--ftc-report=r",
        f"--ftc-diagnose={diagnose}",
        "--ftc-variations=quick",
        "--ftc-max-builds=5",
    )
    left = {name: artifact["leaks"] for name in CUT if (artifact := run.artifact(name))}
    assert {name for name, leaks in left.items() if not leaks} == {"raised"}
    files = [path for path in project.rglob("*") if path.is_file() and path.name != "ftc.toml"]
    assert len([path for path in files if "r" in path.relative_to(project).parts]) > 2 * len(CUT)
    texts = [run.text, *map(str, files), *(path.read_text(errors="replace") for path in files)]
    assert not hidden_in(texts, token)
    for name in set(CUT) - {"printed", "raised"}:
        assert run.artifact(name)["verdict"] == "unreproducible"
        assert "not shown: the output contains a secret" in str(run.artifact(name)["differences"]) or name == "named"


def test_a_session_that_is_killed_leaves_no_part_of_a_secret(project, monkeypatch):
    token = "Zq9tok~KLMNOP\"4711'xyzw-BCDF"
    monkeypatch.setenv("TOKEN", token)
    script = f"{CUT['cut']};print(os.environ['TOKEN'][3:])"
    (project / "ftc.toml").write_text(
        f'[artifacts.app]\nbuild = ["python3", "-c", {json.dumps(script)}]\noutputs = ["out"]\nsecrets = ["env:TOKEN"]\n'
    )
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-report=r", "--ftc-variations=quick"]
    with open(project / "screen", "wb") as screen:
        session = subprocess.Popen(command, cwd=project, stdout=screen, stderr=screen)
        end = time.monotonic() + 60
        # Those of the control and an experiment: what differs has been compared then, or is being explained.
        while len(list(project.glob("r/logs/*.log"))) < 3 and session.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        session.kill()
        session.wait()
    assert session.returncode == -signal.SIGKILL
    files = [path for path in project.rglob("*") if path.is_file() and path.name != "ftc.toml"]
    assert list(project.glob("r/logs/*.log"))
    assert not hidden_in([*map(str, files), *(path.read_text(errors="replace") for path in files)], token)
    with Workspace():
        pass  # the next session removes the private work folder of the killed one


def test_builds_see_no_keys_and_no_files_of_secrets_that_they_do_not_declare(verify, monkeypatch):
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    hidden = Path(tempfile.mkdtemp(prefix=".ftc-test-", dir=home))
    try:
        monkeypatch.setenv("XDG_DATA_HOME", str(hidden / "data"))
        keys = hidden / "data" / "pytest-ftc" / "keys"
        keys.mkdir(parents=True)
        for file in (keys / "own.pem", hidden / "given", hidden / "named", hidden / "login"):
            file.write_text(f"s3cr3t of {file.name}\n")
        (hidden / "link").symlink_to(hidden / "named")
        show = f"cat {hidden}/data/pytest-ftc/store-key {keys}/* {hidden}/given {hidden}/named {hidden}/link {hidden}/login"
        run = verify(
            f"""
            [secrets]
            NAMED = "file:{hidden}/link"
            [vault]
            token = "file:{hidden}/login"
            [artifacts.user]
            build = '''grep -q "s3cr3t of given" "$GIVEN" && test "$NAMED" = "s3cr3t of named" && test ! -s {hidden}/named && date > out'''
            outputs = ["out"]
            secrets = ["file:{hidden}/given", "NAMED"]
            [artifacts.other]
            build = "{show} > out 2> errors; date >> errors; test -e {hidden}/given"
            outputs = ["out", "errors"]
            """,
            "--ftc-variations=home",
        )
        assert (hidden / "data/pytest-ftc/store-key").stat().st_size > 0
    finally:
        shutil.rmtree(hidden)
    assert run.artifact("user")["builds"][0]["status"] == "ok", run.text
    (out,) = [one for one in run.artifact("other")["builds"][0]["outputs"] if one["path"] == "out"]
    assert (out["size"], run.artifact("other")["builds"][0]["status"]) == (0, "ok")


def test_a_value_as_a_file_is_in_memory_and_for_one_artifact_alone(verify):
    run = verify(
        """
        [secrets]
        KEY = {source = "env:TOKEN", file = true}
        [artifacts.user]
        build = '''test "$(cat $KEY)" = "tok3n-w1th/odd+signs" && stat -f -c %T $KEY > out && stat -c %a $KEY >> out && test -O $KEY'''
        outputs = ["out"]
        secrets = ["KEY"]
        [artifacts.other]
        build = "ls /ftc-secrets > out 2>&1; echo $KEY >> out; test ! -e /ftc-secrets"
        outputs = ["out"]
        env = {KEY = "/ftc-secrets/KEY"}
        [artifacts.leaks]
        build = "cat $KEY > out"
        outputs = ["out"]
        secrets = ["KEY"]
        """,
        "--ftc-variations=user_group,home",
    )
    assert run.verdicts == {"user": "reproducible", "other": "reproducible", "leaks": "reproducible"}, run.text
    assert run.artifact("leaks")["leaks"] == ["KEY (verbatim) appears in out"]
    assert run.artifact("user")["leaks"] == []
    assert not shows(run.text)
