"""Where the outputs of a build are placed, and what is left alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_ftc.model import BuildResult, BuildStatus, Output, OutputType, Role
from pytest_ftc.verification.release.place import PlacementError, check_folder, place_outputs, plan_places


def file(path: str, content: str = "x", mode: str = "0644") -> Output:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Output(path=path, type=OutputType.FILE, mode=mode, size=len(content), sha256=digest)


def folder(path: str) -> Output:
    return Output(path=path, type=OutputType.DIR, mode="0755")


def link(path: str, target: str) -> Output:
    return Output(path=path, type=OutputType.SYMLINK, mode="0777", target=target)


def build(root: Path, outputs: Sequence[Output], contents: Sequence[str] = ("x",)) -> BuildResult:
    blobs = root / "blobs"
    blobs.mkdir(exist_ok=True)
    for content in contents:
        (blobs / hashlib.sha256(content.encode()).hexdigest()).write_text(content)
    return BuildResult(
        id="a-control", role=Role.CONTROL, environment={}, status=BuildStatus.OK, outputs=tuple(outputs),
        blobs=str(blobs),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "glob", "place"),
    [
        ("dist/x.whl", "dist/*.whl", "x.whl"),
        ("dist/x.whl", "./dist/x.whl", "x.whl"),
        ("build/html/index.html", "build/html", "html/index.html"),
        ("dist/usr/bin/app", "dist", "dist/usr/bin/app"),
        ("out/a/b.so", "out/**/*.so", "a/b.so"),
        ("a/lib/x.jar", "*/lib/*.jar", "a/lib/x.jar"),
        ("app", "app", "app"),
        ("other/x", "dist/*", "other/x"),
    ],
)
def test_outputs_lose_the_folders_that_their_glob_names(path: str, glob: str, place: str) -> None:
    assert list(plan_places([file(path)], [glob])) == [place]


def test_two_outputs_at_one_place_are_refused() -> None:
    with pytest.raises(PlacementError, match="a/x and b/x would both be x"):
        plan_places([file("a/x"), file("b/x")], ["a/x", "b/x"])


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//x"])
def test_paths_that_lead_out_are_refused(path: str) -> None:
    with pytest.raises(PlacementError, match="is no path below the source"):
        plan_places([file(path)], ["**"])


def test_all_kinds_are_written_with_their_modes_and_replace_what_was_there(tmp_path: Path) -> None:
    outputs = [folder("d"), file("d/run", "x", "0755"), link("d/now", "run"), folder("d/empty")]
    made, out = build(tmp_path, outputs), tmp_path / "new" / "out"
    places = plan_places(outputs, ["d"])
    for _ in range(2):
        check_folder(out, places)
        place_outputs(made, out, places)
    assert (out / "d" / "run").read_text() == "x"
    assert (out / "d" / "run").stat().st_mode & 0o777 == 0o755
    assert (out / "d" / "now").readlink() == Path("run")
    assert (out / "d" / "empty").is_dir()
    assert sorted(path.name for path in (out / "d").iterdir()) == ["empty", "now", "run"]


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "older.whl").write_text("older")
    (tmp_path / "out" / "x.whl").write_text("before")
    outputs = [file("dist/x.whl")]
    places = plan_places(outputs, ["dist/*"])
    check_folder(tmp_path / "out", places)
    place_outputs(build(tmp_path, outputs), tmp_path / "out", places)
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {
        "older.whl": "older",
        "x.whl": "x",
    }


def test_a_content_that_is_not_what_the_build_left_replaces_nothing(tmp_path: Path) -> None:
    outputs = [file("x")]
    made = build(tmp_path, outputs)
    (tmp_path / "blobs" / outputs[0].sha256).write_text("y")
    (tmp_path / "x").write_text("before")
    with pytest.raises(PlacementError, match="is not what the build left"):
        place_outputs(made, tmp_path, plan_places(outputs, ["x"]))
    assert (tmp_path / "x").read_text() == "before"


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ("out", "out is no folder"),
        ("out/d", "no folder, and"),
        ("out/d/", ""),
        ("out/d/stale", "holds stale, which the build does not make"),
        ("out/d/x/", "is a folder, and the output a file"),
        ("out/d -> ..", "no folder, and"),
    ],
)
def test_what_would_mix_or_lead_elsewhere_is_refused_before_anything_is_written(
    tmp_path: Path, there: str, told: str
) -> None:
    name, _, target = there.partition(" -> ")
    (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
    if target:
        (tmp_path / name).symlink_to(target)
    elif name.endswith("/"):
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("")
    places = plan_places([folder("d"), file("d/x")], ["d"])
    if not told:
        check_folder(tmp_path / "out", places)
        return
    with pytest.raises(PlacementError, match=told):
        check_folder(tmp_path / "out", places)
