"""The locale, by LC_ALL, LANG and LANGUAGE."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from pytest_ftc.model import Environment, Machine, parameter
from pytest_ftc.model.machine import ONLY_C_LOCALE

_COMMON = ("C", "C.utf8", "POSIX")

# Each has what the others have not: z before t; a comma in numbers; an i without a dot; another script and calendar.
_TELLING = ("et_EE", "de_DE", "tr_TR", "ja_JP")

_SOURCE = "Debian's package locales-all or Fedora's glibc-all-langpacks has them all"


def _read_locale(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.@-]*", text):
        raise ValueError(text)
    return text


@dataclass(frozen=True, slots=True)
class Locales:
    """C.UTF-8, or a locale with its own collation and month names; if none is installed, some are compiled."""

    name = "locales"
    mechanism = "LC_ALL, LANG, LANGUAGE"
    names: tuple[str, ...] = parameter(
        (),
        _read_locale,
        "names of locales such as et_EE.UTF-8;de_DE.UTF-8",
        many=True,
        synonym="locale",
        written="et_EE, de_DE, tr_TR and ja_JP, then all that are installed",
        meaning="locales to choose the experiment's from (quote the `;` from the shell). Those not installed are "
        "passed over. With `--ftc-builds`, each experiment takes the next",
    )
    turn: int = 1
    """The number of the experiment, which selects one of several locales."""

    def unavailable(self, machine: Machine) -> str | None:
        if self._candidates(machine):
            return None
        if not self.names:
            return f"{ONLY_C_LOCALE}; install another, such as et_EE.UTF-8: {_SOURCE}"
        missing = [name for name in self.names if not _is_installed(name, machine)]
        if missing:
            return f"{' and '.join(missing)} of locales.names is not installed; {_SOURCE}"
        return f"locales.names has no locale but {plain_locale(machine)}, which the control has"

    def limits(self, machine: Machine) -> str | None:
        if self.names or any(_language(name) not in ("", "en") for name in self._candidates(machine)):
            return None
        return (
            "only C and English locales are installed, and localedef(1) could not make others: the builds differed in "
            f"the encoding at most, not in language and sorting; {_SOURCE}"
        )

    def take_turn(self, number: int) -> Locales:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        candidates = self._candidates(machine)
        locale = candidates[(self.turn - 1) % len(candidates)]
        language = locale.partition(".")[0]
        return environment.with_variables(LC_ALL=locale, LANG=locale, LANGUAGE=f"{language}:fr")

    def describe(self, environment: Environment) -> str:
        return environment.variables["LC_ALL"]

    def _candidates(self, machine: Machine) -> list[str]:
        """Return the locales that the experiment may have, the best first; none is the control's."""
        names = [name for name in self.names if _is_installed(name, machine)] if self.names else _rank(machine.locales)
        plain = _plainly(plain_locale(machine))
        return [name for name in names if _plainly(name) != plain]


def _language(name: str) -> str:
    """Return the code of a locale's language; empty for C and POSIX."""
    code = re.split("[_.@]", name)[0]
    return "" if code in ("C", "POSIX") else code


def plain_locale(machine: Machine) -> str:
    """Return the locale of the control environment: Unicode, but no particular country."""
    return next((name for name in ("C.UTF-8", "C.utf8") if name in machine.locales), "C")


@lru_cache(maxsize=4)
def _rank(locales: tuple[str, ...]) -> tuple[str, ...]:
    """Return the installed locales that have a language of their own, or C where there are none."""

    def rank(name: str) -> tuple[object, ...]:
        # UTF-8 first: another encoding is a second change at once, and breaks more builds than it finds leaks.
        place = next((index for index, start in enumerate(_TELLING) if name.startswith(start)), len(_TELLING))
        return "utf" not in name.lower(), place, name.startswith("en"), name

    common = {_plainly(name) for name in _COMMON}
    return tuple(sorted((name for name in locales if _plainly(name) not in common), key=rank)) or ("C",)


def _is_installed(name: str, machine: Machine) -> bool:
    return _plainly(name) in {_plainly(installed) for installed in ("C", *machine.locales)}


@lru_cache(maxsize=4096)
def _plainly(name: str) -> str:
    """Return `name` with its encoding as ``locale -a`` writes it, so that et_EE.UTF-8 and et_EE.utf8 are one."""
    place, dot, rest = ("C" if name == "POSIX" else name).partition(".")
    encoding, at, modifier = rest.partition("@")
    return f"{place}{dot}{re.sub('[^a-z0-9]', '', encoding.lower())}{at}{modifier}"
