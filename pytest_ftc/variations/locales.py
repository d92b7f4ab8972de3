"""The locale, by LC_ALL, LANG and LANGUAGE."""

from __future__ import annotations

from pytest_ftc.model import Environment, Machine

_COMMON = ("C", "C.utf8", "C.UTF-8", "POSIX")


class Locales:
    """C.UTF-8 against a locale with its own collation and month names, or against plain C where none is installed."""

    name = "locales"

    def unavailable(self, machine: Machine) -> str | None:
        if _another(machine) == plain_locale(machine):
            return "only the C locale is installed; install another, such as et_EE.UTF-8"
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        locale = _another(machine)
        language = locale.partition(".")[0]
        return environment.with_variables(LC_ALL=locale, LANG=locale, LANGUAGE=f"{language}:fr")

    def describe(self, environment: Environment) -> str:
        return environment.variables["LC_ALL"]


def plain_locale(machine: Machine) -> str:
    """Return the locale of the plain environment: the one that knows Unicode and no country."""
    return next((name for name in ("C.UTF-8", "C.utf8") if name in machine.locales), "C")


def _another(machine: Machine) -> str:
    real = [name for name in machine.locales if name not in _COMMON]
    # UTF-8 first: another encoding is a second change at once, and breaks more builds than it finds leaks.
    real.sort(key=lambda name: ("utf" not in name.lower(), name.startswith("en"), name))
    return real[0] if real else "C"
