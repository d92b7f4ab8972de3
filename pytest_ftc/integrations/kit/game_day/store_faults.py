"""Faults of the store."""

from __future__ import annotations

from pytest_ftc.integrations.kit.game_day.fault import GOOD, Fault, only_configure, verify_again
from pytest_ftc.integrations.kit.game_day.ground import Ground

_MANY = 12
"""Artifacts: the alert on the hit rate wants more than ten misses."""
_COPIED = "cat source.txt > out"


def _have_many_cached(ground: Ground) -> None:
    ground.configure({f"app{number}": f"echo {number} > out" for number in range(_MANY)})
    ground.verify()
    ground.verify()


def _evict_the_entries(ground: Ground) -> None:
    """Let the store keep nothing, so that all is built again."""
    ground.run("store", "gc", "--max-size=1")
    ground.verify()


def _block_the_store(ground: Ground) -> None:
    """Put a file where the folder of the store is to be: nothing can be written, not even by root."""
    ground.store.write_text("not a folder\n", encoding="utf-8")
    ground.verify()


def _unblock_the_store(ground: Ground) -> None:
    ground.store.unlink()
    ground.verify()


def _store_something(ground: Ground) -> None:
    ground.configure({"app": _COPIED, "other": GOOD})
    ground.change("0")
    ground.verify()


def _take_permission(ground: Ground) -> None:
    for folder in (ground.store / "blobs", *(ground.store / "blobs").iterdir()):
        folder.chmod(0o500)
    ground.change("forbidden")
    ground.verify(obeys_modes=True)


def _give_permission(ground: Ground) -> None:
    for folder in (ground.store / "blobs", *(ground.store / "blobs").iterdir()):
        folder.chmod(0o700)
    ground.verify(obeys_modes=True)


def _alter_the_store(ground: Ground) -> None:
    """Change what the cache would answer, as somebody does who wants a bad artifact to pass."""
    entries = sorted(file for file in (ground.store / "actions").rglob("*") if file.is_file())
    for file in (entries[0], *(ground.store / "blobs").rglob("*")):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(file.read_bytes() + b"!")
    ground.run("store", "verify")
    ground.verify()


MISSES = Fault(
    name="F2",
    title="a storm of cache misses",
    alerts=("FtcCacheHitRateFalls", "FtcCacheEvicts"),
    prepare=_have_many_cached,
    inject=_evict_the_entries,
    repair=verify_again,
)
NO_STORE = Fault(
    name="F4",
    title="a store that takes no writes",
    alerts=("FtcStoreOutage",),
    prepare=only_configure,
    inject=_block_the_store,
    repair=_unblock_the_store,
)
FORBIDDEN = Fault(
    name="F8",
    title="folders of the store without permission",
    alerts=("FtcPermissionErrors",),
    prepare=_store_something,
    inject=_take_permission,
    repair=_give_permission,
)
ALTERED = Fault(
    name="F9",
    title="entries of the store that were altered",
    alerts=("FtcCacheCorrupt",),
    prepare=_store_something,
    inject=_alter_the_store,
    repair=verify_again,
)
