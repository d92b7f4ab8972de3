"""Both outputs of an artifact that is not reproducible outlast the session, for other tools and other people."""

import json
import subprocess
from pathlib import Path

import pytest

from pytest_ftc.reporting.seal import find_changed

TIMES = "mkdir -p dist; date +%s%N > dist/app.txt; echo same > dist/same.txt"


def read(kept: dict[str, str], path: str) -> tuple[str, str]:
    return Path(kept["control"], path).read_text(), Path(kept["experiment"], path).read_text()


def kept_folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_both_are_kept_and_a_shell_finds_them_by_what_is_printed(verify_build, project, workers):
    run = verify_build(TIMES, *workers, outputs='["dist"]')
    kept = run.artifact()["kept"]
    control, experiment = read(kept, "dist/app.txt")
    assert control != experiment
    assert not Path(kept["control"], "dist/same.txt").exists()
    (printed,) = [line.strip() for line in run.text.splitlines() if "/{control,experiment}/" in line]
    words = printed.removeprefix("outputs").strip()
    assert words.startswith(".pytest_cache/d/ftc/outputs/app-")
    # On a line of its own, as it is too wide for its column.
    assert f"  outputs\n    {words}\n" in run.text
    compared = subprocess.run(["bash", "-c", f"cat {words}"], cwd=project, capture_output=True, text=True)
    assert compared.stdout == control + experiment


def test_the_page_links_to_them_and_the_report_has_their_digests(verify_build, project):
    run = verify_build(TIMES, "--ftc-report=ftc-report", outputs='["dist"]')
    folder = project / "ftc-report"
    (name,) = kept_folders(folder / "outputs")
    page = (folder / "index.html").read_text()
    report = json.loads((folder / "report.json").read_text())
    for side in ("control", "experiment"):
        address = f"outputs/{name}/{side}/dist/app.txt"
        assert f'href="./{address}" download>{side}</a>' in page
        assert (folder / address).is_file()
        assert address in report["files"]
    assert f"ftc-report/outputs/{name}/{{control,experiment}}/dist/app.txt" in run.text
    assert not list(find_changed(report, folder))
    assert "outputs/lock" not in report["files"]


def test_a_session_that_finds_the_same_outputs_keeps_them_once(verify_build, project):
    # What differs is the same in both sessions, unlike a time.
    (project / "src").mkdir()
    first, again, cached = (
        verify_build("umask > out", *more, more='source = "src"') for more in ((), ("--ftc-no-cache",), ())
    )
    assert first.artifact()["kept"] == again.artifact()["kept"] == cached.artifact()["kept"]
    assert cached.artifact()["cached"]
    assert len(kept_folders(project / ".pytest_cache/d/ftc/outputs")) == 1


def test_what_does_not_fit_is_not_kept_and_the_session_says_so(verify_build, project):
    run = verify_build("date +%s%N > out", "--ftc-keep-outputs=4K")
    assert run.artifact()["kept"] is None
    assert "were not kept" in run.flat
    assert "--ftc-keep-outputs" in run.flat
    assert run.verdicts == {"app": "unreproducible"}
    assert not list(project.glob("**/outputs/app-*"))


def test_earlier_ones_are_removed_first(verify_build, project):
    for _ in range(3):
        last = verify_build("date +%s%N > out", "--ftc-no-cache", "--ftc-keep-outputs=16K")
    names = kept_folders(project / ".pytest_cache/d/ftc/outputs")
    assert len(names) == 2
    assert Path(last.artifact()["kept"]["control"]).parent.name in names


def test_none_keeps_nothing_and_says_nothing(verify, project):
    table = '[artifacts.app]\nbuild = "date +%s%N > out"\noutputs = ["out"]'
    run = verify(f'keep_outputs = "none"\n{table}')
    assert run.artifact()["kept"] is None
    assert "not kept" not in run.flat
    assert "{control" not in run.text
    assert not (project / ".pytest_cache/d/ftc/outputs").exists()


@pytest.mark.parametrize("value", ["8X", "", "-1", "1.5G", "all"])
def test_what_is_no_size_is_a_usage_error(verify_build, value):
    run = verify_build("echo x > out", f"--ftc-keep-outputs={value}")
    assert run.status == 4
    assert "--ftc-keep-outputs: expected a size such as '500M' or '2G', or 'none'" in run.flat


def test_nothing_is_kept_of_builds_with_secrets(verify_build, project, monkeypatch):
    monkeypatch.setenv("TOKEN", "tok3n-w1th/odd+signs")
    run = verify_build('echo "$TOKEN" | rev > out; date +%s%N >> out', more='secrets = ["env:TOKEN"]')
    assert run.artifact()["kept"] is None
    assert not list(project.glob("**/outputs/app-*"))


def test_no_name_and_no_link_of_a_build_leads_outside(verify_build):
    name = "a\x1b[31m b"
    build = r'mkdir -p o/x; mv o/x "o/$(printf "a\033[31m b")"; cd o; date > --help; cd a*; date +%s%N > x; ln -s / link-$(date +%N)'
    run = verify_build(build, outputs='["o"]')
    kept = Path(run.artifact()["kept"]["control"]).parent
    assert not [path for path in kept.rglob("*") if path.is_symlink()]
    assert sorted(path.name for path in (kept / "control/o").iterdir()) == ["--help", name]
    assert "\x1b" not in run.text
