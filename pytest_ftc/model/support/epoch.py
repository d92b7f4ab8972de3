"""Fixed times used when the real one is unknown, in seconds since 1970."""

from __future__ import annotations

FIRST_ZIP_EPOCH = 315_619_200
"""1980-01-02 00:00 UTC: a zip archive stores nothing before 1980, and this is later in all time zones."""

FALLBACK_EPOCH = 1_577_836_800
"""2020-01-01 00:00 UTC: the time that remedies set where the sources have no commit."""

OF_COMMIT = "git"
"""In settings: the time of the last commit."""
UNSET = "unset"
"""In settings: none, or a fixed one."""
