"""The outputs that differ are kept once, by their contents, and a problem is only a note."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import BuildResult, BuildStatus, Metadata, Output, OutputType, Role, Verdict, Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.contents import forget, keep_remote
from pytest_ftc.verification.kept.folders import KeptFolders
from pytest_ftc.verification.kept.keeper import OutputKeeper


def build(folder: Path, role: Role, contents: dict[str, bytes], *more: Output) -> BuildResult:
    folder.mkdir(exist_ok=True)
    outputs = []
    for path, data in contents.items():
        digest = hashlib.sha256(data).hexdigest()
        (folder / digest).write_bytes(data)
        outputs.append(Output(path=path, type=OutputType.FILE, mode="0644", size=len(data), sha256=digest))
    every = tuple(sorted((*outputs, *more), key=lambda one: one.path))
    return BuildResult(
        id=role.value, role=role, environment={}, status=BuildStatus.OK, outputs=every, blobs=str(folder)
    )


def verification(control: BuildResult, experiment: BuildResult) -> Verification:
    return Verification(
        id="ftc.toml::ftc::app",
        name="app",
        verdict=Verdict.UNREPRODUCIBLE,
        builds=(control, experiment),
        differences=compare_manifests(control.outputs, experiment.outputs, Metadata.CONTENT),
    )


@pytest.fixture
def differing(tmp_path):
    control = build(tmp_path / "one", Role.CONTROL, {"dist/a": b"1", "dist/same": b"s"})
    return verification(control, build(tmp_path / "two", Role.EXPERIMENT, {"dist/a": b"2", "dist/same": b"s"}))


@pytest.fixture
def keeper(tmp_path):
    return OutputKeeper(KeptFolders(tmp_path / "outputs", 1 << 20))


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_only_what_differs_is_kept(keeper, differing):
    kept = keeper.keep(differing).kept
    assert files_below(Path(kept.control)) == files_below(Path(kept.experiment)) == {"dist/a"}
    assert Path(kept.control, "dist/a").read_bytes() == b"1"
    assert Path(kept.experiment, "dist/a").read_bytes() == b"2"


def test_the_same_outputs_are_kept_once_and_found_later(keeper, differing):
    first = keeper.keep(differing)
    assert keeper.keep(differing) == first
    builds = tuple(replace(one, blobs="") for one in differing.builds)
    assert keeper.find(replace(differing, builds=builds)).kept == first.kept


def test_what_was_never_kept_is_not_found(keeper, differing):
    assert keeper.find(differing) == differing


def test_without_folders_nothing_is_kept(differing):
    assert OutputKeeper(None).keep(differing) == differing


def test_an_output_of_one_side_alone_is_kept_there(keeper, tmp_path):
    control = build(tmp_path / "one", Role.CONTROL, {"a": b"1"})
    kept = keeper.keep(verification(control, build(tmp_path / "two", Role.EXPERIMENT, {"b": b"1"}))).kept
    assert files_below(Path(kept.control)) == {"a"}
    assert files_below(Path(kept.experiment)) == {"b"}


def test_links_are_not_kept(keeper, tmp_path):
    links = [Output(path="out", type=OutputType.SYMLINK, mode="0777", target=target) for target in ("/etc", "/usr")]
    control = build(tmp_path / "one", Role.CONTROL, {}, links[0])
    assert keeper.keep(verification(control, build(tmp_path / "two", Role.EXPERIMENT, {}, links[1]))).kept is None


@pytest.mark.parametrize("path", ["../evil", "/tmp/evil", "a/../../evil", "a//b", "x\0y"])
def test_no_name_leads_outside(keeper, tmp_path, path):
    control = build(tmp_path / "one", Role.CONTROL, {path: b"1", "fine": b"1"})
    kept = keeper.keep(verification(control, build(tmp_path / "two", Role.EXPERIMENT, {path: b"2", "fine": b"2"}))).kept
    assert files_below(Path(kept.control)) == {"fine"}
    assert not list(tmp_path.rglob("evil"))
    assert kept.find(path) == {}
    assert set(kept.find("fine")) == {"control", "experiment"}


def test_names_that_are_no_text_are_kept(keeper, tmp_path):
    control = build(tmp_path / "one", Role.CONTROL, {"b\udcff": b"1"})
    kept = keeper.keep(verification(control, build(tmp_path / "two", Role.EXPERIMENT, {"b\udcff": b"2"}))).kept
    assert files_below(Path(kept.control)) == {"b\udcff"}


def test_what_does_not_fit_is_a_note(tmp_path, differing):
    kept = OutputKeeper(KeptFolders(tmp_path / "outputs", 4096)).keep(differing)
    assert kept.kept is None
    assert "--ftc-keep-outputs" in kept.notes[-1]
    assert kept.verdict is Verdict.UNREPRODUCIBLE


def test_what_cannot_be_written_is_a_note(tmp_path, differing):
    (tmp_path / "outputs").write_text("a file")
    kept = OutputKeeper(KeptFolders(tmp_path / "outputs", 1 << 20)).keep(differing)
    assert kept.kept is None
    assert "not kept: File exists" in kept.notes[-1]


def test_contents_of_a_farm_are_fetched_if_they_fit(tmp_path, differing):
    control = differing.builds[0]
    digest = control.outputs[0].sha256
    Path(control.blobs, digest).unlink()
    fetched = []

    def fetch(sha256: str, path: Path) -> None:
        fetched.append(sha256)
        path.write_bytes(b"1")

    keep_remote(Path(control.blobs), fetch)
    try:
        assert OutputKeeper(KeptFolders(tmp_path / "outputs", 4096)).keep(differing).kept is None
        assert fetched == []
        kept = OutputKeeper(KeptFolders(tmp_path / "outputs", 1 << 20)).keep(differing).kept
    finally:
        forget(Path(control.blobs))
    assert fetched == [digest]
    assert Path(kept.control, "dist/a").read_bytes() == b"1"


def test_a_farm_that_no_longer_has_them_is_a_note(tmp_path, differing, keeper):
    control = differing.builds[0]
    Path(control.blobs, control.outputs[0].sha256).unlink()

    def fetch(sha256: str, path: Path) -> None:
        raise FtcError("the farm has lost it")

    keep_remote(Path(control.blobs), fetch)
    try:
        assert "the farm has lost it" in keeper.keep(differing).notes[-1]
    finally:
        forget(Path(control.blobs))
