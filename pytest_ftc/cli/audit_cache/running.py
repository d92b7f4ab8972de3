"""Opening what an audit needs, and running it."""

from __future__ import annotations

import argparse
import hashlib
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.cli.audit_cache.places import Places, configure_for, find_places
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.config.remote import RemoteSettings
from pytest_ftc.integrations.audit.auditing import Auditor, Sample
from pytest_ftc.integrations.audit.contents import Contents
from pytest_ftc.integrations.audit.findings import AuditedAction
from pytest_ftc.integrations.audit.listing import read_listings
from pytest_ftc.integrations.audit.plain import PlainRunner
from pytest_ftc.integrations.audit.rebuilding import Rebuilder
from pytest_ftc.integrations.audit.sessions import Sessions
from pytest_ftc.integrations.audit.state import State
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.verification.cache.shared_store import read_address
from pytest_ftc.verification.user_folders import user_cache

_AT_ONCE = 16
"""Actions; most of the time each waits for the gap between builds, or for the server."""
_QUIET = 10.0
"""Seconds between two lines about the progress."""


def run_audit(options: argparse.Namespace) -> tuple[list[AuditedAction], Sequence[str]]:
    """Return what is said of each action, and notes on those left out.  Raises FtcError."""
    listing = read_listings(options.files)
    config = load_project(Path.cwd(), {"variations": options.variations}, needs_artifacts=False)
    places = find_places(options, config)
    with ExitStack() as stack:
        workspace = stack.enter_context(Workspace())
        source = stack.enter_context(_connect(places.source, config))
        contents = Contents(Cas(source), workspace.folder("checked"))
        auditor = Auditor(
            source=source,
            contents=contents,
            rebuilder=None,
            state=_open_state(options, places, config),
            again=options.again,
            sample=Sample(options.sample, threading.Lock()),
            most=options.max_inputs,
        )
        if not options.check_only:
            auditor = replace(auditor, rebuilder=_open_rebuilder(options, config, places, auditor, workspace, stack))
        return auditor.run(listing.actions, _AT_ONCE, _Progress(len(listing.actions)).show), listing.notes


def _open_rebuilder(
    options: argparse.Namespace,
    config: Config,
    places: Places,
    auditor: Auditor,
    workspace: Workspace,
    stack: ExitStack,
) -> Rebuilder:
    run_plain = None
    if places.farm:
        farm = stack.enter_context(_connect(places.farm, config))
        storage = Contents(Cas(farm), workspace.folder("executed"))
        queue = places.farm.queue
        run_plain = PlainRunner(farm=farm, contents=storage, queue=queue, timeout=options.timeout).run
    configure = partial(configure_for, config, places.farm)
    sessions = Sessions(configure, workspace.folder("results"), one=places.farm is None)
    stack.callback(sessions.close)
    return Rebuilder(
        source=auditor.source,
        contents=auditor.contents,
        work=workspace.folder("actions"),
        open_context=sessions.context,
        run_plain=run_plain,
        timeout=options.timeout,
    )


def _connect(remote: RemoteSettings, config: Config) -> Connection:
    """Return the connection to a server that can be of use.  Raises FtcError."""
    connection = Connection(read_address(remote, config, lambda: False))
    try:
        connection.call(connection.capabilities())
    except BaseException:
        connection.close()
        raise
    return connection


def _open_state(options: argparse.Namespace, places: Places, config: Config) -> State:
    farm = f"{places.farm.target} {places.farm.instance}" if places.farm else "this machine"
    how = "checked" if options.check_only else f"executed on {farm} with {config.variations}"
    settings = f"{places.source.target} {places.source.instance} {how}"
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
