"""The seeds of hash tables, whose order otherwise differs from run to run: PYTHONHASHSEED, PERL_HASH_SEED."""

from __future__ import annotations

import zlib

from pytest_ftc.model import Environment, Machine


class HashSeed:
    """Two different fixed seeds, so that the verdict does not depend on chance."""

    name = "hash_seed"
    mechanism = "PYTHONHASHSEED, PERL_HASH_SEED"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        seed = 1 + zlib.crc32(token.encode()) % 4_000_000_000
        return environment.with_variables(PYTHONHASHSEED=str(seed), PERL_HASH_SEED=str(seed))

    def describe(self, environment: Environment) -> str:
        return environment.variables["PYTHONHASHSEED"]
