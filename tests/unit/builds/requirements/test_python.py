"""Real projects, prepared and then really built, offline.  All but a few tests share one cache of environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.builds.requirements import environment_cache as build_environment
from pytest_ftc.builds.requirements import install as installation
from pytest_ftc.builds.requirements.commands import CommandError, mask_credentials, run_command
from pytest_ftc.builds.requirements.python import Prepared, prepare
from pytest_ftc.config.python_project import declare
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.model.errors import ConfigurationError, PreparationError

Git = Callable[..., str]

METADATA = '[project]\nname = "trait"\nversion = "1.0"\ndescription = "."\n'
SETUPTOOLS = '[build-system]\nrequires = ["setuptools >= 40.8.0"]\n'
BACKEND = """\
import os, tarfile, zipfile
NAME = "trait-1.0"

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/trait-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{NAME}.dist-info/METADATA", "Metadata-Version: 2.1\\nName: trait\\nVersion: 1.0\\n")
    return "trait-1.0-py3-none-any.whl"

def build_sdist(folder, config_settings=None):
    with tarfile.open(f"{folder}/{NAME}.tar.gz", "w:gz") as sdist:
        sdist.add("pyproject.toml", f"{NAME}/pyproject.toml")
    return f"{NAME}.tar.gz"
"""
IN_TREE = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["backend"]\n',
    "backend/own.py": BACKEND,
}
PROJECTS: dict[str, Mapping[str, str]] = {
    "setup-py-only": {
        "setup.py": 'from setuptools import setup\nsetup(name="trait", version="1.0", py_modules=["trait"])\n',
        "trait.py": "",
    },
    "setuptools": {
        "pyproject.toml": f'{SETUPTOOLS}build-backend = "setuptools.build_meta"\n{METADATA}',
        "trait.py": "",
        # Must not be taken for PyPA's build.
        "build.py": "raise SystemExit('the wrong build')",
    },
    "flit": {
        "pyproject.toml": f'[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n{METADATA}',
        "trait.py": "",
    },
    "hatchling": {
        "pyproject.toml": f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n{METADATA}',
        "trait/__init__.py": "",
    },
    "in-tree-backend": IN_TREE,
}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build-environments")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def with_hook(body: str) -> dict[str, str]:
    hook = f"\ndef get_requires_for_build_wheel(config_settings=None):\n    {body}\n"
    return {**IN_TREE, "backend/own.py": BACKEND + hook}


def artifact_of(source: Path, kind: str = "wheel") -> Artifact:
    return next(artifact for artifact in declare(source / "pyproject.toml") if artifact.name == kind)


def snapshot_of(source: Path, git_dir: Path | None = None) -> Snapshot:
    return Snapshot(path=source, git_dir=git_dir, git_link=None, commit_time=None)


def prepare_project(source: Path, cache: Path, kind: str = "wheel") -> Prepared:
    return prepare(artifact_of(source, kind), snapshot_of(source), cache)


def environment_of(prepared: Prepared) -> Path:
    return Path(prepared.path_entries[0]).parent


def list_files(folder: Path) -> dict[str, tuple[int, int]]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def build_offline(prepared: Prepared, source: Path, target: Path) -> list[Path]:
    """Build a copy of `source`, without network where this machine has namespaces, and return the outputs."""
    shutil.copytree(source, target)
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True) if shutil.which("unshare") else None
    offline = ["unshare", "-rn"] if probe and probe.returncode == 0 else []
    path = os.pathsep.join([*prepared.path_entries, "/usr/bin", "/bin"])
    done = subprocess.run(
        [*offline, *prepared.artifact.build], cwd=target, env={"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [output for glob in prepared.artifact.outputs for output in target.glob(glob)]


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
@pytest.mark.parametrize("trait", PROJECTS)
def test_a_project_builds_offline_and_leaves_its_environment_alone(
    trait: str, kind: str, project: Path, cache: Path, tmp_path: Path
) -> None:
    write(project, PROJECTS[trait])
    before = list_files(project)
    prepared = prepare_project(project, cache, kind)
    environment = environment_of(prepared)
    installed = list_files(environment)
    (output,) = build_offline(prepared, project, tmp_path / "copy")
    assert zipfile.is_zipfile(output) if kind == "wheel" else tarfile.is_tarfile(output)
    assert list_files(project) == before
    assert list_files(environment) == installed


def test_a_declared_command_is_ready_as_it_is(tmp_path: Path) -> None:
    artifact = Artifact(id="a", name="a", build="make", outputs=("a",), source=tmp_path)
    assert prepare(artifact, snapshot_of(tmp_path), tmp_path / "cache") == Prepared(artifact=artifact)
    assert not (tmp_path / "cache").exists()


def test_what_is_no_python_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="neither pyproject.toml nor setup.py"):
        declare(tmp_path / "pyproject.toml")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("requires = 'setuptools'", "`requires` must be an array of strings"),
        ("build-backend = 'x'", "`requires` is a required property"),
        ("requires = []\nbackend_path = []", "Unknown properties: backend_path"),
        ("requires = [", "Failed to parse pyproject.toml"),
        ("requires = []\nbackend-path = ['nowhere']", "'nowhere' does not exist"),
    ],
)
def test_a_wrong_build_system_table_is_a_configuration_error(
    table: str, message: str, project: Path, cache: Path
) -> None:
    write(project, {"pyproject.toml": f"[build-system]\n{table}\n"})
    with pytest.raises(ConfigurationError, match=message):
        prepare_project(project, cache)


def test_the_second_time_nothing_is_installed(project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, IN_TREE)
    first = prepare_project(project, cache)
    monkeypatch.setattr(build_environment, "install", lambda *_: pytest.fail("installed again"))
    assert prepare_project(project, cache) == first
    assert len(first.inputs_digest) == 64


def test_changed_constraints_ask_for_another_environment(
    project: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "constraints.txt").write_text("flit_core < 4\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "constraints.txt"))
    constrained = prepare_project(write(project, PROJECTS["flit"]), cache)
    monkeypatch.delenv("PIP_CONSTRAINT")
    assert prepare_project(project, cache).inputs_digest != constrained.inputs_digest


def test_the_digest_depends_on_the_content_alone(project: Path, cache: Path, tmp_path: Path) -> None:
    write(project, IN_TREE)
    here, there = prepare_project(project, cache), prepare_project(project, tmp_path / "other")
    assert here.path_entries != there.path_entries
    assert here.inputs_digest == there.inputs_digest
    record = next(environment_of(there).glob("lib/python*/site-packages/build-*.dist-info/RECORD"))
    record.write_text(record.read_text().replace("build/__main__.py,sha256=", "build/__main__.py,sha256=x"))
    assert installation.digest_installed(environment_of(there)) != here.inputs_digest


def test_an_environment_whose_python_is_gone_is_made_anew(project: Path, tmp_path: Path) -> None:
    write(project, IN_TREE)
    python = Path(prepare_project(project, tmp_path / "cache").artifact.build[0])
    python.unlink()
    python.symlink_to("/nowhere/python")
    prepare_project(project, tmp_path / "cache")
    assert python.exists()


PREPARE = """
import sys
from pathlib import Path
from pytest_ftc.model import Snapshot
from pytest_ftc.builds.requirements.python import prepare
from pytest_ftc.config.python_project import declare
source = Path(sys.argv[1])
snapshot = Snapshot(path=source, git_dir=None, git_link=None, commit_time=None)
print(prepare(declare(source / "pyproject.toml")[1], snapshot, Path(sys.argv[2])).inputs_digest)
"""


def start_preparation(source: Path, cache: Path, log: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE, source, cache],
        env={**os.environ, "PIP_LOG": str(log)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_sessions_at_once_make_one_environment(project: Path, tmp_path: Path) -> None:
    write(project, IN_TREE)
    both = [start_preparation(project, tmp_path / "cache", tmp_path / "log") for _ in range(2)]
    digests = {process.communicate()[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(digests) == 1
    assert (tmp_path / "log").read_text().count("Successfully installed") == 1


def test_an_interrupted_installation_is_made_anew(project: Path, tmp_path: Path) -> None:
    write(project, IN_TREE)
    with start_preparation(project, tmp_path / "cache", tmp_path / "log") as process:
        # The log is there as soon as pip runs.
        while not (tmp_path / "log").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert not list((tmp_path / "cache").glob("*/ftc-complete.json"))
    prepared = prepare_project(project, tmp_path / "cache")
    assert build_offline(prepared, project, tmp_path / "copy")
    # The installer left behind was waited for, so it cannot have written into the new environment.
    assert (tmp_path / "log").read_text().count("Successfully installed") == 1


def test_a_requirement_that_cannot_be_had_is_an_error_that_keeps_secrets(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "0")
    requires = '"thing @ http://someone:s3cr@t@127.0.0.1:9/thing-1-py3-none-any.whl"'
    write(project, {"pyproject.toml": f"[build-system]\nrequires = [{requires}]\n"})
    with pytest.raises(PreparationError, match="cannot install the build requirements build, thing") as caught:
        prepare_project(project, tmp_path / "cache")
    assert "****@127.0.0.1" in str(caught.value)
    assert "s3cr" not in str(caught.value)
    assert "exit status 1" in str(caught.value)
    assert "pip config list" in str(caught.value)
    assert len(str(caught.value).splitlines()) < 20


def test_a_backend_that_is_not_there_is_an_error(project: Path, cache: Path) -> None:
    write(project, {"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "nowhere"\n'})
    with pytest.raises(PreparationError, match="Backend 'nowhere' is not available") as caught:
        prepare_project(project, cache)
    assert "No module named 'nowhere'" in str(caught.value)


def test_a_hook_that_fails_is_an_error_with_its_last_words(project: Path, cache: Path) -> None:
    write(project, with_hook("raise RuntimeError('no compiler')"))
    with pytest.raises(PreparationError, match=r"(?s)does not report the requirements of a wheel.*no compiler"):
        prepare_project(project, cache)


def test_a_hook_may_write_print_and_warn(project: Path, cache: Path) -> None:
    body = "import warnings; warnings.warn('old'); open('written', 'w').close(); print('chatter'); return []"
    prepare_project(write(project, with_hook(body)), cache)
    assert not (project / "written").exists()


def test_what_the_hook_requires_is_installed_too(project: Path, cache: Path) -> None:
    write(project, with_hook("return ['flit_core']"))
    wheel, sdist = (prepare_project(project, cache, kind) for kind in ("wheel", "sdist"))
    assert list(environment_of(wheel).glob("lib/python*/site-packages/flit_core"))
    assert not list(environment_of(sdist).glob("lib/python*/site-packages/flit_core"))


def test_the_hook_sees_the_variables_of_the_artifact(project: Path, cache: Path) -> None:
    write(project, with_hook("import os; assert os.environ['SETTING'] == 'on'; return []"))
    artifact = replace(artifact_of(project), env={"SETTING": "on"})
    assert prepare(artifact, snapshot_of(project), cache).artifact.env == {"SETTING": "on"}


def test_the_hook_sees_the_history_but_cannot_change_it(project: Path, cache: Path, tmp_path: Path, git: Git) -> None:
    describe = "['git', 'describe', '--tags', '--dirty']"
    body = (
        f"import subprocess; assert subprocess.check_output({describe}) == b'v1\\n'; "
        "subprocess.check_call(['git', 'tag', 'v2']); return []"
    )
    source = write(tmp_path / "snapshot", with_hook(body))
    shutil.copytree(source, project)
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    git(project, "tag", "v1")
    before = list_files(project / ".git")
    prepare(artifact_of(source), snapshot_of(source, project / ".git"), cache)
    assert list_files(project / ".git") == before


def test_a_cancelled_preparation_gives_up(project: Path, tmp_path: Path) -> None:
    write(project, IN_TREE)
    with pytest.raises(PreparationError, match="the session ended"):
        prepare(artifact_of(project), snapshot_of(project), tmp_path / "cache", cancelled=lambda: True)
    assert not list((tmp_path / "cache").glob("*/ftc-complete.json"))


def test_a_cache_that_cannot_be_written_is_an_error(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PreparationError, match="XDG_CACHE_HOME"):
        prepare_project(write(project, IN_TREE), tmp_path / "file" / "cache")


def test_without_pip_the_environment_gets_its_own(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "_pip_installs_elsewhere", lambda: False)
    prepared = prepare_project(write(project, IN_TREE), tmp_path / "cache")
    assert (environment_of(prepared) / "bin" / "pip").exists()


def test_without_pip_and_ensurepip_uv_installs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installation, "_pip_installs_elsewhere", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda _: "/bin/uv")
    installer = installation._find_installer(tmp_path)
    assert installer.command[:4] == ("/bin/uv", "pip", "install", "--python")
    assert not installer.needs_pip


def test_without_any_installer_the_error_says_what_to_install(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "_pip_installs_elsewhere", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(PreparationError, match="python3-venv"):
        prepare_project(write(project, IN_TREE), tmp_path / "cache")


def run(script: str, timeout: float = 60, inherit: Sequence[int] = ()) -> str:
    command = ["/bin/sh", "-c", script]
    return run_command(command, environment=dict(os.environ), timeout=timeout, cancelled=lambda: False, inherit=inherit)


def test_a_command_that_takes_too_long_is_killed_with_all_it_started() -> None:
    reading, writing = os.pipe()
    with pytest.raises(CommandError, match=r"still running after 0.1 s"):
        run("sleep 300 & wait", timeout=0.1, inherit=[writing])
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert pipe.read() == b"", "ends when nobody can write any more"


def test_a_command_that_fails_says_how() -> None:
    with pytest.raises(CommandError, match="exit status 3") as caught:
        run("echo words; exit 3")
    assert caught.value.output == "words\n"
    with pytest.raises(CommandError, match="killed by SIGTERM"):
        run("kill -TERM $$")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:p@ss@host/simple", "https://****@host/simple"),
        ("git+ssh://token@host/x and file:///a@b", "git+ssh://****@host/x and file:///a@b"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_credentials_are_masked(text: str, shown: str) -> None:
    assert mask_credentials(text) == shown
