"""What all tests share: the facilities of this machine in the header, and the check that nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_pytest import ForkedPytest
from hypothesis import settings
from leftovers import find_leftovers, wait_until_gone

pytest_plugins = ["pytester"]

# How long an example takes says more about what else the machine does than about our code.
settings.register_profile("ftc", deadline=None)
settings.load_profile("ftc")

_LONGEST = (
    "store", "bad_input", "guides", "fixtures", "docs", "baselines", "other_plugins", "diagnosis", "hooks", "sampling",
    "determinize", "replay", "declared_in_tests", "collection", "doctor", "oci", "publish_guide", "publish_oci11",
    "publish_faults", "publish",
)  # fmt: skip
"""Files whose tests take minutes, as measured with --durations."""
_TOOLS = ("git", "gcc", "make", "jar", "zip", "msgfmt", "sqlite3", "strace", "unzip", "docker-registry", "bwrap")


def pytest_configure(config: pytest.Config) -> None:
    """Give each process that runs tests a temporary folder of its own, so that it finds what they leave behind."""
    if _runs_tests(config):
        # Where `tmp_path` is stays as it was.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="tests-of-ftc-")
        os.chmod(tempfile.tempdir, 0o1777)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # Who starts the tests in the background has them, and all that they start, ignore Ctrl-C.
            signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _runs_tests(config):
        shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)


def _runs_tests(config: pytest.Config) -> bool:
    """Return whether this is not the process that only divides the tests between workers of pytest-xdist."""
    return hasattr(config, "workerinput") or not config.getoption("numprocesses", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take the longest, so that no worker of pytest-xdist is left with one at the end."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem.removeprefix("test_"), len(places)))


def pytest_report_header() -> str:
    from services.buildbox import find_buildbox
    from services.buildgrid_server import why_not

    from pytest_ftc.builds.machine import survey_machine
    from pytest_ftc.builds.workspace import Workspace

    with Workspace() as workspace:
        machine = survey_machine(workspace.path)
    facts = [
        f"isolation {machine.isolation.value}" + (f" ({machine.isolation_reason})" * bool(machine.isolation_reason)),
        f"overlay {'yes' if machine.overlay else 'no'}",
        f"work on {machine.work_filesystem}",
        f"faketime {machine.faketime or 'none'}",
        f"locales {len(machine.locales)}",
        f"uid {os.geteuid()}",
        f"farms {'+' if find_buildbox() else '-'}buildbox-casd "
        + (f"-BuildGrid ({reason})" if (reason := why_not()) else "+BuildGrid"),
        "tools " + " ".join(f"{'+' if shutil.which(tool) else '-'}{tool}" for tool in _TOOLS),
    ]
    return "facilities: " + ", ".join(facts)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what sessions remember for each other out of the cache of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def _forked_pytest() -> Iterator[ForkedPytest]:
    forked = ForkedPytest()
    yield forked
    forked.close()


@pytest.fixture
def leaves_nothing_behind() -> Iterator[None]:
    """Fail the test when it leaves a process, a mount, a work folder or a piece of shared memory."""
    before = find_leftovers()
    yield
    assert wait_until_gone(before) == set()


@pytest.fixture
def git(tmp_path: Path) -> Iterator[object]:
    """A function that runs git in a folder, as nobody in particular and at a fixed time."""
    identity = {
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_AUTHOR_DATE": "1000000000 +0000",
        "GIT_COMMITTER_DATE": "1000000000 +0000",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }

    def run(folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=folder,
            env={**os.environ, **identity},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    yield run
