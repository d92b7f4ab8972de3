"""The dashboards of the package are what their sources make."""

import subprocess
import sys

import pytest
from clean_environment import ROOT


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Grafana's SDK needs Python 3.11")
def test_dashboards_are_up_to_date():
    command = [sys.executable, "scripts/dashboards", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
