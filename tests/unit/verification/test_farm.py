"""What a session on a farm does otherwise."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.builds.interpreter import NEEDS, describe_interpreter
from pytest_ftc.builds.requirements.install import digest_installed
from pytest_ftc.builds.requirements.python import Prepared
from pytest_ftc.config.load import load_config
from pytest_ftc.model import Artifact, Snapshot
from pytest_ftc.model.errors import PreparationError
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.farm import RemotePreparation, patience_of

SERIES = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.parametrize(
    ("executor", "artifacts", "budget"), [("local", 500, 20), ("reapi", 5, 20), ("reapi", 500, 1000)]
)
def test_retries_grow_with_the_artifacts_of_a_session_on_a_farm(tmp_path, executor, artifacts, budget):
    one = Artifact(id="a", name="a", build="true", outputs=("o",), source=tmp_path)
    config = replace(
        load_config(tmp_path, {}, Vocabulary(())), executor=executor, artifacts=(one,) * artifacts, retries=3
    )
    patience = patience_of(config)
    assert (patience.retries, patience.budget) == (3, budget)


PYTHON = replace(describe_interpreter(), path="/usr/bin/python3", version=f"{SERIES}.99")
WHEEL = ("-I", "-m", "build")


@pytest.fixture
def prepare(tmp_path):
    """A function that prepares an artifact for workers with a Python."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    local = Prepared(
        artifact=Artifact(id="a", name="a", build=("python", *WHEEL), outputs=("o",), source=tmp_path),
        path_entries=(str(environment / "bin"),),
        inputs_digest=digest_installed(environment),
    )
    snapshot = Snapshot(path=tmp_path, git_dir=None, git_link=None, commit_time=None)

    def prepare_for(python, root=None, prepared=local):
        remote = RemotePreparation(lambda *_: prepared, python, tmp_path / "copies", root)
        return remote.prepare(prepared.artifact, snapshot)

    return prepare_for


@pytest.mark.parametrize(
    ("root", "at"), [(None, "/ftc-requirements"), (Path("/tmp/plain"), "/tmp/plain/a/ftc-requirements")]
)
def test_requirements_of_this_machine_are_shown_to_builds_on_workers(prepare, root, at):
    prepared = prepare(PYTHON, root)
    assert prepared.artifact.build == (f"{at}/bin/python", *WHEEL)
    assert prepared.path_entries == (f"{at}/bin",)
    ((path, folder),) = prepared.artifact.shown.items()
    assert path == at
    assert (folder / NEEDS).is_file()
    assert prepared.inputs_digest == digest_installed(folder, PYTHON.name)


def test_an_artifact_without_requirements_is_as_declared(prepare, tmp_path):
    plain = Prepared(artifact=Artifact(id="a", name="a", build="true", outputs=("o",), source=tmp_path))
    assert prepare(None, prepared=plain) is plain


def test_workers_with_another_python_are_named_with_it(prepare):
    told = (
        f"the build requirements do not fit /usr/bin/python3 of the farm's workers: .* {SERIES}, and not for .* 3.9.1"
    )
    with pytest.raises(PreparationError, match=told):
        prepare(replace(PYTHON, version="3.9.1"))
    with pytest.raises(PreparationError, match="do not say which Python they have"):
        prepare(None)
