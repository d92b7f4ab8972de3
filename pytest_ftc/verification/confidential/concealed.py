"""Which files of the user no build may see, unless it is given them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_ftc.builds.inputs.secret_sources import SecretSource, parse_source
from pytest_ftc.config.load import Config
from pytest_ftc.verification.user_folders import key_file, keyring_folder

_VAULT_TOKEN = "~/.vault-token"
"""Where the command line of Vault keeps a token."""


def list_concealed(config: Config) -> tuple[str, ...]:
    """Return the real paths of the user's keys, and of the files with secrets of `config` and its artifacts."""
    return tuple(str(path.resolve()) for path in (key_file().parent, keyring_folder(), *_secret_files(config)))


def _secret_files(config: Config) -> Iterator[Path]:
    login = config.secrets.vault
    yield Path(_VAULT_TOKEN).expanduser()
    for text in filter(None, (login.token, login.role_id, login.secret_id)):
        if (source := parse_source(text)) and source.file:
            yield config.root / Path(source.file).expanduser()
    for source in (*config.secrets.sources.values(), *_headers(config)):
        if source.file:
            yield config.root / Path(source.file).expanduser()
    for artifact in config.artifacts:
        for name in artifact.secrets:
            if name.startswith("file:"):
                yield artifact.source / Path(name.removeprefix("file:")).expanduser()


def _headers(config: Config) -> Iterator[SecretSource]:
    """Yield the sources of headers for services."""
    if config.remote:
        yield from config.remote.headers.values()
    if config.metrics and config.metrics.pushgateway:
        yield from config.metrics.pushgateway.headers.values()
