"""Commands that CI services read from a job's log: nothing a build names or writes may become one."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_SERVICES = ("GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI", "TEAMCITY_VERSION", "CI")
"""Variables that are set in the jobs of services that read commands, or in all jobs."""

# GitHub reads ``::name`` after white space at the beginning of a line, and ``##[name]`` anywhere (actions/runner,
# ActionCommand.cs); Azure Pipelines reads ``##vso[`` anywhere, TeamCity ``##teamcity[``; GitLab reads section markers.
_AT_START = re.compile(r"(?m)^((?:\s|\x1b\[[0-9;]*m)*):(?=:)")
_ANYWHERE = re.compile(r"#(?=#(?:\[|vso\[|teamcity\[))", re.IGNORECASE)
_SECTION = re.compile(r"section_(?=(?:start|end):)")


def defuse(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return `text`, whole lines, with the first character of each such command escaped where it would be read."""
    if not any(environ.get(name) for name in _SERVICES):
        return text
    return _SECTION.sub("section\\\\x5f", _ANYWHERE.sub("\\\\x23", _AT_START.sub("\\1\\\\x3a", text)))


def defuse_json(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return equivalent JSON `text` without such commands."""
    if not any(environ.get(name) for name in _SERVICES):
        return text
    return _SECTION.sub("section\\\\u005f", _ANYWHERE.sub("\\\\u0023", text))
