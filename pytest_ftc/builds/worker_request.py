"""What this machine and the worker of a farm say to each other: see `pytest_ftc.builds.worker`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_ftc.model.build import Action

REQUEST, ANSWER = "request.json", "result.json"
SOURCE, GIT, MODES = "source", "git", "modes.json"
LOG, BLOBS = "build.log", "blobs"
PROGRAM, FAKETIME = "worker.zip", "libfaketime.so.1"
OUTPUTS = (ANSWER, LOG, BLOBS)
"""What a worker leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a worker is asked to do."""

    modes: str = ""
    """The sha256 of `MODES`, which lists those of the source's files; the request's own is in the command.

    Farms give workers contents that they have not verified.
    """
    listings: Mapping[str, str] = field(default_factory=dict)
    """The folders beside the request that the build sees at other paths, each with the sha256 of its own such list.

    It is the file `listing_of` the folder.
    """
    action: Action | None = None
    """The build to run, its trees being those beside the request; None to survey the worker."""


def listing_of(folder: str) -> str:
    """Return the name of the file with the modes, times and digests of a `folder`'s files."""
    return f"{folder}.json"
