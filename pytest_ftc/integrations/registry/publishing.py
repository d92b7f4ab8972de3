"""Publishing an artifact with the documents about it.

The tag comes last: whoever resolves it finds everything.  What is there already is not sent again, so that a command
that was interrupted is simply given again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_ftc.integrations.registry.client import INDEX, MANIFEST, Client
from pytest_ftc.integrations.registry.documents import (
    EMPTY,
    Document,
    describe_referrer,
    layer_of,
    make_artifact,
    make_referrer,
)
from pytest_ftc.integrations.registry.manifest import AbsentError, RefusedError
from pytest_ftc.integrations.registry.outputs import Content
from pytest_ftc.integrations.registry.referrers import attach, list_referrers, put_manifest
from pytest_ftc.integrations.registry.remote import Remote
from pytest_ftc.integrations.registry.upload import upload
from pytest_ftc.model.timing.collector import timing
from pytest_ftc.model.timing.phase import PhaseKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was published."""

    digest: str
    """Of the manifest."""
    files: Mapping[str, bool]
    """Whether each file was sent; if not, it was there already."""
    documents: Mapping[str, bool]
    """Whether each document was attached; if not, it was attached already."""
    before: str
    """The digest of what the tag named before; empty if there was no such tag."""


def publish(
    remote: Remote, contents: Sequence[Content], documents: Sequence[Document], annotations: Mapping[str, str]
) -> Published:
    """Push `contents` as one artifact with `annotations` under the tag of `remote`, and attach `documents` to it.

    Raises RegistryError.
    """
    with timing().phase(PhaseKind.PUBLISH):
        return _publish(remote, contents, documents, annotations)


def _publish(
    remote: Remote, contents: Sequence[Content], documents: Sequence[Document], annotations: Mapping[str, str]
) -> Published:
    _upload_bytes(remote, EMPTY)
    files = {one.part.title: upload(remote, one.part.layer, one.read) for one in contents}
    manifest = make_artifact([one.part for one in contents], annotations)
    digest = layer_of(manifest).digest
    remote.ask(partial(_put_checked, reference=digest, manifest=manifest))
    attached = _attach_documents(remote, manifest, documents)
    before = remote.ask(partial(_ask_tag, tag=remote.image.tag))
    if before != digest:
        remote.ask(partial(_put_checked, reference=remote.image.tag, manifest=manifest))
    return Published(digest=digest, files=files, documents=attached, before=before)


def _attach_documents(remote: Remote, manifest: bytes, documents: Sequence[Document]) -> Mapping[str, bool]:
    subject = layer_of(manifest).digest
    made = {one.title: (make_referrer(one, manifest), one) for one in documents}
    known = {one["digest"] for one in list_referrers(remote, subject).descriptors} if documents else set()
    new = {title: pair for title, pair in made.items() if layer_of(pair[0]).digest not in known}
    for _, document in new.values():
        _upload_bytes(remote, document.data)
    attach(remote, subject, [(data, describe_referrer(document, data)) for data, document in new.values()])
    return {title: title in new for title in made}


def _upload_bytes(remote: Remote, data: bytes) -> None:
    upload(remote, layer_of(data), lambda offset, size: data[offset : offset + size])


def _put_checked(client: Client, reference: str, manifest: bytes) -> None:
    put_manifest(client, reference, manifest)
    if client.manifest(reference) != manifest:
        raise RefusedError("the registry gives out another manifest than it was sent")


def _ask_tag(client: Client, tag: str) -> str:
    try:
        return layer_of(client.manifest(tag, (MANIFEST, INDEX))).digest
    except AbsentError:
        return ""
