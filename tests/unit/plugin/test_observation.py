"""What nobody asked for is not loaded: a session that verifies imports no integration, and no library that observes."""

import subprocess
import sys

UNASKED = (
    "opentelemetry",
    "prometheus_client",
    "pytest_ftc.integrations",
)
PROJECT = """
[artifacts.app]
build = "echo x > out"
outputs = ["out"]
"""
TELLS = """
import sys

def pytest_unconfigure():
    print("phases of a session:", "pytest_ftc.model.timing.collector" in sys.modules)
    print("loaded:", sorted(name for name in sys.modules if name.startswith({unasked})))
"""


def test_a_session_without_a_way_out_loads_no_integration(tmp_path, monkeypatch):
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FTC_STORE", str(tmp_path / "store"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "ftc.toml").write_text(PROJECT)
    (project / "pytest.ini").write_text("[pytest]\n")
    (project / "conftest.py").write_text(TELLS.format(unasked=UNASKED))
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-builds=2", "-p", "no:opentelemetry"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "phases of a session: True" in done.stdout
    assert "loaded: []" in done.stdout
