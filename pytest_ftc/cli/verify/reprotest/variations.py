"""Specifications of variations as reprotest(1) writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_ftc.config.contributions import NOTHING
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.variations.specification import parse_specification

_SETTING = re.compile(r"\+?\s*(?P<target>\w+\.\w+)\s*(?P<operator>\+=|-=|=|\+\+|--)\s*(?P<value>.*)", re.DOTALL)
_LENGTH = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<count>[0-9]+)\s*"
    r"(?P<unit>y|w|d|h|m|s)(?:(?<=y)ears?|(?<=w)eeks?|(?<=d)ays?|(?<=h)ours?|(?<=m)in(?:ute)?s?|(?<=s)ec(?:ond)?s?)?"
    r"(?![a-z])\s*"
)
_YEAR = 365


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter of one of reprotest's variations."""

    name: str
    counterpart: str
    """What it becomes, in Markdown."""
    translate: Callable[[str, str], str]
    """Returns the item for an operator and a value.  Raises ConfigurationError."""


def translate(texts: Sequence[str]) -> str:
    """Return the specifications `texts`, which follow each other, as one of ours.  Raises ConfigurationError."""
    items = [item.strip() for text in texts for item in text.split(",") if item.strip()]
    if "-all" in items:
        items = items[len(items) - items[::-1].index("-all") :]
    # Reprotest starts from nothing, also if the first item removes.
    specification = ",".join(["none", *filter(None, map(_translate_item, items))])
    parse_specification(specification, NOTHING.vocabulary)
    return specification.removeprefix("none,") if not specification.startswith("none,-") else specification


def selects(specification: str, name: str = "") -> bool:
    """Return whether `specification` selects the variation `name`, or any if none is named."""
    names = parse_specification(specification, NOTHING.vocabulary).names
    return name in names if name else bool(names)


def _translate_item(item: str) -> str:
    match = _SETTING.fullmatch(item)
    setting = match and next((one for one in SETTINGS if one.name == match["target"]), None)
    return setting.translate(match["operator"], match["value"]) if match and setting else item


def _only_selects(name: str) -> Callable[[str, str], str]:
    return lambda operator, value: "" if operator == "-=" else f"+{name}"


def _refuse(advice: str) -> Callable[[str, str], str]:
    def refuse(operator: str, value: str) -> str:
        raise ConfigurationError(advice)

    return refuse


def _offset(operator: str, value: str) -> str:
    """Return the item for a description of a time, such as ``+398days+6hours``, as faketime(1) reads it."""
    parts = list(_LENGTH.finditer(value.strip()))
    signs = {part["sign"] for part in parts[:1]} | {part["sign"] for part in parts if part["sign"]}
    if operator == "-=" or len(signs) != 1 or "".join(part[0] for part in parts) != value.strip():
        raise ConfigurationError(
            f"time.faketimes: expected one length of time such as +398days, found {value!r}; "
            "nearest: time.offset=+398d, how far the experiment's clock is ahead"
        )
    return f"time.offset={signs.pop() or '+'}{''.join(map(_length, _by_size(parts)))}"


def _by_size(parts: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    return sorted(parts, key=lambda part: "ywdhms".index(part["unit"]))


def _length(part: re.Match[str]) -> str:
    return f"{int(part['count']) * _YEAR}d" if part["unit"] == "y" else part["count"] + part["unit"]


SETTINGS = (
    Setting("user_group.available", "`user_group`: no other account is needed", _only_selects("user_group")),
    Setting("domain_host.use_sudo", "`domain_host`: no sudo is needed", _only_selects("domain_host")),
    Setting("time.faketimes", "`time.offset`, for one length of time such as `+398days`", _offset),
    Setting("time.auto_faketimes", "`time`", _only_selects("time")),
    Setting("locales.locale", "`locales.names`", lambda operator, value: f"locales.names{operator}{value}"),
    Setting("num_cpus.cpus", "`num_cpus.experiment`, for one number", lambda _, value: f"num_cpus.experiment={value}"),
    Setting(
        "build_path.path",
        "none: every build has a path of its own",
        _refuse("build_path.path: every build has a path of its own; nearest: +build_path"),
    ),
)
"""The parameters with other names here; `environment.variables` has the same."""
