"""What a farm says of itself, and whether its storage and its action cache answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace

from pytest_ftc.integrations.reapi.action_cache import RemoteActionCache
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.capabilities import Capabilities
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError
from pytest_ftc.model import FarmState
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError

_ATTEMPTS = 2
"""At each call: somebody waits, who can try again."""
_SIZE = 64
"""Bytes of the content that is stored, which no server has yet."""


def examine_farm(address: RemoteAddress, properties: Mapping[str, str]) -> FarmState:
    """Return what is true of the farm at `address`, whose workers must have the `properties`.

    Raises RemoteError and TransientError if it cannot be used at all.
    """
    persistence = replace(address.limits.persistence, attempts=_ATTEMPTS)
    with Connection(replace(address, limits=replace(address.limits, persistence=persistence))) as connection:
        found = connection.call(connection.capabilities())
        storage, cache = _try_storage(connection), _try_action_cache(connection)
    return FarmState(
        server=f"{'grpcs' if address.secure else 'grpc'}://{address.target}",
        instance=address.instance,
        api_version=found.version,
        digest_functions=found.digest_functions,
        compressors=found.compressors,
        compresses=_compresses(found),
        batch_limit=found.batch_limit,
        batch_bytes=found.batch,
        storage_problem=storage,
        action_cache_problem=cache,
        updates_cache=found.updates_cache,
        properties=dict(properties),
    )


def _compresses(found: Capabilities) -> bool:
    return found.zstd or found.zstd_batches


def _try_storage(connection: Connection) -> str:
    """Return why a content cannot be stored and read back; empty if it can."""
    data, cas = secrets.token_bytes(_SIZE), Cas(connection)

    def move() -> None:
        connection.call(cas.upload({Digest.of(data): data}))
        connection.call(cas.read(Digest.of(data), _SIZE))

    return _problem_of(move)


def _try_action_cache(connection: Connection) -> str:
    """Return why the action cache cannot be read; empty if it can."""
    asked = Digest.of(secrets.token_bytes(_SIZE))
    return _problem_of(lambda: connection.call(RemoteActionCache(connection).get(asked)))


def _problem_of(act: Callable[[], object]) -> str:
    try:
        act()
    except (RemoteError, AlteredError, MissingError) as error:
        return error.message
    return ""
