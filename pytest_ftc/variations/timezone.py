"""The time zone, by TZ."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine
from pytest_ftc.model.machine import ZONES

_DAY = 86400

_EAST, _WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"
_TOMORROW = 10 * 3600
"""Seconds of the day, in UTC, after which it is tomorrow in the east; before that, it is yesterday in the west."""


@dataclass(frozen=True, slots=True)
class Timezone:
    """UTC, or Pacific/Kiritimati (UTC+14), where the date differs for 14 hours of every day.

    Where SOURCE_DATE_EPOCH is in the other 10 hours, Pacific/Pago_Pago (UTC-11) is used, where its date differs then.
    Further experiments use other zones.  A program started without TZ uses the machine's zone from
    /etc/localtime; the variation is then not claimed.
    """

    name = "timezone"
    mechanism = "TZ, with namespaces /etc/timezone too"
    turn: int = 1
    """The number of the experiment."""
    moment: float | None = None
    """A time whose date should differ in the first experiment, in seconds since 1970; None for SOURCE_DATE_EPOCH."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> Timezone:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        zone = self._zone(environment)
        # Without the zone database, glibc would read a zone's name as UTC.
        return environment.with_variables(TZ=zone if machine.zoneinfo else ZONES[zone])

    def _zone(self, environment: Environment) -> str:
        if self.turn > 1:
            return list(ZONES)[(self.turn - 1) % len(ZONES)]
        epoch = environment.variables.get("SOURCE_DATE_EPOCH", "")
        moment = float(epoch) if epoch.isascii() and epoch.isdigit() else self.moment
        return _EAST if moment is None or moment % _DAY >= _TOMORROW else _WEST

    def describe(self, environment: Environment) -> str:
        return environment.variables["TZ"]
