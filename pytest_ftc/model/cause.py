"""The causes that a finding may name."""

from __future__ import annotations

from enum import Enum


class Cause(str, Enum):
    """Our own causes: the name of each variation, and causes that are not variations.

    A variation of a plugin is a cause too, so fields that hold a cause are of type ``str``; a member equals its name,
    hashes and prints like it.  What leaves diagnosis (`Finding.cause`) is the plain name.
    """

    TIME = "time"
    TIMEZONE = "timezone"
    LOCALES = "locales"
    BUILD_PATH = "build_path"
    HOME = "home"
    TEMP_DIR = "temp_dir"
    EXEC_PATH = "exec_path"
    ENVIRONMENT = "environment"
    TERMINAL = "terminal"
    UMASK = "umask"
    USER_GROUP = "user_group"
    DOMAIN_HOST = "domain_host"
    KERNEL = "kernel"
    NUM_CPUS = "num_cpus"
    ASLR = "aslr"
    PID = "pid"
    FILEORDERING = "fileordering"
    SOURCE_MTIME = "source_mtime"
    SOURCE_MODE = "source_mode"
    FILESYSTEM = "filesystem"
    HASH_SEED = "hash_seed"
    NETWORK = "network"

    MACHINE = "machine"
    """Another session or machine built different bytes from the same inputs, or another worker of a farm does."""
    RANDOM = "random"
    """Two builds in the same environment differ."""
    RACE = "race"
    """The order in which parallel work finished."""
    DURATION = "duration"
    """How long a step of the build took."""
    UNKNOWN = "unknown"

    # Otherwise str() gives Cause.TIME, and so does format() from Python 3.12 on.
    __str__ = str.__str__

    def __format__(self, format_spec: str) -> str:
        return format(self.value, format_spec)


INHERENT = (Cause.RANDOM, Cause.RACE, Cause.DURATION)
"""Causes of differences between builds in the same environment, whatever is varied."""
GUESSES = (Cause.UNKNOWN, *INHERENT)
"""Causes that, unless builds confirm them, mean that the real cause is unknown."""
NO_VARIATIONS = (Cause.MACHINE, *INHERENT, Cause.UNKNOWN)
"""Causes that are not the name of a variation."""
