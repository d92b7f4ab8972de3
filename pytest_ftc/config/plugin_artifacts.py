"""The artifacts that plugins declare, validated like those in the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.config.contributions import Declared
from pytest_ftc.config.load import Config, make_artifact, why_no_name, with_session_settings
from pytest_ftc.config.schema import Known
from pytest_ftc.model.artifact import declared_id
from pytest_ftc.model.errors import ConfigurationError


def add_artifacts(config: Config, declared: Sequence[Declared], file: Path | None, known: Known) -> Config:
    """Return `config` with the artifacts that plugins have `declared`; their ids begin with `file`, like those in it.

    Raises ConfigurationError, also if a name is taken or there is no file.
    """
    if not declared:
        return config
    if file is None:
        raise ConfigurationError(
            f"{declared[0].where}: there is no configuration file in {config.root}, which artifact ids need; "
            "create ftc.toml there, which may be empty"
        )
    owners = {artifact.name: f"in {artifact.id.partition('::')[0]}" for artifact in config.artifacts}
    added = []
    for one in declared:
        place = f"{one.where}: artifact {one.name!r}"
        if problem := why_no_name(one.name):
            raise ConfigurationError(f"{one.where}: {problem}")
        if one.name in owners:
            raise ConfigurationError(f"{place} is declared {owners[one.name]} too; expected each name once")
        owners[one.name] = f"in {one.where}"
        artifact = make_artifact(declared_id(file.name, one.name), one.name, config.root, one.table, place, known)
        settings = {"strict": config.strict, "pass_sockets": config.pass_sockets}
        added.append(with_session_settings(artifact, settings, one.table))
    return replace(config, file=file, artifacts=(*config.artifacts, *added))
