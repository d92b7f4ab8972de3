"""Uploads of contents in chunks, which go on where a lost connection left them.

See https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

from pytest_ftc.integrations.registry.client import Client
from pytest_ftc.integrations.registry.manifest import Layer, RefusedError
from pytest_ftc.integrations.registry.remote import Remote

CHUNK = 8 << 20
_STARTS = 6
"""How often one content is begun before it is given up.

A registry may lose what it was sent: docker-registry resumes an upload only where a chunk arrived as a whole.
"""

Reader = Callable[[int, int], bytes]
"""Returns the bytes of a content from an offset, at most so many."""


def upload(remote: Remote, layer: Layer, read: Reader) -> bool:
    """Have the registry hold the content of `layer`, and check that it does; return whether it was uploaded.

    Raises RegistryError, UntrueError.
    """
    sent = not remote.ask(lambda client: _holds(client, layer))
    if sent:
        transfer = _Transfer(layer, read)
        while not remote.ask(transfer.step, size=CHUNK):
            pass
    # Whoever fetches it reads it too: what is on the disk of the registry counts, not what it was sent.
    remote.ask(lambda client: client.check(layer), size=layer.size)
    return sent


def _holds(client: Client, layer: Layer) -> bool:
    with closing(client.request("HEAD", f"blobs/{layer.digest}", expected=(200, 404))) as response:
        found: bool = response.status_code == 200
        return found


class _Transfer:
    """One content on its way.  Each step may be repeated after an error."""

    def __init__(self, layer: Layer, read: Reader) -> None:
        self._layer = layer
        self._read = read
        self._location = ""
        self._offset = 0
        self._is_sure = True
        """Whether the offset is known; not after a request without an answer."""
        self._starts = 0
        self._refusals = 0
        self._steps = 0
        self._chunk = CHUNK

    def step(self, client: Client) -> bool:
        """Send the next chunk, and return whether the registry has all."""
        self._steps += 1
        if self._steps > 20 * _STARTS + 4 * (self._layer.size // self._chunk + 1):
            raise RefusedError("the upload makes no progress: the registry loses what it was sent")
        if not self._is_sure and _holds(client, self._layer):
            return True
        if not self._location:
            self._begin(client)
        elif not self._is_sure:
            self._ask_offset(client)
        if not self._location:
            return False
        if self._offset < self._layer.size:
            self._send_chunk(client)
            return False
        return self._finish(client)

    def _begin(self, client: Client) -> None:
        self._starts += 1
        if self._starts > _STARTS:
            raise RefusedError(f"the registry lost the upload {_STARTS} times")
        with closing(client.request("POST", "blobs/uploads/", expected=(202,))) as response:
            least = response.headers.get("OCI-Chunk-Min-Length", "")
            self._chunk = max(CHUNK, int(least)) if re.fullmatch("[0-9]{1,8}", least) else CHUNK
            self._offset, self._is_sure = 0, True
            self._go_on(client, response)

    def _ask_offset(self, client: Client) -> None:
        with closing(client.request("GET", self._location, expected=(204, 404))) as response:
            if response.status_code == 404:
                self._location = ""
                return
            self._offset, self._is_sure = _offset_in(response), True
            self._go_on(client, response)
        if self._offset > self._layer.size:
            self._location = ""

    def _send_chunk(self, client: Client) -> None:
        data = self._read(self._offset, min(self._chunk, self._layer.size - self._offset))
        if not data:
            raise RefusedError("the file became shorter while it was uploaded")
        self._is_sure = False
        end = self._offset + len(data) - 1
        headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{self._offset}-{end}"}
        with closing(client.request("PATCH", self._location, headers, data, expected=(202, 404, 416))) as response:
            if response.status_code != 202:
                self._location = ""
                return
            self._offset, self._is_sure = end + 1, True
            self._go_on(client, response)

    def _finish(self, client: Client) -> bool:
        self._is_sure = False
        joint = "&" if "?" in self._location else "?"
        url = f"{self._location}{joint}digest={self._layer.digest}"
        with closing(client.request("PUT", url, expected=(201, 400, 404, 416))) as response:
            if response.status_code == 201:
                return True
            self._refusals += response.status_code == 400
            if self._refusals > 1:
                raise RefusedError(f"the registry received other bytes than those of {self._layer.digest}")
            self._location = ""
            return False

    def _go_on(self, client: Client, response: Any) -> None:
        self._location = client.locate(response.headers.get("Location", ""), response.url)


def _offset_in(response: Any) -> int:
    """Return how many bytes the registry has.  For none, some send ``0-0``, which no chunk of ours leaves."""
    match = re.fullmatch("(?:bytes=)?0-([0-9]{1,18})", response.headers.get("Range", "0-0"))
    if match is None:
        raise RefusedError("the registry does not say how much of the upload it has")
    last = int(match[1])
    return last + 1 if last else 0
