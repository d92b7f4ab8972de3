"""What this machine offers for varying an environment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Facilities found, and for each one missing the reason a person can act on."""

    namespaces: bool
    """Whether the launcher can enter namespaces of its own."""
    namespaces_reason: str = ""
    """Why not, when it cannot."""
    overlay: bool = False
    """Whether overlayfs can be mounted over the work folder."""
    faketime: str = ""
    """Path of a libfaketime that was seen to move the clock; empty when there is none."""
    faketime_reason: str = ""
    locales: tuple[str, ...] = ()
    """Locales installed, as ``locale -a`` names them."""
    zoneinfo: bool = False
    """Whether the time zone database is installed."""
    work_dir: str = ""
    """Folder below which builds run."""
    work_filesystem: str = ""
    """Its file system type: ``ext4``, ``tmpfs``, ..."""
    cpus: int = 1
