"""What is kept from session to session: contents, verified actions, and the builds ever seen."""

from pytest_ftc.store.action_cache import Entry, SealedCache
from pytest_ftc.store.cas import Batch, LocalStore, digest_file
from pytest_ftc.store.history import History
from pytest_ftc.store.keys import load_key
from pytest_ftc.store.upkeep import MAX_AGE, MAX_SIZE, collect_garbage, take_stats, tidy_up, verify_store

__all__ = [
    "MAX_AGE",
    "MAX_SIZE",
    "Batch",
    "Entry",
    "History",
    "LocalStore",
    "SealedCache",
    "collect_garbage",
    "digest_file",
    "load_key",
    "take_stats",
    "tidy_up",
    "verify_store",
]
