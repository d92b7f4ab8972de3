"""A worker of BuildGrid: takes its actions over the Remote Workers API, and has a program run them.

Usage: buildgrid_bot.py SERVER NAME POOL FOLDER RUNNER...  with the Python that has BuildGrid.  The runner gets more
arguments: the files of the action and of its result.  It is BuildGrid's own bot as far as the tests need it.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from buildgrid._protos.build.bazel.remote.execution.v2 import (  # type: ignore[import-not-found]
    remote_execution_pb2 as re_pb2,
)
from buildgrid._protos.google.devtools.remoteworkers.v1test2 import (  # type: ignore[import-not-found]
    bots_pb2,
    bots_pb2_grpc,
    worker_pb2,
)

_INTERNAL = 13
_WAIT = 8.0


class Bot:
    """Runs one action at a time for each lease that the server gives it."""

    def __init__(self, server: str, name: str, pool: str, folder: Path, runner: list[str]) -> None:
        self.name, self.folder, self.runner = name, folder, runner
        self.stub = bots_pb2_grpc.BotsStub(grpc.insecure_channel(server))
        facts = {"OSFamily": "linux", "ISA": "x86-64", "pool": pool, "hostname": name}
        device = worker_pb2.Device(handle=name)
        for key, value in facts.items():
            device.properties.add(key=key, value=value)
        self.session = bots_pb2.BotSession(
            bot_id=name, status=bots_pb2.BotStatus.Value("OK"), worker=worker_pb2.Worker(devices=[device])
        )
        self.leases: dict[str, Any] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ended = threading.Event()

    def serve(self) -> None:
        """Take actions for ever."""
        while True:
            if not self.session.name:
                request = bots_pb2.CreateBotSessionRequest(parent="", bot_session=self.session)
                self._exchange(self.stub.CreateBotSession, request)
                continue
            self._take_up()
            self._drop()
            kept = [self.leases[lease.id] for lease in self.session.leases if lease.id in self.leases]
            del self.session.leases[:]
            self.session.leases.extend(kept)
            request = bots_pb2.UpdateBotSessionRequest(name=self.session.name, bot_session=self.session)
            if self._exchange(self.stub.UpdateBotSession, request) and self.leases:
                self.ended.wait(0.1)
                self.ended.clear()

    def _exchange(self, call: Any, request: Any) -> bool:
        """Tell the server of the session, and return whether it answered; it may be away for a moment."""
        try:
            self.session = call(request, timeout=_WAIT)
        except grpc.RpcError as error:
            sys.stderr.write(f"{self.name}: {error.code()} {error.details()}\n")
            if error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND):
                # It took us for lost, and has given our actions to others.
                self.session.name = ""
                del self.session.leases[:]
                self._drop()
            time.sleep(0.5)
            return False
        return True

    def _take_up(self) -> None:
        states = [bots_pb2.LeaseState.Value(name) for name in ("PENDING", "ACTIVE")]
        for lease in self.session.leases:
            if lease.id not in self.leases and lease.state in states:
                own = self.leases[lease.id] = bots_pb2.Lease()
                own.CopyFrom(lease)
                own.state = states[1]
                threading.Thread(target=self._run, args=(own,), daemon=True).start()

    def _drop(self) -> None:
        """End what the server no longer wants: it says so by leaving out the lease."""
        for name in set(self.leases) - {lease.id for lease in self.session.leases}:
            process = self.processes.pop(name, None)
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            del self.leases[name]

    def _run(self, lease: Any) -> None:
        result, started = re_pb2.ActionResult(), time.time_ns()
        with tempfile.TemporaryDirectory(dir=self.folder) as folder, open(self.folder / "bot.log", "ab") as log:
            action, answer = Path(folder, "action"), Path(folder, "result")
            action.write_bytes(lease.payload.value)
            command = [*self.runner, f"--action={action}", f"--action-result={answer}"]
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
            self.processes[lease.id] = process
            status = process.wait()
            if answer.exists():
                result.ParseFromString(answer.read_bytes())
        metadata = result.execution_metadata
        metadata.worker = self.name
        metadata.worker_start_timestamp.FromNanoseconds(started)
        metadata.worker_completed_timestamp.GetCurrentTime()
        if status:
            lease.status.code, lease.status.message = _INTERNAL, f"the runner ended with status {status}"
        lease.result.Pack(result)
        lease.state = bots_pb2.LeaseState.Value("COMPLETED")
        self.ended.set()


if __name__ == "__main__":
    Bot(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), sys.argv[5:]).serve()
