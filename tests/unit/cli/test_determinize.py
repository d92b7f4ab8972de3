"""What ``ftc determinize`` prints and writes."""

import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_ftc.cli.determinize import render
from pytest_ftc.cli.determinize.write import find_target, write_outcomes
from pytest_ftc.config.project import load_project
from pytest_ftc.model import Artifact, Evidence, Finding, Remedy
from pytest_ftc.verification.determinize import Outcome, Step

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def commit(tmp_path):
    """Return the time of the only commit of a repository, in seconds since 1970."""
    for words in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b.org", "commit", "--allow-empty", "-qm", "a"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=tmp_path, capture_output=True, text=True
    ).stdout.strip()


def outcome_of(folder, *steps, **more):
    artifact = Artifact(id="ftc.toml::ftc::app", name="app", build="make", outputs=("out",), source=folder, **more)
    return Outcome(artifact=artifact, table="artifacts.app", steps=steps, heals=True, left=())


def printed(folder, *steps, **more):
    return tomllib.loads(render(outcome_of(folder, *steps, **more)))["artifacts"]["app"]


def test_the_time_of_the_commit_is_not_frozen(tmp_path, commit):
    epoch, zone = Step("set", "SOURCE_DATE_EPOCH", commit), Step("set", "TZ", "UTC")
    assert printed(tmp_path, epoch) == {"source_date_epoch": "git"}
    assert printed(tmp_path, epoch, zone) == {"source_date_epoch": "git", "env": {"TZ": "UTC"}}
    told = printed(tmp_path, epoch, Step("before", "", "umask 022"), preset="python-wheel")
    assert told == {"preset": "wheel", "before": "umask 022", "source_date_epoch": "git"}


def test_without_a_commit_no_number_stands_in_for_its_time_and_it_is_said_what_to_do(tmp_path):
    epoch = Step("set", "SOURCE_DATE_EPOCH", "1577836800")
    assert printed(tmp_path, epoch) == {"source_date_epoch": "git"}
    text = render(outcome_of(tmp_path, epoch))
    assert "1577836800" not in text
    assert "git init && git add . && git commit" in text.replace("\n#   ", " ")


def test_a_time_within_options_follows_the_commit_too(tmp_path, commit):
    told = printed(tmp_path, Step("set", "TAR_OPTIONS", f"--sort=name --mtime=@{commit}"))
    assert told["source_date_epoch"] == "git"
    assert 'export TAR_OPTIONS="${TAR_OPTIONS-} --sort=name --mtime=@$SOURCE_DATE_EPOCH"' in told["build"]
    assert commit not in str(told)


def test_commands_that_the_table_has_stay_with_those_that_are_added(tmp_path):
    told = printed(tmp_path, Step("before", "", "umask 022"), before="cd x")
    assert told == {"before": "umask 022\ncd x"}


def test_names_that_are_no_bare_keys_are_quoted(tmp_path):
    outcome = replace(outcome_of(tmp_path, Step("set", "TZ", "UTC")), table='artifacts."my app"')
    assert tomllib.loads(render(outcome)) == {"artifacts": {"my app": {"env": {"TZ": "UTC"}}}}


@pytest.mark.parametrize("suspected", [False, True])
def test_nothing_is_called_proved_where_a_cause_was_only_suspected(tmp_path, suspected):
    outcome = replace(outcome_of(tmp_path, Step("set", "TZ", "UTC")), suspected=suspected)
    text = render(outcome)
    assert ("# proved: " in text, "luck is not ruled out" in text.replace("\n# ", "")) == (not suspected, suspected)
    assert max(map(len, text.splitlines())) <= 80
    assert tomllib.loads(text) == {"artifacts": {"app": {"env": {"TZ": "UTC"}}}}


def finding(location: str, **more) -> Finding:
    return Finding(
        output="out", member="", location=location, evidence=Evidence(control="a", experiment="b"),
        **{"cause": "time", "confirmed": True, **more},
    )  # fmt: skip


def test_what_is_left_is_told_with_the_reason_on_lines_that_fit(tmp_path):
    advice = Remedy(summary="do not write the date into " + "the file " * 12)
    vain = Remedy(summary="set TZ", tried=True, also_tried=("set LC_ALL",), rejected=("faketime: it breaks the build",))
    left = (
        finding("line 1", remedy=advice),
        finding("line 2", remedy=vain, cause="num_cpus", confirmed=False),
        finding("line 3", cause="random"),
        *(finding(f"line {number}", cause="pid") for number in (4, 5)),
    )
    outcome = replace(outcome_of(tmp_path, Step("set", "TZ", "UTC")), heals=False, left=left)
    outcome = replace(outcome, breaking=((Step("set", "A", "1"), "failed: exit status 1"),))
    text = render(outcome)
    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.replace("#", "").split())
    for told in (
        "this helps, but app is not reproducible with it",
        "left out, since the build with it and the rest is failed: exit status 1: A=1",
        "out › line 1: time (confirmed) to do in the project: do not write the date into",
        "out › line 2: num_cpus (suspected) tried, not sufficient: set LC_ALL; set TZ; faketime: it breaks the build",
        "out › line 3: random (confirmed) no remedy is known that works from outside; change the build",
        "out › line 4 and 1 more places: pid",
    ):
        assert told in flat, text
    assert tomllib.loads(text) == {"artifacts": {"app": {"env": {"TZ": "UTC"}}}}


def written(root, *outcomes, of_plugins=()):
    """Return whether all was written to the file in `root`, what it is then, and what was said."""
    target = find_target(root, root, frozenset(of_plugins))
    told: list[str] = []
    complete = write_outcomes(target, outcomes, told.append, told.append)
    return complete, target.file.read_text(), "\n".join(told)


APP = '# mine\n[artifacts.app]   # the app\nbuild = "make"\noutputs = ["out"]\n'


def test_settings_are_written_in_place_once_and_the_change_is_shown(tmp_path):
    (tmp_path / "ftc.toml").write_text(APP)
    (tmp_path / "ftc.toml").chmod(0o640)
    outcome = outcome_of(tmp_path, Step("before", "", "umask 022"), Step("set", "TZ", "UTC"))
    complete, text, told = written(tmp_path, outcome)
    assert (complete, text) == (True, f'{APP}before = "umask 022"\n\n[artifacts.app.env]\nTZ = "UTC"\n')
    assert '+before = "umask 022"' in told
    assert "written to ftc.toml: app; now: pytest --ftc-verify" in told
    assert (tmp_path / "ftc.toml").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["ftc.toml"]
    assert load_project(tmp_path, {}).artifacts[0].env == {"TZ": "UTC"}
    assert written(tmp_path, outcome)[1] == text


def test_a_file_that_is_a_link_stays_one(tmp_path):
    (tmp_path / "real.toml").write_text(APP)
    (tmp_path / "ftc.toml").symlink_to("real.toml")
    written(tmp_path, outcome_of(tmp_path, Step("set", "TZ", "UTC")))
    assert (tmp_path / "ftc.toml").is_symlink()
    assert "TZ" in (tmp_path / "real.toml").read_text()


@pytest.mark.parametrize(
    ("text", "steps", "told"),
    [
        (APP, [Step("set", "SOURCE_DATE_EPOCH", "1577836800")], "there is no commit yet"),
        ('artifacts = {app = {build = "make", outputs = ["out"], env = {}}}\n', [Step("set", "TZ", "U")], "TZ"),
    ],
)
def test_what_cannot_be_written_is_printed_and_the_others_are_written(tmp_path, text, steps, told):
    (tmp_path / "ftc.toml").write_text(text)
    complete, after, said = written(tmp_path, outcome_of(tmp_path, *steps))
    assert told in said
    assert complete == (after != text)


def test_artifacts_of_plugins_and_tables_changed_meanwhile_are_left_alone(tmp_path):
    (tmp_path / "ftc.toml").write_text(APP)
    outcome = outcome_of(tmp_path, Step("set", "TZ", "UTC"))
    complete, text, said = written(tmp_path, outcome, of_plugins=["app"])
    assert (complete, text) == (False, APP)
    assert "app is not written to ftc.toml: a plugin declares it; change it there" in said
    target = find_target(tmp_path, tmp_path, frozenset())
    (tmp_path / "ftc.toml").write_text(APP.replace("make", "make all"))
    told: list[str] = []
    assert not write_outcomes(target, [outcome], told.append, told.append)
    assert "its table was changed meanwhile" in told[0]
    assert (tmp_path / "ftc.toml").read_text() == APP.replace("make", "make all")


def test_an_artifact_by_default_gets_a_table_and_its_sibling_stays(tmp_path, commit):
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "b"\n')
    (sdist, _) = load_project(tmp_path, {}).artifacts
    outcome = Outcome(
        artifact=sdist, table="tool.ftc.artifacts.sdist", heals=True, left=(),
        steps=(Step("set", "SOURCE_DATE_EPOCH", commit), Step("after", "", "ftc normalize dist/*.tar.gz")),
    )  # fmt: skip
    complete, text, _ = written(tmp_path, outcome)
    assert complete
    assert tomllib.loads(text)["tool"]["ftc"]["artifacts"] == {
        "sdist": {"preset": "sdist", "after": "ftc normalize dist/*.tar.gz", "source_date_epoch": "git"}
    }
    assert [one.name for one in load_project(tmp_path, {}).artifacts] == ["sdist", "wheel"]


def test_options_of_one_variable_are_printed_together(tmp_path):
    steps = (Step("set", "TAR_OPTIONS", "--sort=name"), Step("set", "TAR_OPTIONS", "--mode=u+rw,go=rX"))
    assert printed(tmp_path, *steps) == {"env": {"TAR_OPTIONS": "--sort=name --mode=u+rw,go=rX"}}
