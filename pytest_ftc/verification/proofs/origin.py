"""Where a report comes from: the command, the source, the machine, the plugins and the run in CI."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import reduce
from typing import Any

from pytest_ftc.builds.inputs.host import describe_host
from pytest_ftc.builds.inputs.mask import MASK
from pytest_ftc.builds.inputs.snapshot import list_changed
from pytest_ftc.builds.inputs.source_state import current_commit
from pytest_ftc.config.load import Config
from pytest_ftc.model.errors import SourceError
from pytest_ftc.model.origin import ci
from pytest_ftc.model.origin.repository import browsable, describe_repository
from pytest_ftc.verification.user_folders import written_by

_CI = {
    "pipeline": ci.PIPELINE,
    "run_id": ci.RUN_ID,
    "run_url": ci.RUN_URL,
    "job": ci.JOB,
    "job_url": ci.JOB_URL,
    "change": ci.CHANGE,
    "branch": ci.HEAD_NAME,
    "commit": ci.REVISION,
}
_CONFIDENTIAL = re.compile(r"[\w-]*(?:password|passwd|secret|token|api[-_]?key|credential)[\w-]*", re.IGNORECASE)
"""Names of options and variables whose values are not shown."""
_SHORTEST = 6
"""Characters of a confidential value; shorter ones are in other words by chance."""
_USER = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def describe_origin(config: Config, command: Sequence[str], plugins: Mapping[str, str]) -> dict[str, Any]:
    """Return for the report where the session with `config` comes from; what is unknown is left out.

    What looks confidential is masked in its `command`.  `plugins` has versions by name.
    """
    host = describe_host()
    secret = {name for artifact in config.artifacts for name in artifact.secrets}
    facts = {
        "command": list(mask_command(command, os.environ, secret)),
        "plugins": dict(plugins),
        "host": {"kernel": host.kernel, "image": host.image, "cpu": host.cpu, "cpus": os.cpu_count() or 1},
        "source": _describe_source(config),
        "ci": describe_run(os.environ),
    }
    return {name: value for name, value in facts.items() if value}


def at(seconds: float) -> str:
    """Return the time `seconds` since 1970 as ISO 8601 writes it, in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def mask_command(command: Sequence[str], environ: Mapping[str, str], secret: Collection[str] = ()) -> Iterator[str]:
    """Yield the words of `command` without users of URLs, and without values of confidential options and variables.

    These are those with telling names, and the variables `secret`.
    """
    named = (value for name, value in environ.items() if name in secret or _CONFIDENTIAL.fullmatch(name))
    values = sorted({value for value in named if len(value) >= _SHORTEST}, key=len, reverse=True)
    hidden = False
    for word in command:
        option, has_value, _ = word.partition("=")
        confidential = option.startswith("-") and _CONFIDENTIAL.fullmatch(option) is not None
        if hidden and not word.startswith("-"):
            yield MASK
        elif confidential and has_value:
            yield f"{option}={MASK}"
        else:
            yield _USER.sub(MASK, reduce(lambda text, value: text.replace(value, MASK), values, word))
        hidden = confidential and not has_value


def describe_run(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the service of continuous integration that a session with `environ` runs in, and its run; empty if none.

    URLs are without users.
    """
    service, found = ci.find_service(environ), ci.describe_pipeline(environ)
    named = {name: found[attribute] for name, attribute in _CI.items() if attribute in found}
    shown = {name: browsable(value) if name.endswith("_url") else value for name, value in named.items()}
    return {"service": service.name, **{name: value for name, value in shown.items() if value}} if service else {}


def _describe_source(config: Config) -> dict[str, Any]:
    commit = current_commit(config.root)
    if not commit:
        return {}
    try:
        dirty = bool(list_changed(config.root, written_by(config)))
    except (OSError, SourceError):
        return {"commit": commit}
    found = describe_repository(config.root)
    repository, branch = browsable(found.get(ci.REPOSITORY, "")), found.get(ci.HEAD_NAME, "")
    more = {name: value for name, value in (("repository", repository), ("branch", branch)) if value}
    return {"commit": commit, "dirty": dirty, **more}
