"""A line to a server that delays, cuts or corrupts what is sent, in both directions."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

_STEP = 16 << 10


@dataclass
class BadLine:
    """Forwards connections; its faults can be changed while it works."""

    target: str
    """Where clients connect to."""
    server: str
    random: random.Random
    delay: float = 0.0
    """Seconds that each piece of at most 16 KiB is late, at most."""
    cut: float = 0.0
    """How likely a piece ends its connection."""
    corrupt: float = 0.0
    """How likely a byte of a piece is another one."""
    faults: int = 0
    """How many there were."""
    sent: int = 0
    """Bytes that came from clients."""
    received: int = 0
    """Bytes that came from the server."""
    connections: set[socket.socket] = field(default_factory=set)

    def serve(self, client: socket.socket) -> None:
        """Forward one connection until it ends."""
        host, _, port = self.server.rpartition(":")
        with contextlib.suppress(OSError), client, socket.create_connection((host, int(port)), timeout=5) as upstream:
            upstream.settimeout(None)
            self.connections |= {client, upstream}
            back = threading.Thread(target=self._forward, args=(upstream, client, False), daemon=True)
            back.start()
            self._forward(client, upstream, True)
            back.join(10)
        self.connections.discard(client)

    def cut_all(self) -> None:
        """End all connections."""
        self.faults += 1
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _forward(self, source: socket.socket, target: socket.socket, to_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_STEP):
                if to_server:
                    self.sent += len(data)
                else:
                    self.received += len(data)
                if self.delay:
                    self.faults += 1
                    time.sleep(self.random.uniform(0, self.delay))
                if self.random.random() < self.cut:
                    self.faults += 1
                    target.sendall(data[: self.random.randrange(len(data))])
                    break
                if self.random.random() < self.corrupt:
                    self.faults += 1
                    place = self.random.randrange(len(data))
                    data = data[:place] + bytes([data[place] ^ (1 << self.random.randrange(8))]) + data[place + 1 :]
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def bad_line_to(server: str, seed: int) -> Iterator[BadLine]:
    """A line to the `server`, a host and a port, that has no faults yet."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        line = BadLine(f"127.0.0.1:{listener.getsockname()[1]}", server, random.Random(seed))

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=line.serve, args=(client,), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield line
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            line.cut_all()
