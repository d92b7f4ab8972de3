"""Which findings of different sessions are the same."""

from report_samples import finding

from pytest_ftc.model import Evidence
from pytest_ftc.reporting.baseline.entry import kind_of_place
from pytest_ftc.reporting.baseline.fingerprint import fingerprint


def test_a_finding_keeps_its_fingerprint_when_lines_and_versions_change():
    before = finding(output="dist/app-1.2.whl", location="line 12", evidence=Evidence(control="a", experiment="b"))
    after = finding(output="dist/app-1.3.whl", location="line 15", evidence=Evidence(control="c", experiment="d"))
    assert fingerprint("i", before) == fingerprint("i", after)
    for change in ({"cause": "umask"}, {"output": "dist/other.whl"}, {"member": "m"}, {"location": "byte 0x2c"}):
        assert fingerprint("i", finding(**change)) != fingerprint("i", finding())
    assert fingerprint("i", before) != fingerprint("j", before)


def test_a_part_of_a_line_is_one_kind_of_place_with_the_line():
    places = ("line 12", "line 14, column 5302 (part 210)", "line 14, column 7 (part 2)")
    assert len({fingerprint("i", finding(location=place)) for place in places}) == 1
    assert {kind_of_place(place) for place in places} == {"line 0"}
    assert kind_of_place("line 9, order of parts") == "line 0, order of parts"
