"""Which findings of different sessions are the same."""

from report_samples import finding

from pytest_ftc.model import Evidence
from pytest_ftc.reporting.baseline.fingerprint import fingerprint


def test_a_finding_keeps_its_fingerprint_when_lines_and_versions_change():
    before = finding(output="dist/app-1.2.whl", location="line 12", evidence=Evidence(control="a", experiment="b"))
    after = finding(output="dist/app-1.3.whl", location="line 15", evidence=Evidence(control="c", experiment="d"))
    assert fingerprint("i", before) == fingerprint("i", after)
    for change in ({"cause": "umask"}, {"output": "dist/other.whl"}, {"member": "m"}, {"location": "byte 0x2c"}):
        assert fingerprint("i", finding(**change)) != fingerprint("i", finding())
    assert fingerprint("i", before) != fingerprint("j", before)
