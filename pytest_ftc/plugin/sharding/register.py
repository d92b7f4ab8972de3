"""Whether a session verifies only a part of the artifacts; nothing more is imported if it verifies all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ftc.config import SHARD

if TYPE_CHECKING:
    import pytest

    from pytest_ftc.config.load import Config
    from pytest_ftc.plugin.session_report import SessionReport


def register_shard(pytest_config: pytest.Config, config: Config, report: SessionReport) -> None:
    """Have the session verify only the part that it is given, if any, and tell `report`.

    Raises ConfigurationError.
    """
    given = pytest_config.getoption(SHARD.destination)
    if given is not None:
        from pytest_ftc.plugin.sharding.shard_session import ShardSession
        from pytest_ftc.verification.sharding.durations import read_durations
        from pytest_ftc.verification.sharding.shard import read_shard

        shard = read_shard(given, SHARD.flag)
        seconds = read_durations(config.durations) if config.durations else {}
        pytest_config.pluginmanager.register(ShardSession(shard, seconds, report), "ftc-shard")
