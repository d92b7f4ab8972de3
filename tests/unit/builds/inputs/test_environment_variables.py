"""Which variables of the caller a build gets."""

import pytest

from pytest_ftc.builds.inputs.environment_variables import passed_variables

TRACE = {"TRACEPARENT": "00-1", "TRACESTATE": "a=1", "BAGGAGE": "b=2"}
ENVIRON = {"HOME": "/h", "CI_A": "1", "CI_B": "2", "FTC_STORE_KEY": "k", "FTC_HSM_PIN": "p", "VAULT_TOKEN": "t"}


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ([], set()),
        (["CI_*"], {"CI_A", "CI_B"}),
        (["*"], {"HOME", "CI_A", "CI_B"}),
        (["FTC_*", "VAULT_?OKEN"], set()),
        (["FTC_*", "VAULT_TOKEN"], {"VAULT_TOKEN"}),
        (["NONE", "HOME"], {"HOME"}),
    ],
)
def test_credentials_are_passed_only_by_their_full_name(patterns, names):
    assert set(passed_variables(patterns, ENVIRON)) == names


@pytest.mark.parametrize("patterns", [["*"], ["TRACE*", "BAGGAGE"], list(TRACE)])
def test_the_trace_of_the_caller_is_never_passed(patterns):
    assert not passed_variables(patterns, TRACE)
