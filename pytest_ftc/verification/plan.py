"""The plan of one verification: a control build, and experiments that flip all variations at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_ftc.builds.inputs.environment_variables import passed_variables
from pytest_ftc.model import (
    Action,
    Artifact,
    Environment,
    FileSystem,
    Isolation,
    Machine,
    NotVaried,
    Role,
    Snapshot,
    Tracing,
)
from pytest_ftc.model.artifact import slug, wrap_build
from pytest_ftc.model.cause import Cause
from pytest_ftc.model.errors import SourceError
from pytest_ftc.model.protocols import SettlesControl, TakesTurns, Variation
from pytest_ftc.model.support.epoch import OF_COMMIT
from pytest_ftc.model.timing.trace_context import TRACEPARENT, TraceContext, foreign_trace, new_span
from pytest_ftc.verification.claims.missing import list_missing

_VARIABLES = {
    "exec_path": "PATH",
    "hash_seed": "PYTHONHASHSEED",
    "home": "HOME",
    "locales": "LC_ALL",
    "temp_dir": "TMPDIR",
    "timezone": "TZ",
}
"""Variables that an artifact may fix in its own ``env``; a variation is then not applied."""


_NO_EFFECT = "it does not change the environment of this artifact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The builds of one artifact; the first is the control."""

    actions: tuple[Action, ...]
    variations: tuple[Variation, ...]
    """The variations that the experiments apply."""
    not_varied: tuple[NotVaried, ...]
    owners: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, each with the name of the variation that sets it."""

    @property
    def varied(self) -> tuple[str, ...]:
        """The names of the variations applied."""
        return tuple(variation.name for variation in self.variations)

    def without(self, reasons: Mapping[str, str]) -> Plan:
        """Return the plan with the variations named in `reasons` not applied, for those reasons."""
        moved = tuple(NotVaried(variation=name, reason=reasons[name]) for name in self.varied if name in reasons)
        kept = tuple(variation for variation in self.variations if variation.name not in reasons)
        return replace(self, variations=kept, not_varied=(*self.not_varied, *moved))


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSetting:
    """The settings that all builds of a session share."""

    machine: Machine
    folder: Path
    """The folder in which builds run without namespaces; then those of one artifact run one at a time."""
    path: Sequence[str]
    """The search path for commands."""
    environ: Mapping[str, str]
    """The environment from which ``pass_env`` selects."""
    trace: TraceContext | None = None
    """The trace that control builds belong to; None if nobody records one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedArtifact:
    """An artifact with the plan that its builds follow."""

    artifact: Artifact
    source: Snapshot
    machine: Machine
    plan: Plan
    at_once: bool = False
    """Whether experiments start with the control, since an earlier one did not show that they must wait."""


def plan_builds(
    artifact: Artifact,
    source: Snapshot,
    variations: Sequence[Variation],
    setting: BuildSetting,
    *,
    builds: int,
    trace: bool = False,
) -> Plan:
    """Return the control build and `builds` - 1 experiments with all `variations` that can be applied.

    With `trace` the control is traced.
    """
    machine = setting.machine
    own = {**passed_variables(artifact.pass_env, setting.environ), **artifact.env}
    root = setting.folder / slug(artifact.name) if machine.isolation is Isolation.NONE else None
    control = _plan_control(artifact, variations, setting, root, {**own, **_epoch(artifact, source)})
    reasons = {variation.name: _obstacle(variation, control, own, machine) for variation in variations}
    alone = {
        variation.name: _vary(control, [variation], artifact, 1, machine)
        for variation in variations
        if reasons[variation.name] is None
    }
    reasons.update({name: _NO_EFFECT for name, environment in alone.items() if environment == control})
    possible = [variation for variation in variations if reasons[variation.name] is None]
    owners = _owners(alone, control)
    control, span = _join(setting.trace, _match_filesystem(control, possible, machine), owners)
    common = _Common(artifact=artifact, source=source, variations=possible, root=root)
    tracing = Tracing.USES if trace else Tracing.NO
    actions = [replace(common.action(control, Role.CONTROL), trace=tracing, span=span)]
    for index in range(1, builds):
        environment = _vary(control, possible, artifact, index, machine)
        actions.append(common.action(environment, Role.EXPERIMENT, f"-{index}" if index > 1 else ""))
    return Plan(
        actions=tuple(actions),
        variations=tuple(possible),
        not_varied=tuple(list_missing(reasons, machine)),
        owners=owners,
    )


def _plan_control(
    artifact: Artifact,
    variations: Sequence[Variation],
    setting: BuildSetting,
    root: Path | None,
    variables: Mapping[str, str],
) -> Environment:
    control = plain_environment(
        artifact.name,
        _token(artifact, 0),
        setting.machine,
        prefix=str(root or ""),
        variables=variables,
        path=setting.path,
    )
    control = replace(control, network=artifact.preset is None)
    for variation in variations:
        control = variation.settle_control(control) if isinstance(variation, SettlesControl) else control
    return control


def _join(trace: TraceContext | None, control: Environment, owners: Mapping[str, str]) -> tuple[Environment, str]:
    """Return `control` as part of `trace`, and the ID that its span must have.

    Only where the variable is varied: a build that records it would otherwise differ between two sessions.
    """
    if trace is None or TRACEPARENT not in owners:
        return control, ""
    span = new_span()
    # Always sampled, so that no build behaves differently because its caller does not record the trace.
    return control.with_variables(**{TRACEPARENT: replace(trace, sampled=True).traceparent(span)}), span


def _owners(alone: Mapping[str, Environment], control: Environment) -> dict[str, str]:
    """Return environment variables, each with the name of the variation that sets it."""
    return {
        variable: name
        for name, environment in alone.items()
        for variable, value in environment.variables.items()
        if control.variables.get(variable) != value
    }


def _obstacle(variation: Variation, control: Environment, own: Mapping[str, str], machine: Machine) -> str | None:
    """Return why `variation` cannot be applied: the machine, the `control`, or the artifact's `own` variables."""
    variables = (_VARIABLES.get(variation.name), *getattr(variation, "variables", ()))
    fixed = [variable for variable in variables if variable in own]
    if fixed:
        return f"the artifact's env sets {fixed[0]}"
    if variation.name == Cause.NETWORK and not control.network and machine.isolation is not Isolation.NONE:
        return machine.unseen.get(variation.name) or "every build of this artifact runs offline"
    return variation.unavailable(machine) or machine.unseen.get(variation.name)


def plain_environment(
    name: str,
    token: str,
    machine: Machine,
    *,
    prefix: str,
    variables: Mapping[str, str],
    path: Sequence[str],
) -> Environment:
    """Return the environment of the control build: ordinary values, with `token` in all that can hold it."""
    locale = next((candidate for candidate in ("C.UTF-8", "C.utf8") if candidate in machine.locales), "C")
    plain = {
        "PATH": os.pathsep.join(path),
        "TZ": "UTC",
        "LC_ALL": locale,
        "LANG": locale,
        "FTC_CANARY": f"ftc-variable-{token}",
        "TERM": "xterm",
        "COLUMNS": "80",
        "LINES": "24",
        **({"USER": machine.identity.user, "LOGNAME": machine.identity.user} if machine.identity else {}),
        "PYTHONHASHSEED": "0",
        "PERL_HASH_SEED": "0",
        **foreign_trace(token),
    }
    return Environment(
        build_path=f"{prefix}/ftc-build-{token}/{slug(name)}",
        home=f"{prefix}/ftc-home-{token}",
        temp_dir=f"{prefix}/tmp",
        variables={**plain, **variables},
        identity=machine.identity,
        host=f"host-{token}",
        domain=f"domain-{token}.invalid",
    )


def _match_filesystem(control: Environment, variations: Sequence[Variation], machine: Machine) -> Environment:
    """Also run the control on a tmpfs if the file order is varied, but the type of the file system is not."""
    names = {variation.name for variation in variations}
    if Cause.FILEORDERING in names and Cause.FILESYSTEM not in names and machine.isolation is not Isolation.NONE:
        return replace(control, filesystem=FileSystem.TMPFS)
    return control


def plan_rebuild(
    planned: PlannedArtifact,
    names: Sequence[str],
    *,
    role: Role,
    suffix: str,
    experiment: int = 1,
    trace: Tracing = Tracing.NO,
) -> Action:
    """Return a further build: the control environment with only the variations `names`, as in `experiment`.

    New variables in the artifact's own ``env`` are also set.
    """
    artifact, plan, control = planned.artifact, planned.plan, planned.plan.actions[0]
    chosen = [variation for variation in plan.variations if variation.name in names]
    environment = _vary(control.environment, chosen, artifact, experiment, planned.machine)
    common = _Common(artifact=artifact, source=planned.source, variations=plan.variations, root=control.root)
    return replace(common.action(environment, role, suffix), trace=trace)


def _vary(
    control: Environment, variations: Sequence[Variation], artifact: Artifact, index: int, machine: Machine
) -> Environment:
    environment = control.with_variables(**artifact.env)
    for variation in variations:
        turned = variation.take_turn(index) if isinstance(variation, TakesTurns) else variation
        environment = turned.vary(environment, _token(artifact, index), machine)
        if not isinstance(environment, Environment):
            raise TypeError(f"vary() of {variation.name} returned {environment!r}; expected an Environment")
    return environment.with_variables(**artifact.env)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """The settings that all builds of one artifact share."""

    artifact: Artifact
    source: Snapshot
    variations: Sequence[Variation]
    root: Path | None

    def action(self, environment: Environment, role: Role, suffix: str = "") -> Action:
        artifact, build = self.artifact, wrap_build(self.artifact)
        return Action(
            id=f"{slug(artifact.name)}-{role.value}{suffix}",
            artifact=artifact.name,
            role=role,
            command=("/bin/sh", "-c", build) if isinstance(build, str) else tuple(build),
            snapshot=self.source.path,
            git_dir=self.source.git_dir,
            git_link=self.source.git_link,
            root=self.root,
            environment=environment,
            described={variation.name: variation.describe(environment) for variation in self.variations},
            outputs=artifact.outputs,
            timeout=artifact.timeout,
            critical=artifact.critical,
            fetches=artifact.fetches,
            confidential=bool(artifact.secrets),
            secret_files=artifact.secret_files,
            pass_sockets=artifact.pass_sockets,
            shown=artifact.shown,
        )


def _token(artifact: Artifact, index: int) -> str:
    """Return the canary of a build: six letters that are unlikely elsewhere, and the same in every session."""
    digest = hashlib.sha256(os.fsencode(f"{artifact.id}\0{index}")).digest()
    return "".join("bcdfghjklmnpqrstvwxz"[byte % 20] for byte in digest[:6])


def _epoch(artifact: Artifact, source: Snapshot) -> dict[str, str]:
    """Return the requested SOURCE_DATE_EPOCH, see https://reproducible-builds.org/specs/source-date-epoch/."""
    epoch = source.commit_time if artifact.source_date_epoch == OF_COMMIT else artifact.source_date_epoch
    if epoch is None:
        raise SourceError(
            'source_date_epoch = "git", but the source is not in a git repository with a commit',
            advice='Commit it, or set source_date_epoch to a number of seconds or to "unset".',
        )
    return {"SOURCE_DATE_EPOCH": str(epoch)} if isinstance(epoch, int) else {}
