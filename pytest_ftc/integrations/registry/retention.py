"""Artifacts that may be removed after a date: what is past it, and removing that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial

from pytest_ftc.attestation.strict_json import DocumentError, parse_object
from pytest_ftc.integrations.registry.client import INDEX, MANIFEST, Client
from pytest_ftc.integrations.registry.documents import EXPIRES, layer_of
from pytest_ftc.integrations.registry.manifest import AbsentError, RefusedError, read_annotations
from pytest_ftc.integrations.registry.referrers import fallback_tag, list_referrers, refers_to
from pytest_ftc.integrations.registry.remote import Remote
from pytest_ftc.integrations.registry.session import LARGEST_MANIFEST, read_body

_FORM = "%Y-%m-%dT%H:%M:%SZ"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_FALLBACK = re.compile("sha256-[0-9a-f]{64}")
_MOST_TAGS = 100_000
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """An artifact that is past its date."""

    digest: str
    tags: tuple[str, ...]
    """Empty where its tag now names another artifact."""
    expired: str
    """RFC 3339, in UTC."""


def expire_after(seconds: float, now: datetime) -> str:
    """Return the annotation of what expires `seconds` after `now`.

    It is the end of that day in UTC, so that publishing again on one day gives the same manifest.
    """
    day = (now + timedelta(seconds=seconds)).astimezone(timezone.utc) + timedelta(days=1)
    return day.replace(hour=0, minute=0, second=0).strftime(_FORM)


def expiry_of(annotations: Mapping[str, str]) -> datetime | None:
    """Return when an artifact with these `annotations` expires; None if it does not, or does not say it well."""
    try:
        return datetime.strptime(annotations.get(EXPIRES, ""), _FORM).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def is_past(expiry: datetime) -> bool:
    """Return whether this time has come."""
    return expiry <= datetime.now(timezone.utc)


def find_expired(remote: Remote) -> list[Expired]:
    """Return the artifacts of a repository that are past their date, by digest.  Raises RegistryError."""
    named: dict[str, list[str]] = {}
    expiries: dict[str, str] = {}
    for tag in _list_tags(remote):
        # The index of referrers names an artifact that may have no tag any more.
        is_index = bool(_FALLBACK.fullmatch(tag))
        reference = tag.replace("-", ":") if is_index else tag
        manifest = remote.ask(partial(_find_manifest, reference=reference))
        expiry = expiry_of(_annotations_of(manifest))
        if expiry and is_past(expiry):
            digest = layer_of(manifest).digest
            named.setdefault(digest, []).extend([] if is_index else [tag])
            expiries[digest] = expiry.strftime(_FORM)
    return [Expired(digest=one, tags=tuple(sorted(named[one])), expired=expiries[one]) for one in sorted(named)]


def remove(remote: Remote, digest: str) -> None:
    """Remove an artifact and what refers to it; if it is interrupted, doing it again removes the rest.

    Raises RegistryError, also where the registry permits no removal.
    """
    referrers = list_referrers(remote, digest)
    for one in referrers.descriptors:
        remote.ask(partial(_delete_referrer, digest=str(one["digest"]), subject=digest))
    if referrers.is_tagged:
        index = remote.ask(partial(_find_manifest, reference=fallback_tag(digest), media_type=INDEX))
        if index:
            remote.ask(partial(_delete, digest=layer_of(index).digest))
    # Last, for by it the others are found.
    remote.ask(partial(_delete, digest=digest))


def _list_tags(remote: Remote) -> Iterator[str]:
    path, count = "tags/list", 0
    for _ in range(_MOST_PAGES):
        tags, path = remote.ask(partial(_read_tags, path=path))
        yield from tags
        count += len(tags)
        if not path or count > _MOST_TAGS:
            return


def _read_tags(client: Client, path: str) -> tuple[list[str], str]:
    """Return the tags on one page, and where the next one is."""
    with closing(client.request("GET", path)) as response:
        data = b"".join(read_body(response, LARGEST_MANIFEST))
        following = response.links.get("next", {}).get("url", "")
        after = client.locate(following, response.url) if following else ""
    try:
        tags = parse_object(data, "list of tags").get("tags") or []
    except DocumentError as error:
        raise RefusedError(f"its tags cannot be read: {error}") from None
    if not isinstance(tags, list) or not all(isinstance(tag, str) and _TAG.fullmatch(tag) for tag in tags):
        raise RefusedError("its list of tags has something else in it")
    return tags, after


def _find_manifest(client: Client, reference: str, media_type: str = MANIFEST) -> bytes:
    """Return the manifest under `reference`; empty if there is none of this type."""
    try:
        return client.manifest(reference, (media_type,))
    except AbsentError:
        return b""


def _annotations_of(manifest: bytes) -> Mapping[str, str]:
    try:
        return read_annotations(manifest) if manifest else {}
    except RefusedError:
        return {}


def _delete_referrer(client: Client, digest: str, subject: str) -> None:
    """Delete a manifest if it refers to `subject`: anybody who may push can list others in the index."""
    if refers_to(_find_manifest(client, digest), subject):
        _delete(client, digest)


def _delete(client: Client, digest: str) -> None:
    with closing(client.request("DELETE", f"manifests/{digest}", expected=(200, 202, 404, 405))) as response:
        if response.status_code == 405:
            raise RefusedError(
                "the registry permits no removal; docker-registry does with `storage: {delete: {enabled: true}}`"
            )
