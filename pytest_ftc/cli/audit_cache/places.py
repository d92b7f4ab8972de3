"""Which server is audited, and where its actions are executed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pytest_ftc.config.load import Config
from pytest_ftc.config.location import Place
from pytest_ftc.config.remote import REMOTE, RemoteSettings, read_remote
from pytest_ftc.integrations.audit.sessions import Platform
from pytest_ftc.model.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The servers of an audit."""

    source: RemoteSettings
    """The action cache with its storage; it is only read."""
    farm: RemoteSettings | None
    """Where actions are executed; None for this machine, or nowhere."""


def find_places(options: argparse.Namespace, config: Config) -> Places:
    """Return the servers that the command line and the configuration name.  Raises ConfigurationError."""
    source = _find(options.server_cas, "--server-cas", config) if options.server_cas else config.remote
    if source is None:
        raise ConfigurationError("expected --server-cas URL, or a farm in [tool.ftc.remote]; found neither")
    if options.instance is not None:
        source = replace(source, instance=options.instance)
    if options.local or options.check_only:
        return Places(source=source, farm=None)
    return Places(
        source=source, farm=_find(options.execute_on, "--execute-on", config) if options.execute_on else source
    )


def configure_for(config: Config, farm: RemoteSettings | None, platform: Platform) -> Config:
    """Return the settings of a session for actions of the `platform` on `farm`, on this machine if it is None."""
    if farm is None:
        return replace(config, executor="local", remote=None)
    properties: Mapping[str, str] = {**farm.properties, **dict(platform)}
    return replace(config, executor="reapi", remote=replace(farm, properties=properties, store=False))


def _find(url: str, option: str, config: Config) -> RemoteSettings:
    """Return the server `url`; with what the configuration says of it, if that is its."""
    try:
        found = read_remote(Place(option, "", ""), {REMOTE: {"endpoint": url}}, config.root)
    except ConfigurationError:
        raise ConfigurationError(f"{option}: expected grpc://HOST:PORT or grpcs://HOST:PORT, found {url!r}") from None
    assert found is not None, "it has an endpoint"
    own = config.remote
    return own if own and (own.target, own.secure) == (found.target, found.secure) else found
