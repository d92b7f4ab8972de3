"""The action cache of a farm."""

import pytest

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.action_cache import RemoteActionCache
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.model.digest import Digest

ACTION = Digest.of(b"action")


def test_results_come_back(farm, connection):
    cache = RemoteActionCache(connection)
    assert connection.call(cache.get(ACTION)) is None
    result = api.ActionResult(exit_code=0, stdout_raw=b"1")
    connection.call(cache.put(ACTION, result))
    assert connection.call(cache.get(ACTION)) == result
    assert farm.results == {ACTION: result}


def test_transient_failures_are_retried(farm, connection):
    farm.results[ACTION] = api.ActionResult(exit_code=4)
    farm.fail("GetActionResult", "UNAVAILABLE", "RESOURCE_EXHAUSTED")
    assert connection.call(RemoteActionCache(connection).get(ACTION)).exit_code == 4


def test_hostile_results_are_errors(farm, connection):
    farm.results[ACTION] = api.ActionResult(output_files=[{"path": "a/../../b", "digest": {"hash": "0" * 64}}])
    with pytest.raises(RemoteError, match="which cannot be"):
        connection.call(RemoteActionCache(connection).get(ACTION))
