"""The repository that a session runs in, by the names of the semantic conventions."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pytest_ftc.model.origin.ci import HEAD_NAME, HEAD_TYPE, REPOSITORY, REVISION
from pytest_ftc.model.support.git import run_git

_SCP_LIKE = re.compile(r"(?:[^@/:]+@)?(?P<host>[^/:]+):(?P<path>(?!//).+)")
"""As in git@example.org:owner/name.git"""
_PROVIDERS = ("github", "gitlab", "bitbucket", "gitea")
"""The names of the semantic conventions."""


def describe_repository(root: Path) -> dict[str, str]:
    """Return what git says of the repository that `root` is in; nothing where that is none."""
    found = {REVISION: _ask(root, "rev-parse", "--verify", "--quiet", "HEAD")}
    if branch := _ask(root, "symbolic-ref", "--quiet", "--short", "HEAD"):
        found |= {HEAD_NAME: branch, HEAD_TYPE: "branch"}
    found[REPOSITORY] = _ask(root, "remote", "get-url", "origin")
    return {name: value for name, value in found.items() if value}


def describe_url(url: str) -> dict[str, str]:
    """Return the attributes that follow from the `url` of a repository, and that without a password."""
    clean = browsable(url)
    if not clean:
        return {}
    parts = urlsplit(clean)
    owner, _, name = parts.path.strip("/").rpartition("/")
    found = {
        REPOSITORY: clean,
        "vcs.repository.name": name,
        "vcs.owner.name": owner,
        "vcs.provider.name": next((one for one in _PROVIDERS if one in parts.netloc.split(".")), ""),
    }
    return {name: value for name, value in found.items() if value}


def browsable(url: str) -> str:
    """Return `url` as one for a browser, without user, password and query; empty if it is that of no server."""
    if match := _SCP_LIKE.fullmatch(url):
        url = f"https://{match['host']}/{match['path']}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https", "ssh", "git") or not host:
        return ""
    scheme = parts.scheme if parts.scheme == "http" else "https"
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}:{port}" if port and parts.scheme in ("http", "https") else shown
    return urlunsplit((scheme, place, parts.path.rstrip("/").removesuffix(".git"), "", ""))


def _ask(root: Path, *arguments: str) -> str:
    try:
        answer = run_git(root, *arguments)
    except OSError:
        return ""
    return answer.stdout.decode("utf-8", "replace").strip() if answer.returncode == 0 else ""
