"""The templates for CI are valid by the schemas of their services, and are what the documentation shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "docs" / "ci"


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("github.yml", "vendor.github-workflows"),
        ("github-matrix.yml", "vendor.github-workflows"),
        ("gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_a_template_is_valid_by_the_schema_of_its_service(file, schema):
    run("check_jsonschema", "--builtin-schema", schema, str(TEMPLATES / file))


def test_the_schema_refuses_what_the_service_would(tmp_path):
    (tmp_path / "bad.yml").write_text((TEMPLATES / "github.yml").read_text().replace("runs-on:", "runs_on:"))
    with pytest.raises(AssertionError, match="runs-on"):
        run("check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(tmp_path / "bad.yml"))


def test_pre_commit_takes_the_hook_and_the_configuration():
    run("pre_commit", "validate-manifest", ".pre-commit-hooks.yaml")
    run("pre_commit", "validate-config", str(TEMPLATES / "pre-commit-config.yaml"))


def test_the_templates_are_tidy_yaml():
    rules = "{line-length: {max: 120}, document-start: disable, truthy: {check-keys: false}}"
    run("yamllint", "--strict", "-d", f"{{extends: default, rules: {rules}}}", "docs/ci", ".pre-commit-hooks.yaml")


def test_all_of_them_run_the_same_gate():
    for file in (*TEMPLATES.iterdir(), ROOT / ".pre-commit-hooks.yaml"):
        command = r"(?m)^\s*(?:- run: |- |entry: )ftc gate( --shard \$\{\{ .*)?$"
        assert len(re.findall(command, file.read_text())) == 1, file


def test_the_documentation_shows_the_templates_as_they_are():
    text = (ROOT / "docs" / "ci.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert sorted(blocks) == sorted(file.read_text() for file in TEMPLATES.iterdir())


def only_on_main(where: str) -> str:
    """Return what docs/ci.md says to change for that."""
    text = (ROOT / "docs" / "ci.md").read_text().partition("## Only on main")[2]
    return re.search(rf"(?m)^\| {where} \| (.*) \|$", text)[1].replace("\\|", "|")


@pytest.mark.parametrize(
    ("file", "schema", "where", "line"),
    [
        ("github.yml", "vendor.github-workflows", "GitHub", "  pull_request:\n"),
        ("gitlab-ci.yml", "vendor.gitlab-ci", "GitLab", '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n'),
    ],
)
def test_a_template_is_valid_on_main_only(tmp_path, file, schema, where, line):
    text = (TEMPLATES / file).read_text()
    assert text.count(line) == 1
    assert re.search("pull_request:|merge_request_event", only_on_main(where))[0] in line
    (tmp_path / file).write_text(text.replace(line, ""))
    run("check_jsonschema", "--builtin-schema", schema, str(tmp_path / file))


@pytest.mark.parametrize(("branch", "runs"), [("refs/heads/main", True), ("refs/heads/other", False)])
def test_pre_commit_runs_it_for_pushes_to_main_only(tmp_path, monkeypatch, branch, runs):
    entry = re.search("`(entry: [^`]*)`", only_on_main("pre-commit"))[1].replace("ftc gate", "touch gate-was-run")
    text = (TEMPLATES / "pre-commit-config.yaml").read_text().replace("entry: ftc gate", entry)
    assert entry in text
    (tmp_path / ".pre-commit-config.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "."], check=True)
    remote = [f"--remote-branch={branch}", "--remote-name=origin", "--remote-url=.", "--local-branch=x"]
    push = ["run", "--hook-stage=pre-push", *remote, "--all-files"]
    done = subprocess.run([sys.executable, "-m", "pre_commit", *push], capture_output=True, text=True)
    assert (done.returncode, (tmp_path / "gate-was-run").exists()) == (0, runs), done.stdout + done.stderr
