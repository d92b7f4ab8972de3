"""A line to a server that can be held up or cut in the middle of what is sent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_STEP = 64 << 10


@dataclass
class Line:
    """Forwards connections.  With a limit, a connection stops once so many bytes were sent to the server."""

    host: str
    """Where clients connect to."""
    server: str
    limit: int = 1 << 60
    cuts: int = 0
    """How many connections are cut at the limit; with none, they are held up there."""
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set when a connection has come to its limit."""
    released: threading.Event = field(default_factory=threading.Event)
    """To be set to cut what is held up."""

    def serve(self, client: socket.socket) -> None:
        name, _, port = self.server.rpartition(":")
        with client, contextlib.suppress(OSError), socket.create_connection((name, int(port)), timeout=60) as upstream:
            back = threading.Thread(target=_copy, args=(upstream, client), daemon=True)
            back.start()
            self._forward(client, upstream)
            with contextlib.suppress(OSError):
                upstream.shutdown(socket.SHUT_RDWR)
            back.join(10)

    def _forward(self, client: socket.socket, upstream: socket.socket) -> None:
        sent = 0
        while data := client.recv(_STEP):
            if sent + len(data) > self.limit:
                upstream.sendall(data[: self.limit - sent])
                self.stopped.set()
                if not self.cuts:
                    self.released.wait(60)
                elif self.cuts == 1:
                    self.limit = 1 << 60
                self.cuts -= bool(self.cuts)
                return
            upstream.sendall(data)
            sent += len(data)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_STEP):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def line_to(server: str) -> Iterator[Line]:
    """A line to the `server`, a host and a port."""
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line(f"127.0.0.1:{listener.getsockname()[1]}", server)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threads.append(threading.Thread(target=line.serve, args=(client,), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield line
        finally:
            line.released.set()
            listener.shutdown(socket.SHUT_RDWR)
    for thread in [accepting, *threads]:
        thread.join(10)
