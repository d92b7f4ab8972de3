"""Talking to the process that sends.  Traces and metrics share one: its imports cost as much as a small build."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from concurrent.futures import Future, InvalidStateError, wait
from enum import Enum
from typing import Any

from pytest_ftc.integrations.opentelemetry.start import start_sender


class Request(Enum):
    """What the process is asked to do."""

    BEGIN_TRACES = "begin traces"
    END_TRACES = "end traces"
    SEND_METRICS = "send metrics"


class SenderProcess:
    """A process that sends, which is started with this.  Raises OSError."""

    def __init__(self) -> None:
        self.process = start_sender()
        self.users = 0
        self._numbers = itertools.count()
        self._asked: dict[int, Future[Any]] = {}
        self._writing = threading.Lock()
        threading.Thread(target=self._read, daemon=True, name="ftc-sender").start()

    def ask(self, request: Request, given: object) -> Future[Any]:
        """Return the answer to come, for `wait_for`."""
        answer: Future[Any] = Future()
        assert self.process.stdin
        with self._writing:
            number = next(self._numbers)
            self._asked[number] = answer
            line = json.dumps([number, request.value, given]).encode() + b"\n"
            with contextlib.suppress(BrokenPipeError, ValueError):
                self.process.stdin.write(line)
                self.process.stdin.flush()
        if self.process.stdout is None or self.process.stdout.closed:
            self._give_up()
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                number, document = json.loads(line)
                answer = self._asked.pop(number)
                if error := document.get("error"):
                    answer.set_exception(OSError(f"internal error, please report it: {error}"))
                else:
                    answer.set_result(document["answer"])
        self._give_up()

    def _give_up(self) -> None:
        for answer in list(self._asked.values()):
            with contextlib.suppress(InvalidStateError):
                answer.set_exception(OSError("internal error, please report it: the process that sends has ended"))


def wait_for(answer: Future[Any], seconds: float) -> Any:
    """Return what `answer` says within so many `seconds`.

    Raises TimeoutError, and OSError if the process has ended before, or had an internal error.
    """
    if not wait([answer], seconds).done:
        raise TimeoutError
    return answer.result()


class _Shared:
    """The process of this one; it is started for its first user, and ended with the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: SenderProcess | None = None

    def join(self) -> SenderProcess:
        """Return the process for one more user.  Raises OSError."""
        with self._lock:
            if self._process is None or self._process.process.poll() is not None:
                self._process = SenderProcess()
            self._process.users += 1
            return self._process

    def leave(self, process: SenderProcess) -> None:
        """End `process` unless others use it."""
        with self._lock:
            process.users -= 1
            if process.users:
                return
            if process is self._process:
                self._process = None
        process.end()


SHARED = _Shared()
