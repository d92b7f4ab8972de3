"""Which signals go where, by the standard variables."""

import pytest

from pytest_ftc.integrations.opentelemetry.switches import METRICS, TRACES, Wanted, find_wanted

BASE, OWN = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, Wanted()),
        ({BASE: ""}, Wanted()),
        ({BASE: "http://x"}, Wanted(otlp=True)),
        ({OWN: "http://x"}, Wanted(otlp=True)),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, Wanted(otlp=True)),
        ({"OTEL_TRACES_EXPORTER": "otlp_proto_http"}, Wanted(otlp=True)),
        ({"OTEL_TRACES_EXPORTER": "otlp_proto_grpc"}, Wanted(otlp=True)),
        ({"OTEL_TRACES_EXPORTER": " OTLP, console"}, Wanted(otlp=True, console=True)),
        ({"OTEL_TRACES_EXPORTER": "console", BASE: "http://x"}, Wanted(console=True)),
        ({"OTEL_TRACES_EXPORTER": "none", BASE: "http://x"}, Wanted()),
        ({"OTEL_SDK_DISABLED": "TRUE", BASE: "http://x"}, Wanted(disabled=True)),
        ({"OTEL_SDK_DISABLED": "1", BASE: "http://x"}, Wanted(otlp=True)),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, Wanted()),
        ({BASE: "x", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, Wanted(otlp=True)),
        (
            {BASE: "x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
            Wanted(otlp=True),
        ),
    ],
)
def test_the_variables_of_traces(environ, wanted):
    assert find_wanted(environ, TRACES) == wanted


def test_metrics_have_variables_of_their_own():
    environ = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_TRACES_EXPORTER": "none"}
    assert find_wanted(environ, METRICS).otlp
    assert not find_wanted({OWN: "http://x"}, METRICS).otlp
    assert find_wanted({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://x"}, METRICS).otlp


def test_an_exporter_that_there_is_not_is_told_and_the_others_work():
    wanted = find_wanted({"OTEL_TRACES_EXPORTER": "zipkin,otlp\x1b"}, TRACES)
    assert not wanted.otlp
    assert wanted.problems == (
        "OTEL_TRACES_EXPORTER: expected otlp, console, none, found 'zipkin', which is left out",
        r"OTEL_TRACES_EXPORTER: expected otlp, console, none, found 'otlp\\x1b', which is left out",
    )


def test_another_protocol_is_told_with_the_variable_that_helps():
    wanted = find_wanted({BASE: "http://x:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, TRACES)
    assert not wanted.otlp
    (problem,) = wanted.problems
    assert problem.startswith("OTEL_EXPORTER_OTLP_PROTOCOL: expected http/protobuf")
    assert "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf" in problem
