"""Fixed times used when the real one is unknown, in seconds since 1970."""

from __future__ import annotations

FIRST_ZIP_EPOCH = 315_619_200
"""1980-01-02 00:00 UTC: a zip archive stores nothing before 1980, and this is later in all time zones."""

FALLBACK_EPOCH = 1_577_836_800
"""2020-01-01 00:00 UTC: the time that remedies set where the sources have no commit."""

SOURCES_EPOCH = 1_012_647_000
"""2002-02-02 10:50 UTC: the time of the oldest source file.  zip can store it, and no build runs at that time.

From 10 to 11 o'clock, both zones that builds are given have another date: see the variation `timezone`.
"""

OF_COMMIT = "git"
"""In settings: the time of the last commit."""
UNSET = "unset"
"""In settings: none, or a fixed one."""
