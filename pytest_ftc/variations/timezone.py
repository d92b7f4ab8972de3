"""The time zone, by TZ."""

from __future__ import annotations

from pytest_ftc.model import Environment, Machine


class Timezone:
    """UTC against Pacific/Kiritimati (UTC+14): the date differs for 14 hours of every day.

    A build that starts a program without TZ gets the machine's zone from /etc/localtime, and then this does not count.
    """

    name = "timezone"
    mechanism = "TZ, with namespaces /etc/timezone too"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        # Without the zone database, glibc would read a zone's name as UTC: POSIX's own notation needs no database.
        zone = "Pacific/Kiritimati" if machine.zoneinfo else "FTC-14"
        return environment.with_variables(TZ=zone)

    def describe(self, environment: Environment) -> str:
        return environment.variables["TZ"]
