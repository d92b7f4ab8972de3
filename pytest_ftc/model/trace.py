"""What the programs of one build did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program that a build executed."""

    pid: int
    """Path as the build saw it."""
    argv: tuple[str, ...]
    folder: str
    """Its current folder when it started."""
    program: str
    """Path of the file executed; for a script, of its interpreter."""
    parent: int
    """Index of the program that started it; -1 for the first."""
    exit_code: int | None
    """Negative for a signal; None when it did not end on its own."""
    began: int = 0
    """Its position among the starts and exits of all programs."""
    ended: int | None = None
    """The position of its exit; None if that was not observed."""
    hash_seed: str | None = None
    """For Python and Perl, the hash seed in its environment (empty if unset); None for other programs."""
    helpers: int = 0
    """Its threads and forked processes that executed nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Which programs a build has executed, and what each opened, renamed and connected to; all paths are absolute.

    The first of each pair is the index of the program, -1 if unknown.
    """

    programs: tuple[Program, ...]
    read: tuple[tuple[int, str], ...]
    """Existing files and devices opened for reading."""
    written: tuple[tuple[int, str], ...]
    """Files opened for writing or created, even if that failed, or inherited open (a shell's ``>``)."""
    contents: tuple[tuple[int, str, str], ...]
    """The beginning of what was written, by path or pipe (``pipe:[123]``), one character per byte; empty unless
    requested, like `copied`, `taken` and `scripts`."""
    moved: tuple[tuple[int, str, str], ...]
    """Renames and links: the old and the new path."""
    connected: tuple[tuple[int, str], ...]
    """Network addresses that were tried: ``192.0.2.1:443``."""
    gaps: tuple[str, ...]
    """What may be incomplete, and why; one sentence each."""
    evaded: Mapping[str, str] = field(default_factory=dict)
    """Variations that a program evaded, such as by a file that shows the machine's own condition, and how."""
    random: tuple[int, ...] = ()
    """Programs that asked getrandom(2) for random bytes that they may depend on; indices."""
    outside: tuple[tuple[str, str], ...] = ()
    """What was used outside the build's own folders, by path: ``file`` (read), ``folder`` (listed), ``looked at`` or
    ``absent`` (looked for and not found)."""
    outside_gap: str = ""
    """Why `outside` may be incomplete; empty if it is complete."""
    copied: tuple[tuple[int, str, str], ...] = ()
    """Copies that the kernel made, as for ``cp``: the path or pipe from which, and that to which."""
    taken: tuple[tuple[int, str], ...] = ()
    """Files and pipes held open for reading that are not in `read`: inherited, or opened to be changed."""
    scripts: tuple[tuple[str, str], ...] = ()
    """What shells and make opened for reading outside the system's folders, and the beginning of each."""
