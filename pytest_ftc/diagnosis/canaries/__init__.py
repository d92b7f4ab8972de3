"""Finding in two values that differ what each build's environment planted."""

from pytest_ftc.diagnosis.canaries.planted import Planted, Window, planted_by
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.diagnosis.canaries.suspicion import Strength, Suspicion

__all__ = ["Planted", "Strength", "Suspicion", "Window", "planted_by", "suspect"]
