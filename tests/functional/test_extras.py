"""Without an extra, what needs it says so in one line that names the extra."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ARTIFACT = '[artifacts.one]\nbuild = "echo same > one"\noutputs = ["one"]\n'
FARM = '[remote]\nendpoint = "grpc://127.0.0.1:1"\n'
QUICK = ("--ftc-variations=umask", "--ftc-builds=2", "--ftc-diagnose=off", "--ftc-no-cache")


@pytest.fixture
def without(tmp_path: Path):
    """Return a function that runs a command where a module cannot be imported."""

    def run(module: str, toml: str, *command: str) -> tuple[int, str]:
        (tmp_path / "project").mkdir()
        (tmp_path / "project" / "ftc.toml").write_text(toml + ARTIFACT)
        # Loaded before anything else, as sitecustomize is, also in processes that are started.
        (tmp_path / "path").mkdir()
        (tmp_path / "path" / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path / "project", capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "path")},
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize(
    ("module", "toml", "options", "message"),
    [
        ("grpc", FARM, ["--ftc-executor=reapi"], "remote execution needs the extra 'reapi': pip install 'pytest-ftc[reapi]'"),
        ("opentelemetry", '[traces]\nfile = "t.jsonl"\n', [], "extra 'otel' is missing: pip install 'pytest-ftc[otel]'"),
        ("prometheus_client", '[metrics]\ntextfile = "m.prom"\n', [], "metrics need the extra 'prometheus': pip install"),
    ],
    ids=["reapi", "otel", "prometheus"],
)  # fmt: skip
def test_a_session_is_a_usage_error(without, module, toml, options, message):
    status, text = without(module, toml, "pytest", "--ftc-verify", "-p", "no:ddtrace", *QUICK, *options)
    assert status == 4, text
    [line] = [line for line in text.splitlines() if line.startswith("ERROR: ")]
    assert message in line
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text


@pytest.mark.parametrize(
    ("module", "toml", "key", "message"),
    [
        ("hvac", '[secrets]\nT = "vault:secret/a#b"\n', 'secrets = ["T"]\n', "pip install 'pytest-ftc[vault]'"),
        ("oras", "", 'reference = "oci:127.0.0.1:1/a:1"\n', "pip install 'pytest-ftc[oci]'"),
    ],
    ids=["vault", "oci"],
)
def test_an_artifact_is_an_error(without, monkeypatch, module, toml, key, message):
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    monkeypatch.setenv("VAULT_TOKEN", "token")
    table = ARTIFACT.replace("[artifacts.one]\n", f"[artifacts.one]\n{key}").replace("one", "two")
    status, text = without(module, toml + table, "pytest", "--ftc-verify", *QUICK)
    assert status == 1, text
    assert "! error" in text
    assert message in " ".join(text.split())
