"""Connections: TLS, headers, capabilities, deadlines, retries and ends."""

import asyncio
import datetime
import ipaddress
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from farms import QUICK, address_of, serving, wait_until

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import Limits, RemoteAddress
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import CancelledError, RemoteError, TransientError
from pytest_ftc.integrations.retry import Persistence


def ask(address):
    with Connection(address) as connection:
        return connection.call(connection.capabilities())


def certificate(name, issuer=None):
    """Return a certificate and its key in PEM, and what issues others."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[2] if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
    )
    made = builder.sign(issuer[3] if issuer else key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM), pem, subject, key


def test_tls_is_checked_against_the_given_authority():
    authority, stranger = certificate("authority"), certificate("stranger")
    cert, key, *_ = certificate("localhost", authority)
    with serving(api.grpc.ssl_server_credentials([(key, cert)])) as farm:
        assert ask(address_of(farm, secure=True, ca=authority[0])).executes
        with pytest.raises(TransientError, match="grpcs://localhost:.*UNAVAILABLE"):
            ask(address_of(farm, secure=True, ca=stranger[0]))
        with pytest.raises(TransientError, match="UNAVAILABLE"):
            ask(address_of(farm))


def test_mutual_tls_needs_our_certificate():
    authority = certificate("authority")
    cert, key, *_ = certificate("localhost", authority)
    mine, my_key, *_ = certificate("me", authority)
    with serving(api.grpc.ssl_server_credentials([(key, cert)], authority[0], True)) as farm:
        assert ask(address_of(farm, secure=True, ca=authority[0], cert=mine, key=my_key)).executes
        with pytest.raises(TransientError):
            ask(address_of(farm, secure=True, ca=authority[0]))


def test_headers_are_sent_with_every_call_and_never_shown():
    with serving() as farm:
        address = address_of(farm, headers={"authorization": "Bearer s3cret"})
        assert ask(address).executes
        assert farm.metadata[0]["authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(address) + str(address)


def test_a_refused_login_says_what_to_set(farm):
    farm.fail("GetCapabilities", "UNAUTHENTICATED", text="who are you?")
    with pytest.raises(RemoteError, match="who are you") as caught:
        ask(address_of(farm))
    assert "[tool.ftc.remote] headers" in caught.value.advice


def test_capabilities_are_asked_for_once(farm, connection):
    async def twice():
        return await asyncio.gather(connection.capabilities(), connection.capabilities())

    first, second = connection.call(twice())
    assert first is second is connection.call(connection.capabilities())
    assert farm.calls["GetCapabilities"] == 1


@pytest.mark.parametrize(
    ("said", "expected"), [(0, (4 << 20) - (64 << 10)), (1000, 500), (1 << 40, (4 << 20) - (64 << 10))]
)
def test_batches_leave_some_slack(farm, said, expected):
    farm.batch_limit = said
    assert ask(address_of(farm)).batch == expected


def test_a_server_without_sha256_is_refused_and_asked_again(farm, connection):
    answer = api.ServerCapabilities()
    answer.cache_capabilities.digest_functions.extend([api.DigestFunction.BLAKE3, 999])
    farm.faults["GetCapabilities"].append(lambda request, context: answer)
    with pytest.raises(RemoteError, match="does not offer the digest function SHA256, only BLAKE3, 999"):
        connection.call(connection.capabilities())
    assert connection.call(connection.capabilities()).executes


def test_a_server_of_another_major_version_is_refused(farm, connection):
    answer = api.ServerCapabilities()
    answer.low_api_version.major = answer.high_api_version.major = 3
    farm.faults["GetCapabilities"].append(lambda request, context: answer)
    with pytest.raises(RemoteError, match=r"speaks version 3\.0"):
        connection.call(connection.capabilities())


def test_a_server_that_asks_to_wait_is_given_the_time(farm, connection):
    status = api.Status(code=8)
    status.details.add().Pack(api.RetryInfo(retry_delay={"nanos": 300_000_000}))
    farm.fail("GetCapabilities", "RESOURCE_EXHAUSTED", metadata=[("grpc-status-details-bin", api.serialize(status))])
    before = time.monotonic()
    connection.call(connection.capabilities())
    assert time.monotonic() - before >= 0.3


def test_one_that_asks_for_too_long_is_not_waited_for(farm, connection):
    status = api.Status(code=8)
    status.details.add().Pack(api.RetryInfo(retry_delay={"seconds": 100_000}))
    farm.fail("GetCapabilities", "RESOURCE_EXHAUSTED", metadata=[("grpc-status-details-bin", api.serialize(status))])
    with pytest.raises(TransientError):
        connection.call(connection.capabilities())


@pytest.mark.parametrize(
    "details", [b"\xff\xff", b"", api.serialize(api.Status(details=[{"type_url": "a/b", "value": b"\xff"}]))]
)
def test_hostile_details_are_ignored(farm, connection, details):
    farm.fail("GetCapabilities", "UNAVAILABLE", metadata=[("grpc-status-details-bin", details)])
    assert connection.call(connection.capabilities()).executes


def test_a_busy_server_does_not_open_the_circuit_breaker_but_a_dead_one_does():
    limits = Limits(call=5.0, persistence=Persistence(attempts=1, failures=2, rest=60.0))
    with serving() as farm, Connection(address_of(farm, limits=limits)) as connection:
        farm.fail("GetCapabilities", *["RESOURCE_EXHAUSTED"] * 5, *["UNAVAILABLE"] * 2)
        for _ in range(7):
            with pytest.raises(TransientError, match="planted"):
                connection.call(connection.capabilities())
        with pytest.raises(TransientError, match="failed 2 times in a row and is paused: UNAVAILABLE: planted"):
            connection.call(connection.capabilities())
    assert farm.calls["GetCapabilities"] == 7


def test_a_server_that_hangs_is_given_up():
    released = threading.Event()
    with serving() as farm, Connection(address_of(farm, limits=Limits(call=0.3, persistence=QUICK.persistence))) as it:
        farm.faults["GetCapabilities"].append(lambda request, context: released.wait(10) and None)
        before = time.monotonic()
        try:
            with pytest.raises(TransientError, match="no answer within the time for a call"):
                it.call(it.capabilities())
            assert time.monotonic() - before < 3
        finally:
            released.set()


def test_nobody_there_is_a_transient_error():
    with pytest.raises(TransientError, match=r"grpc://127\.0\.0\.1:1: UNAVAILABLE"):
        ask(RemoteAddress(target="127.0.0.1:1", limits=QUICK))


def test_a_session_that_ends_does_not_wait(farm):
    released = threading.Event()
    ends = threading.Event()
    with Connection(address_of(farm), ends.is_set) as connection:
        farm.faults["GetCapabilities"].append(lambda request, context: released.wait(10) and None)
        threading.Timer(0.2, ends.set).start()
        before = time.monotonic()
        try:
            with pytest.raises(CancelledError):
                connection.call(connection.capabilities())
            assert time.monotonic() - before < 2
        finally:
            released.set()


def test_closing_ends_what_a_coroutine_left_behind(farm):
    started = []

    async def leave():
        async def wait():
            started.append(asyncio.current_task())
            await asyncio.sleep(60)

        started.extend([asyncio.ensure_future(wait()) for _ in range(100)])
        await asyncio.sleep(0)

    with Connection(address_of(farm)) as connection:
        connection.call(leave())
    assert len(started) == 200
    assert all(task.cancelled() for task in started)


def test_closing_ends_what_is_in_flight_and_leaves_no_thread(farm):
    released = threading.Event()
    farm.faults["GetCapabilities"].append(lambda request, context: released.wait(10) and None)
    connection = Connection(address_of(farm))
    future = connection.submit(connection.capabilities())
    wait_until(lambda: farm.calls["GetCapabilities"] == 1)
    before = time.monotonic()
    connection.close()
    connection.close()
    released.set()
    assert future.cancelled()
    assert time.monotonic() - before < 3
    assert not [thread for thread in threading.enumerate() if thread.name == "ftc-farm"]
    with pytest.raises(CancelledError):
        connection.call(connection.capabilities())
