"""What a green session says to those who publish: how to build the same bytes again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pytest_ftc.model import Artifact, Verdict, Verification
from pytest_ftc.model.support.epoch import UNSET

_MOST_NAMES = 3


def release_command(artifacts: Sequence[Artifact], verifications: Sequence[Verification]) -> str:
    """Return the command that builds what was verified; empty unless all is reproducible, and some only by settings.

    Outside of pytest-ftc such an artifact has other bytes: its own command knows nothing of the settings.
    """
    if any(one.verdict is not Verdict.REPRODUCIBLE or not one.passed for one in verifications):
        return ""
    verified = {one.id for one in verifications}
    names = [one.name for one in artifacts if one.id in verified and _has_settings(one)]
    if not names:
        return ""
    shown = "" if len(names) > _MOST_NAMES else f" {shlex.join(names)}"
    return f"ftc build{shown} -o dist   builds the bytes that were verified"


def _has_settings(artifact: Artifact) -> bool:
    return bool(artifact.before or artifact.after or artifact.env or artifact.source_date_epoch != UNSET)
