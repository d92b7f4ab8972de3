"""Finding the smallest set of proved remedies that make artifacts reproducible, as settings that last."""

from pytest_ftc.verification.determinize.determinize import Outcome, determinize_artifacts
from pytest_ftc.verification.determinize.settings import Settings, settings_of
from pytest_ftc.verification.determinize.steps import Step

__all__ = ["Outcome", "Settings", "Step", "determinize_artifacts", "settings_of"]
