"""Remedies in the project itself: changes of its Makefile, scripts and settings, proved by rebuilding."""

from pytest_ftc.verification.determinize.in_project.change import ProjectChange
from pytest_ftc.verification.determinize.in_project.propose import propose
from pytest_ftc.verification.determinize.in_project.prove import Proof, prove

__all__ = ["ProjectChange", "Proof", "propose", "prove"]
