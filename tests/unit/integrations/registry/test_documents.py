"""Manifests: equal contents have equal ones."""

import json

import pytest

from pytest_ftc.integrations.registry.documents import (
    Document,
    Part,
    describe_referrer,
    layer_of,
    make_artifact,
    make_referrer,
)
from pytest_ftc.integrations.registry.manifest import Layer, RefusedError, read_annotations, read_manifest

PARTS = [Part(title=name, layer=layer_of(name.encode())) for name in ("b", "a")]


def test_the_order_of_the_files_makes_no_difference():
    manifest = make_artifact(PARTS, {"y": "1", "x": "2"})
    assert manifest == make_artifact(PARTS[::-1], {"x": "2", "y": "1"})
    assert list(read_manifest(manifest, 10)) == ["a", "b"]
    assert read_annotations(manifest) == {"x": "2", "y": "1"}
    empty = json.loads(manifest)["config"]
    # The descriptor of the image specification.
    assert empty["digest"] == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert (empty["mediaType"], empty["size"]) == ("application/vnd.oci.empty.v1+json", 2)


def test_a_referrer_names_its_subject_and_its_type():
    subject = make_artifact(PARTS, {})
    document = Document(title="a.json", media_type="text/x", data=b"{}", annotations={"k": "v"})
    manifest = make_referrer(document, subject)
    assert json.loads(manifest)["subject"]["digest"] == layer_of(subject).digest
    assert json.loads(manifest)["subject"]["size"] == len(subject)
    descriptor = describe_referrer(document, manifest)
    assert descriptor["artifactType"] == json.loads(manifest)["artifactType"] == "text/x"
    assert descriptor["annotations"] == {"k": "v"}


@pytest.mark.parametrize(
    "layer",
    [
        {"digest": "sha256:" + "../" * 21 + "a", "size": 1},
        {"digest": "sha256:" + "A" * 64, "size": 1},
        {"digest": "sha512:" + "a" * 64, "size": 1},
        {"digest": "sha256:" + "a" * 64, "size": -1},
        {"digest": "sha256:" + "a" * 64, "size": float("inf")},
        {"digest": "sha256:" + "a" * 64},
    ],
)
def test_a_layer_needs_a_digest_and_a_size(layer):
    titled = {**layer, "annotations": {"org.opencontainers.image.title": "a"}}
    with pytest.raises(RefusedError):
        read_manifest(json.dumps({"layers": [titled]}).encode(), 10)


def test_annotations_that_are_no_text_are_passed_over():
    assert read_annotations(b'{"annotations": {"a": 1, "b": "2"}}') == {"b": "2"}
    assert read_annotations(b"{}") == {}
    for data in (b"[]", b"{", b'{"annotations": []}' * 2, b'{"annotations": [1]}'):
        with pytest.raises(RefusedError):
            read_annotations(data)
    assert Layer("a", 1) == Layer("a", 1)
