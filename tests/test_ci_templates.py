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
    ("file", "schema"), [("github.yml", "vendor.github-workflows"), ("gitlab-ci.yml", "vendor.gitlab-ci")]
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
        assert len(re.findall(r"(?m)^\s*(?:- run: |- |entry: )ftc gate$", file.read_text())) == 1, file


def test_the_documentation_shows_the_templates_as_they_are():
    text = (ROOT / "docs" / "ci.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert sorted(blocks) == sorted(file.read_text() for file in TEMPLATES.iterdir())
