"""What is kept from session to session: contents, verified actions, and the builds ever seen."""

from pytest_ftc.store.action_cache import ActionCache, Entry
from pytest_ftc.store.cas import Batch, LocalStore
from pytest_ftc.store.history import History
from pytest_ftc.store.keys import load_key
from pytest_ftc.store.upkeep import MAX_AGE, MAX_SIZE, collect_garbage, take_stats, tidy_up, verify_store

__all__ = [
    "MAX_AGE",
    "MAX_SIZE",
    "ActionCache",
    "Batch",
    "Entry",
    "History",
    "LocalStore",
    "collect_garbage",
    "load_key",
    "take_stats",
    "tidy_up",
    "verify_store",
]
