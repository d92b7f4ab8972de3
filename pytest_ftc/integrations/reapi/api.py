"""The messages and methods of a farm, made from `reapi.binpb` for whatever version of protobuf is installed.

Each message of the packages below is an attribute of this module: ``api.Digest``, ``api.WriteRequest``.
The file is made by scripts/make_reapi_descriptors.py.  Importing this module raises NotInstalledError without the
extra ``reapi``.
"""

from __future__ import annotations

import functools
import os
import re
import threading
import typing
from importlib import import_module
from pathlib import Path

from pytest_ftc.integrations.reapi.encoding.fields import is_bounded
from pytest_ftc.integrations.reapi.errors import NotInstalledError, RemoteError
from pytest_ftc.model.digest import Digest as ContentDigest
from pytest_ftc.model.support.printable import shorten

NO_EXTRA = "remote execution needs the extra 'reapi': pip install 'pytest-ftc[reapi]'"
PACKAGES = (
    "build.bazel.remote.execution.v2",
    "google.bytestream",
    "google.longrunning",
    "google.rpc",
    "google.protobuf",
)

_FORKS = "GRPC_ENABLE_FORK_SUPPORT"
"""The variable for handlers of fork(2), which gRPC reads when it is imported."""


def _import_grpc() -> tuple[typing.Any, typing.Any]:
    """Import gRPC without its handlers of fork(2), unless the user wants them.

    A test that forks, such as by `multiprocessing`, would print their log and hang while a call of ours is running.
    """
    given = os.environ.get(_FORKS)
    os.environ.setdefault(_FORKS, "0")
    try:
        return import_module("grpc"), import_module("grpc.aio")
    finally:
        if given is None:
            os.environ.pop(_FORKS, None)


try:
    # By name, so that type checkers need the stubs of neither.
    grpc: typing.Any
    aio: typing.Any
    grpc, aio = _import_grpc()
    _pools: typing.Any = import_module("google.protobuf.descriptor_pool")
    _messages: typing.Any = import_module("google.protobuf.message_factory")
    _descriptors: typing.Any = import_module("google.protobuf.descriptor_pb2")
    DecodeError: typing.Any = import_module("google.protobuf.message").DecodeError
except ModuleNotFoundError:
    raise NotInstalledError(NO_EXTRA) from None

_HASH = re.compile(r"[0-9a-f]{64}")
_lock = threading.Lock()
_loaded: dict[str, typing.Any] = {}


def __getattr__(name: str) -> typing.Any:
    """Return the class of the message `name`.  Raises AttributeError if no package has it."""
    if not name[:1].isupper():
        raise AttributeError(name)
    for package in PACKAGES:
        try:
            kind = _messages.GetMessageClass(_pool().FindMessageTypeByName(f"{package}.{name}"))
        except KeyError:
            continue
        globals()[name] = kind
        return kind
    raise AttributeError(name)


class Unreadable:
    """What a server sent in place of a message: see `Connection.understand`."""


def find_method(channel: typing.Any, service: str, method: str) -> typing.Any:
    """Return what calls `method` of `service`, such as ``Execution`` and ``Execute``, on a channel of grpc."""
    found = _find(service, method)
    kind = f"{'stream' if found.client_streaming else 'unary'}_{'stream' if found.server_streaming else 'unary'}"
    return getattr(channel, kind)(
        f"/{found.containing_service.full_name}/{method}",
        request_serializer=serialize,
        response_deserializer=functools.partial(_receive, classes_of(service, method)[1]),
    )


def parse(kind: typing.Any, data: bytes) -> typing.Any:
    """Return the message of the class `kind` in `data`; None if it is broken, or takes too much memory."""
    try:
        return kind.FromString(data) if is_bounded(data, kind.DESCRIPTOR) else None
    except DecodeError:
        return None


def _receive(kind: typing.Any, data: bytes) -> typing.Any:
    """Return the message in `data`, or Unreadable: grpc would print a traceback, and go on with None."""
    message = parse(kind, data)
    return Unreadable() if message is None else message


def classes_of(service: str, method: str) -> tuple[typing.Any, typing.Any]:
    """Return the classes of the request and of the answer of a method."""
    found = _find(service, method)
    return _messages.GetMessageClass(found.input_type), _messages.GetMessageClass(found.output_type)


def serialize(message: typing.Any) -> bytes:
    """Return the canonical encoding of `message`, by which it is digested."""
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def to_message(digest: ContentDigest) -> typing.Any:
    """Return `digest` as a message."""
    return __getattr__("Digest")(hash=digest.hash, size_bytes=digest.size)


def to_digest(message: typing.Any) -> ContentDigest:
    """Return the digest that a server sent.  Raises RemoteError if it is none of SHA-256."""
    if not _HASH.fullmatch(message.hash) or message.size_bytes < 0:
        raise RemoteError(f"it sent {shorten(repr(message.hash), 80)}/{message.size_bytes}, which is no SHA-256 digest")
    return ContentDigest(message.hash, message.size_bytes)


def unpack(message: typing.Any, kind: typing.Any) -> typing.Any | None:
    """Return the message of the class `kind` that an ``Any`` holds; None if it holds another one, or a broken one."""
    result = kind()
    try:
        return result if is_bounded(message.value, kind.DESCRIPTOR) and message.Unpack(result) else None
    except DecodeError:
        return None


def _find(service: str, method: str) -> typing.Any:
    package = {"ByteStream": "google.bytestream", "Operations": "google.longrunning"}.get(service, PACKAGES[0])
    return _pool().FindServiceByName(f"{package}.{service}").FindMethodByName(method)


def _pool() -> typing.Any:
    with _lock:
        if "pool" not in _loaded:
            pool = _pools.DescriptorPool()
            data = Path(__file__).with_name("reapi.binpb").read_bytes()
            for file in _descriptors.FileDescriptorSet.FromString(data).file:
                pool.AddSerializedFile(file.SerializeToString())
            _loaded["pool"] = pool
        return _loaded["pool"]
