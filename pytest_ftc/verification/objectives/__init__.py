"""Objectives: what sessions leave for them, and how a project stands."""
