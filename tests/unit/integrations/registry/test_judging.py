"""Whether a policy accepts an artifact by its manifest: also by 2,000 altered ones."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from attestations import signed_by
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from publishing import make_project

from pytest_ftc.attestation.envelope import Envelope, EnvelopeSignature
from pytest_ftc.attestation.parity import make_parity
from pytest_ftc.attestation.policy import load_policy
from pytest_ftc.attestation.provenance import Builder
from pytest_ftc.attestation.statement import Subject
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.key_files import KeyFolder
from pytest_ftc.integrations.registry.documents import Part, make_artifact
from pytest_ftc.integrations.registry.judging import Outcome, judge_artifact
from pytest_ftc.integrations.registry.manifest import Layer, RefusedError, read_manifest


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("app") / "app")


@pytest.fixture(scope="module")
def files(app):
    outputs = app.verification.builds[0].outputs
    return {PurePosixPath(one.path).name: Layer(f"sha256:{one.sha256}", one.size) for one in outputs}


@pytest.fixture(scope="module")
def judge(app):
    policy = load_policy(app.folder / "policy.toml")
    documents = [(path.name, path.read_bytes()) for path in sorted((app.folder / "attestations").iterdir())]
    return lambda chosen, more=(): judge_artifact(chosen, [*documents, *more], policy)


def test_all_files_must_be_attested_under_their_names(files, judge):
    assert judge(files).accepted
    first, second = files.items()
    swapped = {first[0]: second[1], second[0]: first[1]}
    assert not judge(swapped).accepted
    assert judge(swapped).judgements[first[0]].problems == (f"its bytes are attested as {second[0]}",)
    assert not judge({**files, "more": Layer("sha256:" + "0" * 64, 1)}).accepted
    assert not Outcome({}, ()).accepted


def test_one_key_of_several_cannot_give_a_file_another_name(tmp_path):
    """Two operators attest the draft under its name; one of them says that it is the release as well."""
    app = make_project(tmp_path / "app", {"draft.whl": b"a draft"})
    keys = KeyFolder(app.folder / "keys")
    keys.new("other", "ed25519", "them")
    app.require("operators = 2")
    policy = load_policy(app.folder / "policy.toml")
    parity = make_parity(app.verification, Builder(id="https://other.example/", version="1"))
    sha256 = parity.subjects[0].digest["sha256"]
    renamed = replace(parity, subjects=(Subject("release.whl", {"sha256": sha256}),))
    documents = [("ours", (app.folder / "attestations/app.parity.dsse.json").read_bytes())]
    documents += [
        (name, signed_by(keys, "other", statement=one).encode()) for name, one in (("x", parity), ("y", renamed))
    ]
    layer = Layer(f"sha256:{sha256}", 7)
    assert judge_artifact({"draft.whl": layer}, documents, policy).accepted
    outcome = judge_artifact({"release.whl": layer}, documents, policy)
    assert outcome.judgements["release.whl"].problems == (
        "its bytes are attested as draft.whl",
        "operators: found 1, required 2",
    )


def test_signatures_are_bounded_over_all_documents(files, judge):
    """Trying each with each key took minutes."""
    line = Envelope("x", b"", (EnvelopeSignature("", b"\1" * 64),) * 64).encode()
    with pytest.raises(DocumentError, match="more than 5000 signatures"):
        judge(files, [(f"{number}", b"\n".join([line] * 20)) for number in range(4)])


def test_what_cannot_be_read_is_named(files, judge):
    outcome = judge(files, [("x", b"{"), ("y", b"\xff")])
    assert outcome.accepted
    assert [text[:3] for text in outcome.unreadable] == ["x: ", "y: "]


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_altered_manifest_has_other_files_accepted(files, judge, data):
    manifest = bytearray(make_artifact([Part(title=name, layer=layer) for name, layer in files.items()], {}))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(manifest) - 1))
        kind = data.draw(st.sampled_from(("set", "remove", "copy")))
        if kind == "set":
            manifest[place] = data.draw(st.sampled_from(b'0123456789abcdef"{}[]:,./\\ '))
        elif kind == "remove":
            del manifest[place : place + data.draw(st.integers(1, 40))]
        else:
            manifest[place:place] = manifest[place : place + data.draw(st.integers(1, 400))]
    try:
        found = read_manifest(bytes(manifest), 1 << 20)
    except RefusedError:
        return
    if judge(found).accepted:
        # What is left is attested, byte for byte and by name.
        assert {name: layer.digest for name, layer in found.items()}.items() <= {
            name: layer.digest for name, layer in files.items()
        }.items()
