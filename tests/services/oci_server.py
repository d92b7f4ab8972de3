"""A registry by version 1.1 of the OCI distribution specification, in this process, with faults to order.

See https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md.  It has the referrers API, which
docker-registry 2.8 has not: lists in pages, with Link headers, and the header OCI-Subject.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
PAGE = 2
"""Entries on one page of a list."""


@dataclass
class Answer:
    """What is sent instead of the true answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Fault = Callable[["Handler"], "Answer | None"]


@dataclass
class Contents:
    """What a registry holds, and what happens to those who ask."""

    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    """Method and path of each request."""
    fault: Fault = lambda handler: None
    cuts: list[int] = field(default_factory=list)
    """For each of the next chunks, how many bytes of it arrive before the connection is cut."""
    least: int = 0
    """OCI-Chunk-Min-Length."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    contents: Contents

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def log_message(self, format: str, *args: object) -> None: ...

    def _serve(self) -> None:
        url = urlsplit(self.path)
        self.contents.seen.append(f"{self.command} {url.path}")
        answer = self.contents.fault(self)
        if answer:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return self.answer(answer.status, answer.body, **answer.headers)
        self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
        routes: list[tuple[str, Callable[..., None]]] = [
            (r"/v2/", lambda: self.answer(200)),
            (r"/v2/(?P<name>.+)/blobs/uploads/", self._begin),
            (r"/v2/(?P<name>.+)/blobs/uploads/(?P<key>[^/]+)", self._upload),
            (r"/v2/(?P<name>.+)/blobs/(?P<digest>[^/]+)", self._blob),
            (r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)", self._manifest),
            (r"/v2/(?P<name>.+)/referrers/(?P<digest>[^/]+)", self._referrers),
            (r"/v2/(?P<name>.+)/tags/list", self._tags),
        ]
        for pattern, act in routes:
            if match := re.fullmatch(pattern, url.path):
                return act(**match.groupdict())
        return self.answer(404)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if not any(name.lower() in ("content_length", "transfer_encoding") for name in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _begin(self, name: str) -> None:
        key = uuid.uuid4().hex
        self.contents.uploads[key] = bytearray()
        least = {"OCI_Chunk_Min_Length": str(self.contents.least)} if self.contents.least else {}
        # A location may be relative.
        self.answer(202, Location=f"/v2/{name}/blobs/uploads/{key}?state=0", Range="0-0", **least)

    def _upload(self, name: str, key: str) -> None:
        data = self.contents.uploads.get(key)
        if data is None:
            self.body()
            return self.answer(404, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}')
        if self.command == "PATCH" and not self._append(data):
            return None
        if self.command == "PUT":
            digest = self.query["digest"]
            data += self.body()
            del self.contents.uploads[key]
            if digest != _digest(bytes(data)):
                return self.answer(400, b'{"errors": [{"code": "DIGEST_INVALID"}]}')
            self.contents.blobs[digest] = bytes(data)
            return self.answer(201, Location=f"/v2/{name}/blobs/{digest}")
        headers = {"Range": f"0-{max(0, len(data) - 1)}"}
        location = f"http://{self.contents.host}/v2/{name}/blobs/uploads/{key}?state={len(data)}"
        return self.answer(202 if self.command == "PATCH" else 204, Location=location, **headers)

    def _append(self, data: bytearray) -> bool:
        if self.contents.cuts:
            data += self.rfile.read(self.contents.cuts.pop(0))
            self.close_connection = True
            self.connection.shutdown(2)
            return False
        first, _, last = self.headers["Content-Range"].partition("-")
        chunk = self.body()
        if int(first) != len(data) or int(last) != int(first) + len(chunk) - 1:
            self.answer(416, Range=f"0-{max(0, len(data) - 1)}")
            return False
        data += chunk
        return True

    def _blob(self, name: str, digest: str) -> None:
        data = self.contents.blobs.get(digest)
        self.answer(404) if data is None else self.answer(200, data)

    def _manifest(self, name: str, reference: str) -> None:
        contents = self.contents
        if self.command == "PUT":
            return self._put_manifest(reference)
        digest = contents.tags.get(reference, reference)
        if digest not in contents.manifests:
            return self.answer(404)
        if self.command == "DELETE":
            del contents.manifests[digest]
            contents.tags = {tag: one for tag, one in contents.tags.items() if one != digest}
            return self.answer(202)
        headers = {"Docker_Content_Digest": digest, "Content_Type": contents.types[digest]}
        return self.answer(200, contents.manifests[digest], **headers)

    def _put_manifest(self, reference: str) -> None:
        data = self.body()
        manifest: dict[str, Any] = json.loads(data)
        listed = [*manifest.get("layers", []), *([manifest["config"]] if "config" in manifest else [])]
        if any(one["digest"] not in self.contents.blobs for one in listed):
            return self.answer(404, b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN"}]}')
        digest = _digest(data)
        self.contents.manifests[digest] = data
        self.contents.types[digest] = self.headers["Content-Type"]
        if not reference.startswith("sha256:"):
            self.contents.tags[reference] = digest
        subject = {"OCI_Subject": manifest["subject"]["digest"]} if "subject" in manifest else {}
        return self.answer(201, Location=f"/{digest}", Docker_Content_Digest=digest, **subject)

    def _referrers(self, name: str, digest: str) -> None:
        found = []
        for own, data in self.contents.manifests.items():
            manifest = json.loads(data)
            if manifest.get("subject", {}).get("digest") == digest:
                kind = manifest.get("artifactType") or manifest["config"]["mediaType"]
                entry = {"mediaType": manifest["mediaType"], "digest": own, "size": len(data), "artifactType": kind}
                found.append({**entry, "annotations": manifest.get("annotations", {})})
        filters = {}
        if "artifactType" in self.query:
            found = [one for one in found if one["artifactType"] == self.query["artifactType"]]
            filters = {"OCI_Filters_Applied": "artifactType"}
        page, link = self._page(found)
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": page}
        self.answer(200, json.dumps(index).encode(), Content_Type=INDEX, **link, **filters)

    def _tags(self, name: str) -> None:
        page, link = self._page(sorted(self.contents.tags))
        self.answer(200, json.dumps({"name": name, "tags": page}).encode(), **link)

    def _page(self, entries: list[Any]) -> tuple[list[Any], dict[str, str]]:
        start = int(self.query.get("start", 0))
        end = start + PAGE
        path = f"{urlsplit(self.path).path}?{urlencode({**self.query, 'start': end})}"
        return entries[start:end], {"Link": f'<{path}>; rel="next"'} if end < len(entries) else {}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@contextlib.contextmanager
def oci_server() -> Iterator[Contents]:
    """A registry that is empty."""
    contents = Contents()

    class Own(Handler):
        pass

    Own.contents = contents
    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        contents.host = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield contents
        finally:
            server.shutdown()
            thread.join()
