"""What the programs of one build did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program that a build has executed."""

    pid: int
    """As the build saw it."""
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
    """Place among all beginnings and ends of programs."""
    ended: int | None = None
    """The same of its end; None when that was not seen."""
    hash_seed: str | None = None
    """Of Python and Perl the hash seed in its environment, empty if there is none; None of other programs."""
    helpers: int = 0
    """Threads and forked processes of it that executed nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Which programs a build has executed, and what each opened, renamed and connected to; all paths are absolute.

    The first of each pair is the index of the program, -1 where that is not known.
    """

    programs: tuple[Program, ...]
    read: tuple[tuple[int, str], ...]
    """Files and devices opened for reading that were there."""
    written: tuple[tuple[int, str], ...]
    """Files opened for writing or made, also where that failed, or inherited so: the program behind a shell's ``>``."""
    contents: tuple[tuple[int, str, str], ...]
    """The beginning of what was written to which path, a character for each byte; empty unless asked for."""
    moved: tuple[tuple[int, str, str], ...]
    """Renamed or linked: the old and the new path."""
    connected: tuple[tuple[int, str], ...]
    """Network addresses that were tried: ``192.0.2.1:443``."""
    gaps: tuple[str, ...]
    """What may be missing, and why; one sentence each."""
    outside: tuple[tuple[str, str], ...] = ()
    """What was used outside the build's own folders, by path: ``file`` (read), ``folder`` (listed), ``looked at`` or
    ``absent`` (looked for and not found)."""
    outside_gap: str = ""
    """Why `outside` may not be all; empty if it is."""
