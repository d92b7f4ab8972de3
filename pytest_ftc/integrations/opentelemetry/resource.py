"""Where a session ran: the resource of its spans and metrics."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from pytest_ftc import __version__
from pytest_ftc.integrations.opentelemetry.conventions import SCHEMA_URL
from pytest_ftc.model.origin.ci import JOB_URL, REPOSITORY, RUN_URL, describe_pipeline
from pytest_ftc.model.origin.repository import browsable, describe_repository, describe_url
from pytest_ftc.model.support.printable import shorten

_LONGEST = 1000
"""Characters of a value."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "x86", "i386": "x86", "ppc64le": "ppc64"}
"""The names of the semantic conventions."""


@lru_cache(maxsize=1)
def make_resource(root: Path) -> Resource:
    """Return the resource of the session in the project at `root`.

    ``OTEL_RESOURCE_ATTRIBUTES`` and ``OTEL_SERVICE_NAME`` win over what is found.
    """
    found = Resource.create(dict(describe_session(root, os.environ)), SCHEMA_URL)
    return found.merge(OTELResourceDetector().detect())


def describe_session(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return where a session in the project at `root` with `environ` runs, and for which pipeline and commit."""
    # A service knows the branch where git has only a detached commit.
    found = {**describe_repository(root), **describe_pipeline(environ)}
    found.update({name: browsable(found[name]) for name in (RUN_URL, JOB_URL) if "@" in found.get(name, "")})
    found.update({REPOSITORY: "", **describe_url(found.get(REPOSITORY, ""))})
    machine = platform.machine()
    found |= {
        "service.name": "pytest-ftc",
        "service.version": __version__,
        "host.name": platform.node(),
        "host.arch": _ARCHITECTURES.get(machine, machine),
        "os.type": platform.system().lower(),
    }
    return {name: shorten(value, _LONGEST) for name, value in found.items() if value}
