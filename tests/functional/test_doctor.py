"""``ftc doctor`` tells the truth for every kind of user and machine."""

import json
import os
import subprocess
import sys

import pytest
from kinds_of_machine import AS_ORDINARY_USER, MASKED_PROC, NEED_NAMESPACES, NO_NAMESPACES

from pytest_ftc.variations import CATALOGUE

NAMES = [variation.name for variation in CATALOGUE]
SITUATIONS = {
    "whoever runs the tests": (),
    "an ordinary user": ("unshare", "-m", "sh", "-c", AS_ORDINARY_USER, "sh"),
    "no namespaces": ("unshare", "-Urm", "sh", "-c", NO_NAMESPACES, "sh"),
    "a masked /proc": ("unshare", "-Urm", "sh", "-c", MASKED_PROC, "sh"),
}


def doctor(situation: str, *options: str) -> str:
    if situation == "an ordinary user" and os.geteuid() != 0:
        situation = "whoever runs the tests"
    command = [*SITUATIONS[situation], sys.executable, "-m", "pytest_ftc", "doctor", *options]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": "/nonexistent", "TMPDIR": "/var/tmp"},
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_variation_has_a_state_and_a_mechanism_or_a_reason(situation):
    found = json.loads(doctor(situation, "--json"))
    assert [state["name"] for state in found["variations"]] == NAMES
    for state in found["variations"]:
        assert state["in_force"] == (not state["reason"])
        assert state["mechanism"]
        assert (state["milliseconds"] is not None) == state["in_force"]
    assert 1 < found["control_milliseconds"] < 10_000
    missing = {state["name"] for state in found["variations"] if not state["in_force"]}
    if situation == "no namespaces":
        assert missing >= NEED_NAMESPACES - {"network"}
        assert found["machine"]["isolation"] == "none"
    else:
        assert missing & NEED_NAMESPACES - {"network"} == ({"pid"} if situation == "a masked /proc" else set())
        assert len(missing) <= (1 if situation == "a masked /proc" else 0)
        assert found["machine"]["isolation"] == "user"


def test_the_table_says_the_same_in_words():
    table = doctor("no namespaces")
    lines = {line.split()[2 if line[0] == "✔" else 3]: line for line in table.splitlines() if line[:1] in ("✔", "!")}
    assert set(lines) == set(NAMES)
    assert lines["umask"].startswith("✔ active      umask")
    assert lines["pid"].startswith("! not varied  pid")
    assert "sysctl user.max_user_namespaces" in table
    assert " ".join(table.split()).count("sudo sysctl -w user.max_user_namespaces=15000") == 1
    assert "\x1b" not in table


def test_it_is_quick_to_refuse_what_it_does_not_know():
    done = subprocess.run([sys.executable, "-m", "pytest_ftc", "doctr"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "there is no command 'doctr'; did you mean 'doctor'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_project_that_takes_warnings_as_errors_is_told_as_well(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest_ftc", "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [state["name"] for state in json.loads(done.stdout)["variations"]] == NAMES
