"""Opening the verification cache of a session."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from pytest_ftc.builds.inputs.source_state import Sources
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.builds.requirements.environment_cache import default_cache, installed_digests
from pytest_ftc.config.load import Config
from pytest_ftc.model import Artifact, Machine
from pytest_ftc.model.protocols import Store, Variation
from pytest_ftc.store.action_cache import is_authentic, is_disputed
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History
from pytest_ftc.store.secret_key import VARIABLE, load_key
from pytest_ftc.store.translated import TranslatedStore
from pytest_ftc.verification.cache.cache import VerificationCache
from pytest_ftc.verification.cache.context import CacheContext
from pytest_ftc.verification.user_folders import key_file, search_path, store_folder

Connect: TypeAlias = "Callable[[bytes], Store]"
"""Connects to the store that sessions share, with the key of entries.  Raises FtcError."""


def make_cache_context(
    config: Config,
    machine: Machine,
    select: Callable[[Artifact], Sequence[Variation]],
    sources: Sources,
    toolchain: Toolchain,
    *,
    effects: Mapping[str, str],
) -> CacheContext:
    """Return the context of a session; `effects` are digests of the effects of plugins' variations."""
    return CacheContext(
        project=config.root,
        sources=sources,
        toolchain=toolchain,
        machine=machine,
        select=select,
        builds=config.builds,
        diagnose=config.diagnose,
        trace=config.trace,
        path=search_path(),
        environ=dict(os.environ),
        has_environment=lambda digest: digest in installed_digests(default_cache()),
        platform=describe_platform(),
        effects=effects,
    )


def describe_platform() -> tuple[str, ...]:
    """Return what kind of machine and Python this is: system, machine, C library, Python."""
    return (platform.system(), platform.machine(), *platform.libc_ver(), platform.python_version())


def open_cache(
    config: Config, context: CacheContext, foreign: Store | None = None, connect: Connect | None = None
) -> VerificationCache:
    """Return the cache in the store of `config`, or in `foreign`, a plugin's store.

    With `connect`, which returns the store that sessions share, the local one is in front of that.  Raises
    StoreUnavailableError.
    """
    local = LocalStore(config.store or store_folder())
    local.layout.make()
    key = load_key(key_file(), os.environ)
    store: Store = TranslatedStore(foreign) if foreign else local
    if connect and not foreign:
        from pytest_ftc.store.tiered import TieredStore

        own = "" if os.environ.get(VARIABLE) else f"no other machine can use the remote store: set {VARIABLE} on all"
        store = TieredStore(
            local,
            partial(connect, key),
            partial(is_authentic, key=key),
            is_disputed=partial(is_disputed, key=key),
            problem=own,
        )
    return VerificationCache(store, History(local.layout, key), key, context, answers=not config.no_cache)
