"""``ftc attest compare``: reports and attestations of two builders."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from attestations import BUILDER, INPUTS, signed_by
from samples import verification

from pytest_ftc.attestation.parity import make_parity
from pytest_ftc.attestation.provenance import Builder, Invocation, make_provenance
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.model import Verdict
from pytest_ftc.model.build_inputs import Host
from pytest_ftc.reporting.verification_files import write_verifications

RUN = Invocation(id="urn:uuid:1", started=0, finished=1)


@pytest.fixture
def place(tmp_path):
    """Two reports, and the attestations of two builders."""
    ring = KeyFolder(tmp_path / "keys")
    for name, kernel, tool in (("a", "Linux 6", "e" * 64), ("b", "Linux 5", "f" * 64)):
        ring.new(name, "ed25519", f"operator {name}")
        host = Host(kernel=kernel, machine=f"machine {name}", boot="one kernel")
        inputs = replace(INPUTS, host=host, tools={"/usr/bin/make": tool})
        one = replace(verification(Verdict.REPRODUCIBLE), inputs=inputs)
        write_verifications(tmp_path / f"report-{name}", [one], "1")
        (tmp_path / name).mkdir()
        builder = Builder(id=f"https://{name}.example/", version="1")
        for kind, statement in (("parity", make_parity(one, builder)), ("prov", make_provenance(one, builder, RUN))):
            (tmp_path / name / f"{kind}.dsse.json").write_bytes(signed_by(ring, name, statement=statement).encode())
    (tmp_path / "policy.toml").write_text('keyring = "keys/keys.toml"\n')
    return tmp_path


def compare(place, *arguments, status):
    command = [sys.executable, "-m", "pytest_ftc", "attest", "compare", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_parity_with_what_differs_and_is_shared(place):
    said = compare(place, "a", "b", "--policy", "policy.toml", status=0)
    assert f"✔ parity   dist/app.whl  sha256:{'a' * 64}" in said
    assert "toolchain    /usr/bin/make: eeeeeeeeeeee / ffffffffffff" in said
    assert "environment  kernel: Linux 6 / Linux 5" in said
    assert "shared       kernel, toolchain (1 of 2 are the same)" in said
    assert "different    machine, builder, operator, key" in said
    assert "not verified" not in said


def test_without_a_policy_it_says_that_signatures_were_not_verified(place):
    said = compare(place, "a", "b", status=0)
    assert "the signatures were not verified: give --policy FILE" in said
    assert "unknown      image, operator, key" in said


def test_reports_are_compared_as_well(place):
    (output,) = json.loads(compare(place, "report-a", "b/parity.dsse.json", "--json", status=0))["outputs"]
    assert (output["parity"], output["without_provenance"]) == (True, ["B"])
    assert output["independence"]["builder"] == "unknown"


def test_other_bytes_are_exit_status_1(place):
    record = place / "report-b/verifications/app.json"
    record.write_text(record.read_text().replace("a" * 64, "d" * 64))
    said = compare(place, "report-a", "report-b", status=1)
    assert "✘ differs  dist/app.whl" in said
    assert f"  B  sha256:{'d' * 64}" in said
    assert json.loads(compare(place, "report-a", "report-b", "--json", status=1))["parity"] is False


def test_terminal_escapes_are_defused(place):
    inputs = replace(INPUTS, before="\x1b[2J")
    one = replace(verification(Verdict.REPRODUCIBLE), inputs=inputs)
    write_verifications(place / "report-c", [one], "1")
    said = compare(place, "report-a", "report-c", status=0)
    assert "inputs       before" in said
    assert "\x1b" not in said
    assert BUILDER.id not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a", "none"), "none: No such file"),
        (("a", "policy.toml"), "policy.toml: attestation: no valid JSON"),
        (("a", "report-b", "-p", "policy.toml"), "report-b: a report is not signed"),
        (("a", "b", "-p", "none.toml"), "none.toml: No such file"),
        (("a", "keys"), "keys: no attestations (*.json, *.jsonl, *.link) are there"),
        (("a", "b", "-p", "other.toml"), "a: no trusted key has signed any attestation in it"),
    ],
)
def test_bad_input_gets_one_clear_error(place, arguments, said):
    KeyFolder(place / "others").new("c", "ed25519", "c")
    (place / "other.toml").write_text('keyring = "others/keys.toml"\n')
    assert said in compare(place, *arguments, status=2)
