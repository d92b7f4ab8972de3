"""The keys of an artifact's table for settings."""

from __future__ import annotations

from pytest_ftc.model import Artifact
from pytest_ftc.model.support.epoch import OF_COMMIT
from pytest_ftc.verification.determinize.settings import Settings, apply_settings


def keys_of(artifact: Artifact, settings: Settings) -> dict[str, str]:
    """Return the keys that differ with `settings`, with their new values; variables are apart."""
    changed = apply_settings(artifact, settings, None)
    keys = {}
    if changed.before != artifact.before:
        keys["before"] = changed.before
    if changed.after != artifact.after:
        keys["after"] = changed.after
    if settings.of_commit:
        keys["source_date_epoch"] = OF_COMMIT
    return keys


def preset_key(artifact: Artifact) -> list[tuple[str, str]]:
    """Return the key ``preset`` and its value for an artifact that has a preset, else nothing."""
    return [("preset", artifact.preset.rpartition("-")[2])] if artifact.preset else []
