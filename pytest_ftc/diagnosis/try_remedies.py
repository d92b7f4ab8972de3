"""Testing remedies by rebuilding: a remedy is proved if its difference disappears."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from pytest_ftc.diagnosis.luck import Luck, Trial
from pytest_ftc.diagnosis.places import Key, Places, showing
from pytest_ftc.diagnosis.remedies import find_remedies
from pytest_ftc.diagnosis.side_effects import changed_outputs
from pytest_ftc.model import BuildResult, BuildStatus, Place, Remedy, RemedyTemplate
from pytest_ftc.model.cause import GUESSES
from pytest_ftc.model.place import FileFormat
from pytest_ftc.model.protocols import Rebuilder
from pytest_ftc.model.remedy import Changes

_MOST_PAIRS, _MOST_EAGER = 14, 3
"""Most pairs of builds in total, and for targets with a less certain cause."""

Look = Callable[[BuildResult, BuildResult], Places]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyTarget:
    """A place that differs, with the properties that select its remedies."""

    key: Key
    place: Place
    cause: str
    known: bool
    """Whether the cause is certain enough to test remedies for it."""
    tools: tuple[str, ...]
    """The commands that wrote it."""
    luck: Luck = ((1.0, 0.0),)
    """Rates at which two builds that differ in everything agree here by luck, with their probabilities."""

    @property
    def trial(self) -> Trial:
        """The initial trial of a remedy."""
        return Trial(self.luck, self.cause)


def try_remedies(
    targets: Sequence[RemedyTarget],
    look: Look,
    rebuilder: Rebuilder,
    epoch: int,
    others: Sequence[RemedyTemplate] = (),
    control: BuildResult | None = None,
) -> Mapping[RemedyTarget, Remedy]:
    """Return the best remedy for each of `targets`: a proved one if possible, else the best suggestion.

    Remedies come from `others` first, then from the catalogue.

    A remedy that changes more of the output of `control` than what differs does not count as effective.

    All targets are tested together, each with its first remedy that has not failed yet, until the budget is used up.
    """
    trials = _Trials(targets, others)
    known = {target.key: target.place for target in targets}
    eager, eager_pairs = False, 0
    for _ in range(_MOST_PAIRS):
        if rebuilder.left < 2 or eager_pairs == _MOST_EAGER:
            break
        eager_pairs += eager
        tried, proved = trials.choose(eager=eager)
        if all(target in proved or not _is_worth_it(target, eager=eager) for target in tried):
            if eager:
                break
            # The rest of the budget goes to targets with a less certain cause.
            eager = True
            continue
        builds = _build(tried, rebuilder, epoch)
        equal = _find_equal(known, look, builds)
        if control and equal:
            equal -= _with_side_effects(equal, known, look, control, builds[0])
        trials.note(tried, _credit(tried, equal), built=_are_built(builds))
    return {target: trials.conclude(target, epoch) for target, templates in trials.choices.items() if templates}


class _Trials:
    """The remedies tested for each of the `targets`, and their results."""

    def __init__(self, targets: Sequence[RemedyTarget], others: Sequence[RemedyTemplate]) -> None:
        self.choices = {target: list(_templates(target, others)) for target in targets}
        # A template that failed at a place counts as failed there for all causes.
        self._failed: dict[Key, list[RemedyTemplate]] = {target.key: [] for target in self.choices}
        self._trials = {target: target.trial for target in self.choices}
        self._helpful: dict[RemedyTarget, RemedyTemplate] = {}

    def choose(self, *, eager: bool) -> tuple[dict[RemedyTarget, RemedyTemplate], set[RemedyTarget]]:
        """Return the next template for each target, and the targets among them that have a proved remedy."""
        tried = {
            target: template
            for target, templates in self.choices.items()
            if (template := _next(target, templates, self._failed[target.key], eager=eager))
        }
        proved = {target for target in tried if self._is_proved(target)}
        shared = _with_rewriting(tried, proved, self.choices, self._failed)
        return _with_company(shared, self.choices, self._failed), proved

    def note(
        self, tried: Mapping[RemedyTarget, RemedyTemplate], healed: Collection[RemedyTarget], *, built: bool
    ) -> None:
        """Note which of the targets `tried` no longer differ; none do where nothing was `built`."""
        for target, template in tried.items():
            if not built and self._is_proved(target):
                # What was tried beside it has broken the build.
                continue
            self._trials[target] = self._trials[target].with_pair(equal=target in healed)
            if target in healed:
                self._helpful[target] = template
            elif not self._is_proved(target):
                self._trials[target] = self._trials[target].of_another()
                self._failed[target.key].append(template)

    def conclude(self, target: RemedyTarget, epoch: int) -> Remedy:
        """Return the best remedy for `target`."""
        proved = self._helpful[target] if self._is_proved(target) else None
        return _remedy(target, self.choices[target], self._failed[target.key], proved, epoch)

    def _is_proved(self, target: RemedyTarget) -> bool:
        return self._trials[target].is_proved(1 + len(self._failed[target.key]))


def _next(
    target: RemedyTarget, templates: Sequence[RemedyTemplate], failed: Sequence[RemedyTemplate], *, eager: bool
) -> RemedyTemplate | None:
    if not (target.known or (eager and target.cause not in GUESSES)):
        return None
    return next((template for template in templates if template.can_be_tried and template not in failed), None)


def _with_rewriting(
    tried: Mapping[RemedyTarget, RemedyTemplate],
    proved: Collection[RemedyTarget],
    choices: Mapping[RemedyTarget, Sequence[RemedyTemplate]],
    failed: Mapping[Key, Sequence[RemedyTemplate]],
) -> dict[RemedyTarget, RemedyTemplate]:
    """Return `tried` with a template that rewrites an output assigned to all targets in that output.

    Any other template tested for them in the same builds would be credited with the effect of the rewriting.
    """
    rewriting: dict[str, list[RemedyTemplate]] = {}
    for target, template in tried.items():
        if "{output}" in template.after:
            rewriting.setdefault(target.key.output, []).append(template)
    shared = dict(tried)
    for target in tried.keys() - set(proved):
        for template in rewriting.get(target.key.output, ()):
            if template in choices[target] and template not in failed[target.key]:
                shared[target] = template
    return shared


def _with_company(
    tried: Mapping[RemedyTarget, RemedyTemplate],
    choices: Mapping[RemedyTarget, Sequence[RemedyTemplate]],
    failed: Mapping[Key, Sequence[RemedyTemplate]],
) -> dict[RemedyTarget, RemedyTemplate]:
    """Return `tried` with targets of a less certain cause added, if their output is tested with the same template."""
    offered = {(target.key.output, template.summary) for target, template in tried.items()}
    company = dict(tried)
    for target, templates in choices.items():
        template = _next(target, templates, failed[target.key], eager=True)
        if target not in tried and template and (target.key.output, template.summary) in offered:
            company[target] = template
    return company


def _is_worth_it(target: RemedyTarget, *, eager: bool) -> bool:
    """Return whether it justifies builds: its cause is known, and some number of equal pairs would be proof."""
    return (target.known or eager) and target.trial.can_be_proved(_MOST_PAIRS)


def _templates(target: RemedyTarget, others: Sequence[RemedyTemplate]) -> Sequence[RemedyTemplate]:
    names = target.key.output.lower().split("/")[-1].split(".")[1:]
    formats = [target.place.format, *(_FORMATS.get(name, name) for name in names)]
    return list(find_remedies(target.cause, target.place.field, formats, target.tools, others))


_FORMATS = {
    "a": FileFormat.AR,
    "deb": FileFormat.AR,
    "gz": FileFormat.GZIP,
    "jar": FileFormat.ZIP,
    "o": FileFormat.ELF,
    "so": FileFormat.ELF,
    "tgz": FileFormat.TAR,
    "whl": FileFormat.ZIP,
    "zst": FileFormat.ZSTD,
}


def _build(templates: Mapping[RemedyTarget, RemedyTemplate], rebuilder: Rebuilder, epoch: int) -> Sequence[BuildResult]:
    """Build the artifact twice with `templates`, in environments that differ."""
    settings: dict[str, str] = {}
    before: dict[str, None] = {}
    after: dict[str, None] = {}
    for target, template in templates.items():
        settings.update({name: _fill(value, target.key, epoch) for name, value in template.settings.items()})
        before.update(dict.fromkeys([_fill(template.before, target.key, epoch)] if template.before else []))
        after.update(dict.fromkeys([_fill(template.after, target.key, epoch)] if template.after else []))
    return rebuilder.with_changes(Changes(settings=settings, before=tuple(before), after=tuple(after)))


def _find_equal(known: Collection[Key], look: Look, builds: Sequence[BuildResult]) -> frozenset[Key]:
    """Return the `known` places that do not differ between the two `builds`."""
    if not _are_built(builds):
        return frozenset()
    places = look(builds[0], builds[1])
    still = showing(known, places)
    return frozenset(key for key in known if key not in still and _can_be_compared(key, places, builds))


def _are_built(builds: Sequence[BuildResult]) -> bool:
    return len(builds) >= 2 and all(build.status is BuildStatus.OK for build in builds)


def _with_side_effects(
    equal: Collection[Key], known: Mapping[Key, Place], look: Look, control: BuildResult, healed: BuildResult
) -> frozenset[Key]:
    changed = changed_outputs(known, control, healed, look(control, healed))
    # It is unknown which of the remedies changes an output that never differed.
    anywhere = not changed.keys() <= {key.output for key in known}
    return frozenset(key for key in equal if anywhere or key.output in changed)


def _can_be_compared(key: Key, places: Places, builds: Sequence[BuildResult]) -> bool:
    """Whether the output exists under its name; if a template renames it, no similar name may differ."""
    named = all(any(output.path == key.output for output in build.outputs) for build in builds)
    return named or not any(other._replace(output=key.output) == key for other in places)


def _credit(tried: Mapping[RemedyTarget, RemedyTemplate], equal: Collection[Key]) -> Collection[RemedyTarget]:
    """Return the targets that the templates have helped: most of similar places must be `equal`.

    A few may be equal by chance: two builds may give a file or two the same time, to the second.
    """
    alike: dict[tuple[str, str, str, str], list[RemedyTarget]] = {}
    for target, template in tried.items():
        kind = (target.key.output, target.key.location, target.cause, template.summary)
        alike.setdefault(kind, []).append(target)
    helped: list[RemedyTarget] = []
    for targets in alike.values():
        those = [target for target in targets if target.key in equal]
        helped += those if 2 * len(those) >= len(targets) else []
    return frozenset(helped)


def _fill(text: str, key: Key, epoch: int) -> str:
    return text.replace("{epoch}", str(epoch)).replace("{output}", shlex.quote(key.output))


def _remedy(
    target: RemedyTarget,
    choices: Sequence[RemedyTemplate],
    failed: Sequence[RemedyTemplate],
    proved: RemedyTemplate | None,
    epoch: int,
) -> Remedy:
    template = proved or next((template for template in choices if template not in failed), choices[0])
    return Remedy(
        summary=_fill(template.summary, target.key, epoch),
        settings={name: _fill(value, target.key, epoch) for name, value in template.settings.items()},
        before=_fill(template.before, target.key, epoch),
        after=_fill(template.after, target.key, epoch),
        proved=proved is not None,
        tried=proved is not None or template in failed,
        also_tried=()
        if proved
        else tuple(_fill(other.summary, target.key, epoch) for other in failed if other != template),
        source=template.source,
    )
