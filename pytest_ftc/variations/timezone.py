"""The time zone, by TZ."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine

# Each with its POSIX notation, which needs no database.  Its signs are reversed, see tzset(3).
_ZONES = (
    ("Pacific/Kiritimati", "FTC-14"),
    ("America/St_Johns", "FTC3:30"),
    ("Asia/Kathmandu", "FTC-5:45"),
    ("Pacific/Pago_Pago", "FTC11"),
    ("Australia/Eucla", "FTC-8:45"),
    ("America/New_York", "FTC5"),
)


@dataclass(frozen=True, slots=True)
class Timezone:
    """UTC, or Pacific/Kiritimati (UTC+14), where the date differs for 14 hours of every day.

    Further experiments use other zones.  A program started without TZ uses the machine's zone from
    /etc/localtime; the variation is then not claimed.
    """

    name = "timezone"
    mechanism = "TZ, with namespaces /etc/timezone too"
    turn: int = 1
    """The number of the experiment."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> Timezone:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        name, posix = _ZONES[(self.turn - 1) % len(_ZONES)]
        # Without the zone database, glibc would read a zone's name as UTC.
        return environment.with_variables(TZ=name if machine.zoneinfo else posix)

    def describe(self, environment: Environment) -> str:
        return environment.variables["TZ"]
