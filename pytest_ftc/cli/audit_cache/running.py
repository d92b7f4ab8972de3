"""Opening what an audit needs, and running it."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.config.remote import RemoteSettings
from pytest_ftc.integrations.audit.auditing import Auditor, Sample
from pytest_ftc.integrations.audit.contents import Contents
from pytest_ftc.integrations.audit.findings import AuditedAction
from pytest_ftc.integrations.audit.listing import read_listings
from pytest_ftc.integrations.audit.plain import PlainRunner
from pytest_ftc.integrations.audit.rebuilding import Rebuilder
from pytest_ftc.integrations.audit.sessions import Platform, Sessions
from pytest_ftc.integrations.audit.state import State
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.verification.cache.shared_store import read_address
from pytest_ftc.verification.user_folders import user_cache

_AT_ONCE = 16
"""Actions; most of the time each waits for the gap between builds, or for the server."""
_QUIET = 10.0
"""Seconds between two lines about the progress."""
_FORM = re.compile(r"(grpcs?)://([^/\s@]+:[0-9]{1,5})/?")


def run_audit(options: argparse.Namespace) -> tuple[list[AuditedAction], Sequence[str]]:
    """Return what is said of each action, and notes on those left out.  Raises FtcError."""
    listing = read_listings(options.files)
    config = load_project(Path.cwd(), {"variations": options.variations}, needs_artifacts=False)
    remote = _find_server(options, config)
    address = read_address(remote, config, lambda: False)
    with ExitStack() as stack:
        workspace = stack.enter_context(Workspace())
        source = stack.enter_context(Connection(address))
        source.call(source.capabilities())
        contents = Contents(Cas(source), workspace.folder("checked"))
        state = _open_state(options, address, config)
        sessions = Sessions(
            partial(_configure, config, remote) if options.on_farm else lambda _: config,
            workspace.folder("results"),
            one=not options.on_farm,
        )
        stack.callback(sessions.close)
        auditor = Auditor(
            source=source,
            contents=contents,
            rebuilder=None
            if options.check_only
            else Rebuilder(
                source=source,
                contents=contents,
                work=workspace.folder("actions"),
                open_context=sessions.context,
                run_plain=PlainRunner(source, contents, remote.queue) if options.on_farm else None,
                timeout=options.timeout,
            ),
            state=state,
            again=options.again,
            sample=Sample(options.sample, threading.Lock()),
            most=options.max_inputs,
        )
        return auditor.run(listing.actions, _AT_ONCE, _Progress(len(listing.actions)).show), listing.notes


def _find_server(options: argparse.Namespace, config: Config) -> RemoteSettings:
    """Return the server that is to be audited.  Raises ConfigurationError."""
    if options.server_cas:
        match = _FORM.fullmatch(options.server_cas)
        if not match:
            raise ConfigurationError(
                f"{shorten(options.server_cas, 80)}: expected grpc://HOST:PORT or grpcs://HOST:PORT"
            )
        return RemoteSettings(target=match[2], instance=options.instance, secure=match[1] == "grpcs")
    if config.remote is None:
        raise ConfigurationError("expected --server-cas URL, or a farm in [tool.ftc.remote]; found neither")
    return config.remote


def _configure(config: Config, remote: RemoteSettings, platform: Platform) -> Config:
    """Return the settings of a session on workers of the `platform`."""
    return replace(config, executor="reapi", remote=replace(remote, properties=dict(platform), store=False))


def _open_state(options: argparse.Namespace, address: RemoteAddress, config: Config) -> State:
    settings = f"{address} {config.variations} {'farm' if options.on_farm else 'local' if options.local else 'check'}"
    name = f"{hashlib.sha256(settings.encode()).hexdigest()[:16]}.jsonl"
    return State(options.state or user_cache("audits") / name, settings)


class _Progress:
    """Says on stderr how far the audit is, from time to time."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._said = time.monotonic()

    def show(self, _: AuditedAction) -> None:
        self._done += 1
        if time.monotonic() - self._said > _QUIET and self._done < self._total:
            self._said = time.monotonic()
            print(f"ftc: {self._done} of {self._total} actions audited", file=sys.stderr, flush=True)
