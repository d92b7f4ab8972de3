"""The grammar of ``--ftc-variations``: reprotest's ``+a,-b,all,c.parameter=value``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pytest_ftc.model import Parameter, parameters_of
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.protocols import Variation
from pytest_ftc.model.support.suggestion import did_you_mean

_ASSIGNMENT = re.compile(r"\+?\s*(?P<target>[^=]*?)\s*(?P<operator>\+=|-=|=)\s*(?P<value>.*)", re.DOTALL)

_Settings = dict[str, dict[str, Any]]
"""The parameters set so far, by variation selected so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """A parsed specification."""

    names: tuple[str, ...]
    """The variations selected, in the order of the catalogue."""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The parameters that are set, by variation and name."""

    def select(self, catalogue: Sequence[Variation]) -> tuple[Variation, ...]:
        """Return the variations of `catalogue` that are selected, with their parameters."""
        return tuple(self._adjust(variation) for variation in catalogue if variation.name in self.names)

    def _adjust(self, variation: Variation) -> Variation:
        values = self.parameters.get(variation.name)
        return cast(Variation, replace(cast(Any, variation), **values)) if values else variation


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a specification may use."""

    catalogue: Sequence[Variation]
    presets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The variations of each preset; ``all`` and ``none`` always exist."""
    beside: Sequence[Variation] = ()
    """Further variations, which no preset has."""
    named: Mapping[str, str] = field(default_factory=dict)
    """The specifications to which the project has given names."""

    @property
    def variations(self) -> Sequence[Variation]:
        """All variations that have a name, in the order of reports."""
        return (*self.catalogue, *self.beside)

    @property
    def sets(self) -> Mapping[str, Sequence[str]]:
        """The variations of each preset."""
        names = tuple(variation.name for variation in self.catalogue)
        alone = {variation.name: (variation.name,) for variation in self.variations}
        return {"all": names, "none": (), **self.presets, **alone}

    def with_other_machine(self, other: Variation) -> Vocabulary:
        """Return the vocabulary with the variation `other` in its presets ``all`` and ``standard``."""
        presets = {**self.presets, "standard": (*self.presets["standard"], other.name)}
        beside = tuple(one for one in self.beside if one.name != other.name)
        return replace(self, catalogue=(*self.catalogue, other), presets=presets, beside=beside)


def parse_specification(text: str, vocabulary: Vocabulary) -> Specification:
    """Parse `text` using the names in `vocabulary`.

    Items are read from left to right, starting from none: ``a`` and ``+a`` add, ``-a`` removes, ``@a`` adds and resets
    parameters, and the name of a preset means all its members.  ``a.parameter=value`` adds as well; ``+=`` and ``-=``
    change a list.  A specification that begins by removing starts from all.  See VARIATIONS in reprotest(1).

    Raises ConfigurationError.
    """
    items = [item.strip() for item in text.split(",") if item.strip()]
    begins_from_all = bool(items) and items[0].startswith("-")
    settings: _Settings = {name: {} for name in vocabulary.sets["all"]} if begins_from_all else {}
    for item in items:
        assignment = _ASSIGNMENT.fullmatch(item)
        if assignment:
            _assign(settings, assignment["target"], assignment["operator"], assignment["value"], vocabulary)
        else:
            _switch(settings, item, vocabulary)
    names = tuple(variation.name for variation in vocabulary.variations if variation.name in settings)
    return Specification(names=names, parameters={name: settings[name] for name in names if settings[name]})


def _switch(settings: _Settings, item: str, vocabulary: Vocabulary) -> None:
    """Add, remove or reset the variations that `item` names."""
    sign, name = (item[0], item[1:].strip()) if item[0] in "+-@" else ("+", item)
    if "." in name:
        target = name.rstrip("+-")
        _, _, parameter = _find_parameter(target, vocabulary)
        raise ConfigurationError(f"{item!r} gives no value; expected '{target}=' and {parameter.expected}")
    if name not in vocabulary.sets:
        known = [*vocabulary.named, *vocabulary.sets]
        raise ConfigurationError(_explain_unknown("variation", name, known, "Valid names"))
    for variation in vocabulary.sets[name]:
        if sign in "-@":
            settings.pop(variation, None)
        if sign in "+@":
            settings.setdefault(variation, {})


def _assign(settings: _Settings, target: str, operator: str, text: str, vocabulary: Vocabulary) -> None:
    """Set the parameter `target`, written ``variation.parameter``, or change it if it is a list."""
    variation, name, parameter = _find_parameter(target, vocabulary)
    if operator != "=" and not parameter.many:
        raise ConfigurationError(f"{target} is no list; expected '{target}=' and {parameter.expected}")
    value = _read(target, parameter, text)
    chosen = settings.setdefault(variation.name, {})
    old = chosen.get(name, getattr(variation, name))
    if operator == "+=":
        value = tuple(dict.fromkeys((*old, *value)))
    elif operator == "-=":
        value = tuple(entry for entry in old if entry not in value)
    chosen[name] = value


def _find_parameter(target: str, vocabulary: Vocabulary) -> tuple[Variation, str, Parameter]:
    """Return the variation and the parameter that ``variation.parameter`` names."""
    owner, _, name = (part.strip() for part in target.partition("."))
    variation = next((entry for entry in vocabulary.variations if entry.name == owner), None)
    if variation is None:
        names = [entry.name for entry in vocabulary.variations if parameters_of(entry)]
        raise ConfigurationError(_explain_unknown("variation", owner, names, "Those with parameters"))
    parameters = parameters_of(variation)
    for own, parameter in parameters.items():
        if name in (own, parameter.synonym) and name:
            return variation, own, parameter
    if not parameters:
        raise ConfigurationError(f"{owner} has no parameters, found {target!r}")
    valid = [f"{owner}.{own}" for own in parameters]
    raise ConfigurationError(_explain_unknown("parameter", target, valid, "Valid parameters"))


def _read(target: str, parameter: Parameter, text: str) -> Any:
    texts = [part.strip() for part in text.split(";") if part.strip()] if parameter.many else [text]
    try:
        values = tuple(parameter.read(part) for part in texts)
    except ValueError:
        values = ()
    if not values:
        raise ConfigurationError(f"{target}: expected {parameter.expected}, found {text!r}")
    return values if parameter.many else values[0]


def _explain_unknown(kind: str, name: str, valid: Iterable[str], listed: str) -> str:
    valid = list(valid)
    return f"unknown {kind} {name!r}{did_you_mean(name, valid)}  {listed}: {', '.join(valid)}"
