"""What of a machine differs from what was recorded."""

import json

import pytest

from pytest_ftc.builds.inputs.dependencies import FILE, Dependencies
from pytest_ftc.model import BuildResult, BuildStatus, Role
from pytest_ftc.verification.cache import drift
from pytest_ftc.verification.cache.drift import Drift, add_drift, describe_surroundings, find_drift
from pytest_ftc.verification.cache.uses import Uses

FACTS = {"kernel": "Linux 6.1", "C library": "glibc 2.36", "CPU": ""}
TOOLS = {"/usr/bin/gcc": "a" * 64, "/var/lib/dpkg/status": "b" * 64}


CONTROL = BuildResult(id="a", role=Role.CONTROL, environment={}, status=BuildStatus.OK)


@pytest.fixture
def machine(monkeypatch):
    def pretend(locales=("C", "et_EE.utf8"), **facts):
        monkeypatch.setattr(drift, "_describe_machine", lambda: ({**FACTS, **facts}, list(locales)))

    pretend()
    return pretend


def recorded(uses=None, tools=TOOLS):
    return json.dumps({"tools": tools, **describe_surroundings(Uses(tokens=uses or {}), tools, CONTROL)})


def found(before, tools=TOOLS):
    return [one.phrase for one in find_drift(before, tools, Dependencies())]


def test_on_the_same_machine_nothing_differs(machine):
    assert found(recorded()) == []
    assert add_drift("a changed", recorded(), Dependencies()) == "a changed"


def test_another_kernel_and_other_locales_are_named(machine):
    before = recorded()
    machine(kernel="Linux 6.18", CPU="x86_64", locales=("C", "de_DE.utf8"))
    assert found(before) == [
        "kernel Linux 6.18, was Linux 6.1",
        "CPU x86_64, was unknown",
        "locale de_DE.utf8 is new",
        "locale et_EE.utf8 was removed",
    ]
    assert add_drift("a changed", before, Dependencies()) == (
        "a changed; this machine differs from that of the last build: kernel Linux 6.18, was Linux 6.1, "
        "CPU x86_64, was unknown, locale de_DE.utf8 is new and 1 more"
    )


def test_tools_and_packages_are_named(machine):
    now = {"/usr/bin/gcc": "c" * 64, "/opt/python/lib/python3.12/site-packages": "d" * 64}
    assert find_drift(recorded(), now, Dependencies()) == [
        Drift(kind="packages", name="/opt/python/lib/python3.12/site-packages", then="", now="d" * 12),
        Drift(kind="tool", name="/usr/bin/gcc", then="a" * 12, now="c" * 12),
        Drift(kind="packages", name="/var/lib/dpkg/status", then="b" * 12, now=""),
    ]


def test_files_that_the_build_read_are_compared(machine, tmp_path):
    library, gone = tmp_path / "libz.so.1", tmp_path / "gone.h"
    library.write_text("1")
    gone.write_text("1")
    uses = Dependencies().describe([(str(library), FILE), (str(gone), FILE), (str(tmp_path), "looked at")], 1e12)
    before = recorded(uses)
    assert found(before) == []
    assert str(tmp_path) not in json.loads(before)["uses"]
    library.write_text("2")
    gone.unlink()
    assert found(before) == [f"library {library} changed", f"file {gone} was removed"]
    # What the reason names already is not repeated.
    assert add_drift(f"{library} changed", before, Dependencies()).endswith(f"last build: file {gone} was removed")


def test_files_of_the_project_are_not_the_machine(tmp_path):
    paths = [tmp_path / "project" / ".git" / "HEAD", tmp_path / "project-2" / "config"]
    tokens = {str(path): f"f{path.name}" for path in paths}
    seen = describe_surroundings(Uses(tokens=tokens), TOOLS, CONTROL, str(tmp_path / "project"))
    assert list(seen["uses"]) == [str(paths[1])]


def test_of_very_many_files_the_libraries_are_recorded(machine):
    uses = {f"/usr/include/{number}.h": "s644.1.2>" for number in range(6000)}
    assert json.loads(recorded({**uses, "/usr/lib/libc.so.6": "s644.1.2>"}))["uses"] == {"/usr/lib/libc.so.6": "s644.1.2>"}  # fmt: skip


@pytest.mark.parametrize("before", ["", "{", "[]", "3", '{"tools": 3}', '{"tools": {}, "inputs": {}}'])
def test_what_an_earlier_version_has_written_is_not_compared(machine, before):
    assert find_drift(before, TOOLS, Dependencies()) is None
    assert add_drift("a changed", before, Dependencies()) == "a changed"
