"""References on the command line, and waits that a service asks for."""

import time

import pytest

from pytest_ftc.integrations.registry.remote import parse_reference, parse_repository
from pytest_ftc.integrations.retry import Persistence, Service, ServiceError
from pytest_ftc.model.errors import ConfigurationError

DIGEST = "sha256:" + "0" * 64


def test_references_have_a_tag_or_a_digest():
    image = parse_reference("registry.example.org/team/app:1.0")
    assert (image.registry, image.repository, image.tag, image.plain) == (
        "registry.example.org",
        "team/app",
        "1.0",
        False,
    )
    assert parse_reference(f"oci:localhost:5000/app@{DIGEST}").digest == DIGEST
    assert parse_reference("oci+http:intranet:5000/app:1").plain
    for text in ("app:1.0", "registry.example.org/app", "registry.example.org/App:1", "", "a/b:\x1b", "a/b:1@sha256:0"):
        with pytest.raises(ConfigurationError, match="expected a reference such as"):
            parse_reference(text)


def test_repositories_have_none():
    assert parse_repository("localhost:5000/team/app").repository == "team/app"
    for text in ("localhost:5000/app:1.0", f"localhost:5000/app@{DIGEST}", "app", ""):
        with pytest.raises(ConfigurationError, match="expected a repository such as"):
            parse_repository(text)


def calls_of(*faults: ServiceError, **persistence: float) -> tuple[int, float]:
    """Return how often a service was called that fails so, and for how many seconds."""
    service, left, count = Service(Persistence(first_wait=0.01, **persistence), lambda: False), list(faults), [0]

    def answer() -> str:
        count[0] += 1
        if left:
            raise left.pop(0)
        return "well"

    began = time.monotonic()
    try:
        assert service.call(answer) == "well"
    except ServiceError:
        assert faults
    return count[0], time.monotonic() - began


def test_a_service_that_asks_for_a_wait_gets_it():
    count, seconds = calls_of(ServiceError("busy", passing=True, after=0.5))
    assert count == 2
    assert 0.5 <= seconds < 5


def test_a_service_that_asks_for_too_long_a_wait_is_left_alone():
    count, seconds = calls_of(ServiceError("busy", passing=True, after=61))
    assert count == 1
    assert seconds < 5
