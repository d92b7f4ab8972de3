"""What this machine and the worker of a farm say to each other: see `pytest_ftc.builds.worker`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.model.build import Action
from pytest_ftc.model.machine import Machine

REQUEST, ANSWER = "request.json", "result.json"
SOURCE, GIT, MODES = "source", "git", "modes.json"
LOG, BLOBS = "build.log", "blobs"
PROGRAM, FAKETIME = "worker.zip", "libfaketime.so.1"
OUTPUTS = (ANSWER, LOG, BLOBS)
"""What a worker leaves."""
MOST_ANSWER = 64 << 20
"""Bytes of `ANSWER`."""
MOST_OUTPUTS = 100_000
"""Outputs of one build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a worker is asked to do, and the sha256 of everything else that it is given; its own is in the command.

    Farms give workers contents that they have not verified.
    """

    modes: str = ""
    """Of `MODES`, which lists all that is in the source tree: see `describe_entry`."""
    listings: Mapping[str, str] = field(default_factory=dict)
    """Of such lists, by folder: the repository, and those that the build sees at other paths.

    Each is the file `listing_of` the folder.
    """
    faketime: str = ""
    """Of `FAKETIME`; empty if there is none."""
    python: str = ""
    """The Python of the session.  A build that starts it gets the worker's where there is none at that path."""
    surveyed: Machine | None = None
    """The worker for which the build was planned; None if none was surveyed."""
    action: Action | None = None
    """The build to run, its trees being those beside the request; None to survey the worker."""


def listing_of(folder: str) -> str:
    """Return the name of the file with the modes, times and digests of a `folder`'s files."""
    return f"{folder}.json"


def describe_entry(sha256: str, target: str | None) -> str:
    """Return what the list of a folder has for a file with the digest `sha256`, a link to `target`, or a folder."""
    return sha256 if target is None else f"-> {target}"
