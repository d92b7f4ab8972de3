"""What is said of a farm."""

import re
from dataclasses import replace

import pytest
from farms import address_of

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.check_up import examine_farm
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.reporting.terminal.farm import farm_rows
from pytest_ftc.reporting.terminal.style import Page


def told(farm):
    """Return the lines about `farm`."""
    state = examine_farm(address_of(farm), {"pool": "a"})
    return state, [str(line) for line in farm_rows(Page(100, False), state)]


def test_a_farm_is_described(farm):
    farm.batch_limit = 1 << 20
    state, lines = told(farm)
    assert state.server == f"grpc://{farm.target}"
    assert (state.api_version, state.digest_functions, state.compressors) == ("2.0", ("SHA256",), ())
    assert state.batch_limit == 1 << 20
    assert 0 < state.batch_bytes < 1 << 20
    assert state.storage_problem == state.action_cache_problem == ""
    assert farm.calls["BatchUpdateBlobs"] == farm.calls["BatchReadBlobs"] == 1
    assert "the server's limit is 1 MiB" in "".join(lines)
    assert "pool=a" in "".join(lines)
    assert "clients may write to it" in "".join(lines)


def test_two_kinds_of_workers_have_a_row_each(farm):
    state = replace(examine_farm(address_of(farm), {}), replicas={"control": {"pool": "a"}, "experiment": {"os": "b"}})
    text = "".join(map(str, farm_rows(Page(100, False), state)))
    assert re.search("properties +none asked for .*control +pool=a .*experiment +os=b", text)


def test_names_that_nobody_knows_are_numbers(farm):
    farm.compressors = [api.Compressor.ZSTD, 77]
    assert told(farm)[0].compressors == ("ZSTD", "77")


@pytest.mark.parametrize(
    ("method", "answer", "said"),
    [
        ("BatchReadBlobs", "gone", "is missing"),
        ("BatchReadBlobs", "other", "was altered: its bytes"),
        ("BatchUpdateBlobs", "refused", "PERMISSION_DENIED: read only"),
    ],
)
def test_a_storage_that_keeps_nothing_is_named(farm, method, answer, said):
    def read(request, context):
        data = {"data": b"other bytes"} if answer == "other" else {"status": {"code": 5}}
        return api.BatchReadBlobsResponse(responses=[{"digest": each, **data} for each in request.digests])

    if answer == "refused":
        farm.fail(method, "PERMISSION_DENIED", text="read only")
    else:
        farm.faults[method].append(read)
    state, lines = told(farm)
    assert said in state.storage_problem
    assert "reachable: a content" not in "".join(lines)
    assert state.action_cache_problem == ""


def test_an_action_cache_that_is_not_there_is_named_with_what_needs_it(farm):
    farm.fail("GetActionResult", "UNIMPLEMENTED", text="no\x1b[2Jcache")
    state, lines = told(farm)
    assert "UNIMPLEMENTED" in state.action_cache_problem
    assert "store = true will not work" in "".join(lines)
    assert "\x1b" not in "".join(lines)


def test_a_farm_of_no_use_is_an_error(farm):
    farm.fail("GetCapabilities", "INVALID_ARGUMENT", text="no such instance")
    with pytest.raises(RemoteError, match="INVALID_ARGUMENT: no such instance"):
        told(farm)
