"""TRACEPARENT in builds: the control belongs to the session's trace, and whoever embeds a trace is found."""

import re

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PROJECT = """
[artifacts.whole]
build = "echo $TRACEPARENT > out; echo $TRACEPARENT"
outputs = ["out"]
source = "src"
[artifacts.state]
build = "echo $TRACESTATE > out"
outputs = ["out"]
source = "src"
[artifacts.baggage]
build = "echo $BAGGAGE > out"
outputs = ["out"]
source = "src"
[artifacts.silent]
build = "env | grep -ce TRACEPARENT -e TRACESTATE -e BAGGAGE > out"
outputs = ["out"]
source = "src"
pass_env = ["TRACE*", "BAGGAGE"]
[artifacts.indifferent]
build = "echo $TRACEPARENT $TRACESTATE $BAGGAGE > out"
outputs = ["out"]
source = "src"
pass_env = ["TRACE*", "BAGGAGE"]
variations = "all,-environment"
"""
VERDICTS = {
    "whole": "unreproducible",
    "state": "unreproducible",
    "baggage": "unreproducible",
    "silent": "reproducible",
    "indifferent": "reproducible",
}


def test_who_embeds_a_trace_is_found_whatever_the_caller_has(verify, project, monkeypatch):
    (project / "src").mkdir()
    (project / "src/code").touch()
    monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-00f067aa0ba902b7-00")
    monkeypatch.setenv("BAGGAGE", "token=hush")
    monkeypatch.setenv("TRACESTATE", "theirs=hush")
    first = verify(PROJECT, "--ftc-builds=2", "--ftc-diagnose=fast")
    assert first.verdicts == VERDICTS
    for name, variable in (("whole", "TRACEPARENT"), ("state", "TRACESTATE"), ("baggage", "BAGGAGE")):
        (finding,) = first.artifact(name)["findings"]
        assert finding["cause"] == "environment"
        assert (
            finding["why"] == f"it contains the value of {variable}, which belongs to one run and must not be embedded"
        )
        assert "hush" not in str(finding)
    control = first.artifact("whole")["findings"][0]["evidence"]["control"]
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-01", control)
    builds = {phase["id"]: phase for phase in first.artifact("whole")["phases"]}
    assert builds[control.split("-")[2]]["name"] == "whole-control"
    assert first.report["session"]["trace_id"] == TRACE
    assert "hush" not in str(first.report)

    monkeypatch.delenv("TRACEPARENT")
    monkeypatch.delenv("BAGGAGE")
    monkeypatch.delenv("TRACESTATE")
    second = verify(None, "--ftc-builds=2", "--ftc-diagnose=fast")
    assert second.verdicts == VERDICTS
    # It is no part of the key under which verdicts are cached.
    assert [one["name"] for one in second.report["artifacts"] if not one["cached"]] == []
    assert second.report["session"]["trace_id"] not in ("", TRACE)
    # What is not varied is also the same in every session, so that none contradicts another.
    third = verify(None, "--ftc-builds=2", "--ftc-no-cache")
    assert third.verdicts == VERDICTS
    outputs = [run.artifact("indifferent")["builds"][0]["outputs"] for run in (first, third)]
    assert outputs[0] == outputs[1]
