"""A relay that counts the calls of gRPC that pass, besides the bytes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from tiered_store import Relay

_PREFACE = 24
"""Bytes with which a client begins; then come frames: RFC 9113, sections 3.4 and 4.1."""
_HEAD = 9
_HEADERS = 1
"""The type of the frame that opens a stream: gRPC has one for each call."""


@dataclass
class CallRelay(Relay):
    """Counts calls as well."""

    calls: int = 0

    def take_calls(self) -> int:
        """Return the calls since the last time."""
        with self.lock:
            found, self.calls = self.calls, 0
        return found

    def _pump(self, source: socket.socket, sink: socket.socket, name: str) -> None:
        super()._pump(_Watched(source, self._count) if name == "up" else source, sink, name)

    def _count(self) -> None:
        with self.lock:
            self.calls += 1


class _Watched(socket.socket):
    """The socket `source`, from which a client's frames are read."""

    def __init__(self, source: socket.socket, opened: Callable[[], None]) -> None:
        super().__init__(fileno=source.dup().detach())
        self._opened = opened
        self._skip = _PREFACE
        self._head = b""

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what comes, and call `opened` for each stream that it opens."""
        data = super().recv(size, flags)
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
            else:
                step = min(_HEAD - len(self._head), len(data) - at)
                self._head += data[at : at + step]
                if len(self._head) == _HEAD:
                    if self._head[3] == _HEADERS:
                        self._opened()
                    self._skip, self._head = int.from_bytes(self._head[:3], "big"), b""
            at += step
        return data
