"""Documents about an artifact in a registry: its referrers.

See https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers.  A registry without the
referrers API has an index of them under a tag that is made from the digest: the referrers tag schema.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from pytest_ftc.attestation.strict_json import DocumentError, parse_object
from pytest_ftc.integrations.registry.client import INDEX, MANIFEST, Client
from pytest_ftc.integrations.registry.documents import encode_json
from pytest_ftc.integrations.registry.manifest import RefusedError
from pytest_ftc.integrations.registry.remote import RegistryError, Remote
from pytest_ftc.integrations.registry.session import LARGEST_MANIFEST, read_body

MOST = 1000
"""Referrers of one artifact; one that has more is refused."""
_MOST_PAGES = 100
_ATTEMPTS = 30
"""How often an index is read that others overwrite meanwhile."""
_CONFIRMATIONS = 2
_DIGEST = re.compile("sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Referrers:
    """What refers to an artifact."""

    descriptors: tuple[Mapping[str, Any], ...]
    """Each with ``digest``, ``mediaType`` and, usually, ``artifactType`` and ``annotations``."""
    is_tagged: bool
    """Whether they come from the index under the tag, because the registry has no referrers API."""


def list_referrers(remote: Remote, digest: str, artifact_type: str = "") -> Referrers:
    """Return the referrers of the manifest with this `digest`, all or those of one type.  Raises RegistryError."""
    listed = remote.ask(partial(_ask_api, digest=digest, artifact_type=artifact_type))
    found = remote.ask(partial(_read_tag, tag=fallback_tag(digest))) if listed is None else listed
    # A registry need not filter.
    chosen = (one for one in found if not artifact_type or one.get("artifactType") == artifact_type)
    return Referrers(tuple(chosen), is_tagged=listed is None)


def attach(remote: Remote, subject: str, referrers: Sequence[tuple[bytes, Mapping[str, Any]]]) -> None:
    """Push manifests that refer to the manifest with the digest `subject`; each comes with its descriptor.

    Their contents are there already.  Raises RegistryError.
    """
    unlisted = [
        descriptor
        for manifest, descriptor in referrers
        if remote.ask(partial(_put, digest=str(descriptor["digest"]), manifest=manifest)) != subject
    ]
    if unlisted:
        _add_to_tag(remote, fallback_tag(subject), unlisted)


def refers_to(manifest: bytes, subject: str) -> bool:
    """Return whether a `manifest` refers to the one with the digest `subject`."""
    try:
        found: object = json.loads(manifest)["subject"]["digest"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return found == subject


def fallback_tag(digest: str) -> str:
    """Return the tag of the index of the referrers of the manifest with this `digest`."""
    return digest.replace(":", "-")


def put_manifest(client: Client, reference: str, data: bytes, media_type: str = MANIFEST) -> str:
    """Push a manifest under a tag or its digest; return the subject that the registry says it has listed it for."""
    headers = {"Content-Type": media_type}
    with closing(client.request("PUT", f"manifests/{reference}", headers, data, expected=(201,))) as response:
        return str(response.headers.get("OCI-Subject", ""))


def _put(client: Client, digest: str, manifest: bytes) -> str:
    subject = put_manifest(client, digest, manifest)
    if client.manifest(digest) != manifest:
        raise RefusedError("the registry gives out another manifest than it was sent")
    return subject


def _ask_api(client: Client, digest: str, artifact_type: str) -> list[dict[str, Any]] | None:
    """Return the descriptors by the referrers API, from all its pages; None if the registry does not have it."""
    path, found = f"referrers/{digest}", list[dict[str, Any]]()
    if artifact_type:
        path += f"?{urlencode({'artifactType': artifact_type})}"
    for _ in range(_MOST_PAGES):
        with closing(client.request("GET", path, {"Accept": INDEX}, expected=(200, 400, 404, 405))) as response:
            if response.status_code != 200:
                return None
            found += _descriptors_in(b"".join(read_body(response, LARGEST_MANIFEST)))
            if len(found) > MOST:
                raise RefusedError(f"it has more than {MOST} referrers")
            following = response.links.get("next", {}).get("url", "")
            if not following:
                return found
            path = client.locate(following, response.url)
    raise RefusedError(f"the list of its referrers has more than {_MOST_PAGES} pages")


def _read_tag(client: Client, tag: str) -> list[dict[str, Any]]:
    with closing(client.request("GET", f"manifests/{tag}", {"Accept": INDEX}, expected=(200, 404))) as response:
        if response.status_code == 404:
            return []
        return _descriptors_in(b"".join(read_body(response, LARGEST_MANIFEST)))


def _descriptors_in(data: bytes) -> list[dict[str, Any]]:
    try:
        listed = parse_object(data, "index").get("manifests")
    except DocumentError as error:
        raise RefusedError(f"the list of its referrers cannot be read: {error}") from None
    if not isinstance(listed, list) or not all(_is_descriptor(one) for one in listed):
        raise RefusedError("the list of its referrers is no index of manifests with sha256 digests")
    if len(listed) > MOST:
        raise RefusedError(f"it has more than {MOST} referrers")
    return listed


def _is_descriptor(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("digest"), str) and bool(_DIGEST.fullmatch(value["digest"]))


def _add_to_tag(remote: Remote, tag: str, added: Sequence[Mapping[str, Any]]) -> None:
    """Add descriptors to the index under `tag`.

    A registry knows no conditional writes: whoever writes at the same time may overwrite it.  So it is read again,
    until it has been complete for longer than another writer takes between reading and writing.
    """
    confirmed = 0
    for _ in range(_ATTEMPTS):
        was_complete = remote.ask(partial(_complete_index, tag=tag, added=added))
        confirmed = confirmed + 1 if was_complete else 0
        if confirmed == _CONFIRMATIONS:
            return
        time.sleep(random.uniform(0.15, 0.3))
    raise RegistryError(f"{remote.image.target}: the tag {tag} is overwritten by others again and again; try again")


def _complete_index(client: Client, tag: str, added: Sequence[Mapping[str, Any]]) -> bool:
    """Add to the index what it lacks; return whether it lacked nothing."""
    present = _read_tag(client, tag)
    known = {one["digest"] for one in present}
    missing = [one for one in added if one["digest"] not in known]
    if missing:
        data = encode_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [*present, *missing]})
        put_manifest(client, tag, data, INDEX)
    return not missing
