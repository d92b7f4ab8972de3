"""Secrets of each source are planted, and searched for in all that a session and its attestations leave or show."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from services.openbao import LEAVES, READS

from pytest_ftc.builds.requirements.commands import clean_environment
from pytest_ftc.model.support.git import run_git

OF_ENV, OF_FILE, OF_VAULT = "env/s3cr3t+One~4711", "file/s3cr3t+Two~4712", "vault/s3cr3t+Three~4713"
PIN, STORE_KEY = "hsm-pin-s3cr3t-4714", "store-key-s3cr3t-4715-" + "k" * 20
TOML = """\
[secrets]
API = "env:CI_API"
KEY = "file:{outside}/planted"
DEPLOY = "vault:secret/ci/planted#password"

[vault]
role_id = "env:CI_ROLE"
secret_id = "file:{outside}/secret-id"
"""
USES = """
[artifacts.user]
build = '''test "$API" && test "$KEY" && test "$DEPLOY" && test -z "$VAULT_TOKEN$CI_API$FTC_HSM_PIN" && sleep 1 && date > out'''
outputs = ["out"]
secrets = ["API", "KEY", "DEPLOY"]

[artifacts.other]
build = "env > out; cat /proc/*/environ /proc/*/cmdline >> out 2>&1; sleep 2"
outputs = ["out"]
env = {{WHO = "no secrets"}}
"""
LEAKS = """
[artifacts.leaks]
build = '''printf %s "$API" > plain; printf %s "$KEY" | base64 > coded; printf %s "$DEPLOY" | od -An -tx1 | tr -d ' \\n' > hexed; date +%N > out'''
outputs = ["plain", "coded", "hexed", "out"]
secrets = ["API", "KEY", "DEPLOY"]

[artifacts.fails]
build = '''echo "$API $KEY"; printf %s "$DEPLOY" | base64; printf %s "$DEPLOY" | od -tx1; env >&2; exit 3'''
outputs = ["out"]
secrets = ["API", "KEY", "DEPLOY"]
"""


def spellings(secret: str) -> Iterator[bytes]:
    """Yield `secret` as programs write it, found by other means than those of the product."""
    data = secret.encode()
    yield from (data, data.hex().encode(), data.hex().upper().encode(), quote(secret, safe="").encode())
    yield from (data[::-1], data.hex(" ").encode(), json.dumps(secret)[1:-1].replace("/", "\\/").encode())
    for before in range(3):
        text = base64.b64encode(b"x" * before + data)
        yield text[4 if before else 0 : -4]
        yield text[4 if before else 0 : -4].translate(bytes.maketrans(b"+/", b"-_"))


def find(secrets: Mapping[str, str], places: Mapping[str, bytes]) -> list[str]:
    """Return where a secret stands, one sentence each."""
    wanted = [(name, form) for name, secret in secrets.items() for form in spellings(secret)]
    return [f"{name} as {form!r} in {place}" for place, data in places.items() for name, form in wanted if form in data]


def files_below(*folders: Path) -> dict[str, bytes]:
    """Return the contents and the names of all files."""
    found = {}
    # Not Path.rglob, which fails where a folder goes meanwhile.
    for folder, folders_in_it, names in (step for top in folders for step in os.walk(top)):
        for path in (Path(folder, name) for name in (*folders_in_it, *names)):
            with contextlib.suppress(OSError):
                found[str(path)] = os.fsencode(path.name) + b"\n" + (path.read_bytes() if path.is_file() else b"")
    return found


class Watch:
    """Looks at all processes and at the work folders of sessions, again and again, until the block ends."""

    def __init__(self, secrets: Mapping[str, str], work: Path) -> None:
        self._secrets = secrets
        self._work = work
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.found: set[str] = set()
        self.looks = 0
        self.strangers = 0
        """Looks at a build that was given no secrets."""
        self.work_files = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            self.looks += 1
            places = {}
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    command, environ = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
                except OSError:
                    continue
                places[f"the command line {command[:200]!r}"] = command
                if b"WHO=no secrets" in environ or b"pytest_ftc.builds.launcher" in command:
                    self.strangers += b"WHO=no secrets" in environ
                    places[f"the environment of {command[:200]!r}"] = environ
            work = files_below(*self._work.glob("pytest-ftc-*"))
            self.work_files = max(self.work_files, len(work))
            self.found.update(find(self._secrets, {**places, **work}))


@pytest.fixture
def planted(openbao, project, tmp_path_factory, monkeypatch):
    """A project with secrets of each source, and their values by name."""
    outside = tmp_path_factory.mktemp("outside")
    openbao.put("ci/planted", password=OF_VAULT)
    role, secret_id = openbao.make_role(READS + LEAVES)
    (outside / "planted").write_text(f"{OF_FILE}\n")
    (outside / "secret-id").write_text(secret_id)
    ftc(project, "keys", "new", "private", "--keyring", str(outside))
    private = (outside / "private.pem").read_text().splitlines()[1]
    given = {"CI_API": OF_ENV, "CI_ROLE": role, "FTC_HSM_PIN": PIN, "FTC_STORE_KEY": STORE_KEY}
    given |= {"VAULT_ADDR": openbao.address, "VAULT_TOKEN": openbao.server.root}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FTC_KEYRING", str(outside / "keys"))
    (project / "configured").write_text(TOML.format(outside=outside))
    secrets = {"API": OF_ENV, "KEY": OF_FILE, "DEPLOY": OF_VAULT, "PIN": PIN, "store key": STORE_KEY}
    secrets |= {"root token": openbao.server.root, "secret id": secret_id, "private key": private}
    yield outside, secrets
    shutil.rmtree(outside)


LOUD = (
    "-vvv",
    "--log-cli-level=DEBUG",
    "--log-file=log",
    "--log-file-level=DEBUG",
    "--ftc-report=report",
    "--ftc-trace",
)


def search(project: Path, secrets: Mapping[str, str], **shown: str) -> list[str]:
    folders = (project, Path(os.environ["FTC_STORE"]))
    left = {**files_below(*folders), **{name: text.encode() for name, text in shown.items()}}
    assert any(path.endswith("index.html") for path in left)
    assert any("/verifications/" in path for path in left)
    return find(secrets, left)


def ftc(project: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pytest_ftc", *arguments], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_search_finds_what_is_planted(tmp_path):
    """Otherwise the other tests here prove nothing."""
    for number, form in enumerate(spellings(OF_ENV)):
        (tmp_path / str(number)).write_bytes(b"at " + form + b" end")
    assert len({place.rpartition(" ")[2] for place in find({"API": OF_ENV}, files_below(tmp_path))}) == number + 1
    marked = [sys.executable, "-c", "import time; time.sleep(20)", OF_ENV]
    process = subprocess.Popen(marked, env={"WHO": "no secrets", "API": OF_FILE})
    with Watch({"API": OF_ENV, "KEY": OF_FILE}, tmp_path) as watch:
        end = time.monotonic() + 10
        while len(watch.found) < 2 and time.monotonic() < end:
            time.sleep(0.05)
    process.kill()
    process.wait()
    assert {text.partition(" ")[0] for text in watch.found} == {"API", "KEY"}


def test_no_secret_is_in_what_a_session_leaves_shows_or_runs(planted, project, verify, openbao, pytester, monkeypatch):
    outside, secrets = planted
    work = outside / "work"
    work.mkdir()
    monkeypatch.setenv("TMPDIR", str(work))
    before = openbao.tokens
    with Watch(secrets, work) as watch:
        run = verify((project / "configured").read_text() + USES.format(), *LOUD, "--ftc-variations=home,umask")
    assert run.verdicts["user"] in ("reproducible", "unreproducible"), run.text
    assert run.artifact("user")["leaks"] == []
    assert run.artifact("other")["verdict"] in ("reproducible", "unreproducible")
    assert openbao.tokens == before
    assert sorted(watch.found) == []
    assert min(watch.looks, watch.strangers, watch.work_files) > 0
    assert search(project, secrets, screen=run.text) == []
    said = ftc(project, "keys", "new", "release")
    keys = ("--key", "release", "--key", f"file2:{outside}/private.pem")
    said += ftc(project, "attest", "create", "report", *keys, "--sbom", "--bundle", "-o", "attestations")
    envelopes = [json.loads(path.read_text()) for path in (project / "attestations").glob("user.*.dsse.json")]
    assert len(envelopes) >= 4
    payloads = {str(number): base64.b64decode(one["payload"]) for number, one in enumerate(envelopes)}
    assert find(secrets, payloads) == []
    (provenance,) = [one for one in map(json.loads, payloads.values()) if "buildDefinition" in one["predicate"]]
    assert provenance["predicate"]["buildDefinition"]["externalParameters"]["artifact"] == "ftc.toml::ftc::user"
    kept = {path.read_text().splitlines()[1] for path in (outside / "keys").glob("*.pem")}
    assert kept
    assert search(project, {**secrets, **{key: key for key in kept}}, screen=said) == []


def test_what_builds_leak_or_print_is_shown_nowhere(planted, project, verify):
    _, secrets = planted
    run = verify(
        (project / "configured").read_text() + LEAKS, *LOUD, "--ftc-variations=home,umask", "--ftc-diagnose=full"
    )
    leaks = " ".join(run.artifact("leaks")["leaks"])
    assert all(told in leaks for told in ("API (verbatim)", "KEY (base64)", "DEPLOY (hexadecimal)"))
    assert run.artifact("fails")["leaks"]
    assert run.verdicts == {"leaks": "unreproducible", "fails": "failed"}
    assert search(project, secrets, screen=run.text) == []


def test_a_build_is_replayed_with_its_secrets(planted, project, verify, pytester):
    _, secrets = planted
    run = verify((project / "configured").read_text() + USES.format(), "--ftc-report=report", "--ftc-variations=umask")
    again = pytester.runpytest_subprocess(
        "--ftc-replay=user-control", "--ftc-report=report", "-p", "no:hypothesispytest"
    )
    text = str(again.stdout) + str(again.stderr)
    assert "user-control" in text
    assert "could not be replayed" not in text
    assert "exit status" not in text
    assert search(project, secrets, screen=run.text + text) == []


def test_git_and_installers_do_not_get_credentials(planted, project):
    _, secrets = planted
    alias = ("-c", "alias.show-environment=!env", "show-environment")
    shown = {"git": run_git(project, *alias).stdout, "installers": repr(clean_environment()).encode()}
    assert b"PATH=" in shown["git"]
    credentials = {name: secrets[name] for name in ("PIN", "store key", "root token")}
    assert find(credentials, shown) == []
