"""References to artifacts in OCI registries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.oci_reference import ImageName, is_image, parse_image

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest", "target"),
    [
        ("oci:registry.example.org/app:1.0", "registry.example.org", "app", "1.0", "", "registry.example.org/app:1.0"),
        ("oci://host:5000/a/b-c:T_1", "host:5000", "a/b-c", "T_1", "", "host:5000/a/b-c:T_1"),
        (f"oci:host/app@{DIGEST}", "host", "app", "", DIGEST, f"host/app@{DIGEST}"),
        (f"oci:host/app:1@{DIGEST}", "host", "app", "1", DIGEST, f"host/app@{DIGEST}"),
        ("oci:[::1]:5000/app:1", "[::1]:5000", "app", "1", "", "[::1]:5000/app:1"),
    ],
)
def test_the_parts_of_a_reference(text, registry, repository, tag, digest, target):
    name = parse_image(text)
    assert name and (name.registry, name.repository, name.tag, name.digest) == (registry, repository, tag, digest)
    assert name.target == target


@pytest.mark.parametrize(
    ("text", "plain", "local"),
    [
        ("oci:example.org/app:1", False, False),
        ("oci+http:example.org/app:1", True, False),
        ("oci:localhost:5000/app:1", True, True),
        ("oci:127.0.0.1/app:1", True, True),
        ("oci:[::1]/app:1", True, True),
        ("oci:localhost.example.org/app:1", False, False),
        ("oci:127.0.0.1.example.org/app:1", False, False),
    ],
)
def test_only_a_registry_on_this_machine_or_one_that_is_asked_for_is_read_without_tls(text, plain, local):
    name = parse_image(text)
    assert name and (name.plain, name.local) == (plain, local)


@pytest.mark.parametrize(
    "text",
    [
        "oci:host/app",
        "oci:app:1",
        "oci:host/App:1",
        "oci:host/app:",
        "oci:host/app:-1",
        f"oci:host/app:{'x' * 129}",
        "oci:host/app@sha256:0a",
        "oci:host/../app:1",
        "oci:host//app:1",
        "oci:-host/app:1",
        "oci:host:123456/app:1",
        "oci:user@host/app:1",
        "oci:host/app:1?query",
        "oci:host/app:1\n",
        "oci+https:host/app:1",
        "docker:host/app:1",
    ],
)
def test_what_is_no_complete_reference_is_refused(text):
    assert parse_image(text) is None


@given(
    st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,2}(:[0-9]{2,5})?", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,2}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True),
)
def test_the_target_is_a_reference_to_the_same(registry, repository, tag):
    name = parse_image(f"oci:{registry}/{repository}:{tag}")
    assert name is not None
    assert parse_image(f"oci://{name.target}") == name


@given(st.text(max_size=40))
def test_no_text_is_read_beyond_its_grammar(text):
    name = parse_image(f"oci:{text}")
    assert name is None or isinstance(name, ImageName)
    assert is_image(f"oci:{text}") and is_image(f"oci+{text}")
    assert is_image(text) == (text[:4] in ("oci:", "oci+"))
