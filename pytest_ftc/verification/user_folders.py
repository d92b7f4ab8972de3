"""The folders of this user's store, key and caches."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from pytest_ftc.builds.inputs.written_files import WrittenFiles
from pytest_ftc.config.load import Config
from pytest_ftc.model.errors import FtcError
from pytest_ftc.store.secret_key import load_key


def find_key() -> bytes | None:
    """Return the key for values that may be secret; None if there is none and none can be created."""
    try:
        return load_key(key_file(), os.environ)
    except FtcError:
        return None


def store_folder() -> Path:
    """Return this user's default store folder."""
    return Path(os.environ["FTC_STORE"]).absolute() if os.environ.get("FTC_STORE") else user_cache("store")


def written_by(config: Config) -> WrittenFiles:
    """Return the files that a session with `config` writes, and that of durations, which are not sources."""
    # In CI the caches are often inside the project, because only files there are preserved.
    named = (config.report, config.json, config.durations)
    own = (config.store or store_folder(), *named, user_cache("store").parent, key_file().parent)
    attested = config.attest.folder_of(config.root, config.report) if config.attest else None
    measured = config.metrics.written if config.metrics else ()
    traced = config.traces.file if config.traces else None
    return WrittenFiles([*config.written, *filter(None, (*own, attested, *measured, traced))])


def key_file() -> Path:
    """Return the file of the key that authenticates this user's entries."""
    import platformdirs

    return Path(platformdirs.user_data_dir("pytest-ftc"), "store-key")


def keyring_folder() -> Path:
    """Return the folder of this user's keyring, unless an option says otherwise."""
    if os.environ.get("FTC_KEYRING"):
        return Path(os.environ["FTC_KEYRING"]).absolute()
    return key_file().parent / "keys"


def self_test_cache() -> Path:
    """Return the folder that records passed self-tests."""
    return user_cache("self-tests")


def user_cache(name: str) -> Path:
    """Return the folder `name` in this user's cache."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("pytest-ftc"), name)


def search_path() -> tuple[str, ...]:
    """Return the search path of builds: the folder of the running Python first, so that ``python`` is that one."""
    entries: Iterable[str] = (str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep))
    return tuple(dict.fromkeys(entry for entry in entries if Path(entry).is_absolute()))
