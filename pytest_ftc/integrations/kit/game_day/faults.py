"""The faults of the game day, which together raise every alert."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from pytest_ftc.integrations.kit.game_day.build_faults import KILLED, LEAK, MISMATCH, SLOW
from pytest_ftc.integrations.kit.game_day.fault import Fault
from pytest_ftc.integrations.kit.game_day.service_faults import NO_KEY, NO_REGISTRY
from pytest_ftc.integrations.kit.game_day.session_faults import FAILING, SOME_BAD, STUCK, UNVERIFIED
from pytest_ftc.integrations.kit.game_day.store_faults import ALTERED, FORBIDDEN, MISSES, NO_STORE
from pytest_ftc.model.errors import FtcError

FAULTS = (
    MISMATCH,
    MISSES,
    KILLED,
    NO_STORE,
    NO_KEY,
    NO_REGISTRY,
    LEAK,
    FORBIDDEN,
    ALTERED,
    SLOW,
    FAILING,
    SOME_BAD,
    STUCK,
    UNVERIFIED,
)
"""F1 to F10, and the others; the last take longest."""
_LIBRARIES = {"prometheus": "prometheus_client", "sign": "securesystemslib", "oci": "oras"}


def require_extras(faults: Iterable[Fault]) -> None:
    """Raise FtcError if an extra that `faults` need is not installed."""
    wanted = dict.fromkeys(("prometheus", *(fault.extra for fault in faults if fault.extra)))
    missing = [extra for extra in wanted if find_spec(_LIBRARIES[extra]) is None]
    if missing:
        raise FtcError(
            f"the game day needs the extras {', '.join(missing)}: pip install 'pytest-ftc[{','.join(missing)}]'"
        )
