"""``ftc publish`` and ``ftc fetch`` with a real registry, Debian's docker-registry."""

import hashlib
import json
import stat

import pytest
from publishing import FILES, make_project
from services.conftest import start

from pytest_ftc.integrations.registry.documents import ARTIFACT, EXPIRES
from pytest_ftc.integrations.registry.outputs import opened_outputs
from pytest_ftc.integrations.registry.proofs import find_proofs
from pytest_ftc.integrations.registry.publishing import publish
from pytest_ftc.integrations.registry.referrers import put_manifest
from pytest_ftc.integrations.registry.remote import opened, parse_reference
from pytest_ftc.model import Verdict

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def app(tmp_path):
    return make_project(tmp_path / "app")


def digest_in(printed: str) -> str:
    return "sha256:" + printed.partition("@sha256:")[2][:64]


def test_what_is_published_is_fetched_and_verified(registry, app, ftc, tmp_path):
    ref = f"{registry.host}/round/trip:1.0"
    said = ftc("publish", "app", ref, *app.arguments)
    assert said.count(": pushed") == 2
    assert said.count(": attached") == 3
    again = ftc("publish", "app", ref, *app.arguments)
    assert again.count(": was there already") == 2
    assert again.count(": was attached already") == 3
    assert digest_in(again) == digest_in(said)
    manifest = registry.get("round/trip/manifests/1.0", MANIFEST)
    assert manifest["artifactType"] == ARTIFACT
    assert [layer["annotations"]["org.opencontainers.image.title"] for layer in manifest["layers"]] == [
        "app.tar.gz",
        "app.whl",
    ]
    index = registry.get(f"round/trip/manifests/{digest_in(said).replace(':', '-')}", INDEX)
    assert len(index["manifests"]) == 3
    fetched = ftc("fetch", f"oci:{ref}", "-p", app.policy, "-o", tmp_path / "new" / "out")
    assert fetched.count("✔ accepted") == 2
    assert "verified: digests, signatures, policy" in fetched
    out = tmp_path / "new" / "out"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        name.removeprefix("dist/"): data for name, data in FILES.items()
    }
    assert stat.S_IMODE((out / "app.whl").stat().st_mode) & 0o777 == 0o644
    # Once more: what is there already is left as it is.
    ftc("fetch", ref, "-p", app.policy, "-o", out)


def test_the_digest_alone_is_enough_and_a_tag_alone_is_not(registry, app, ftc, tmp_path):
    ref = f"{registry.host}/pinned:1.0"
    digest = digest_in(ftc("publish", "app", ref, *app.arguments))
    assert "give --policy, or the digest" in ftc("fetch", ref, "-o", tmp_path / "out", status=2)
    said = ftc("fetch", f"{registry.host}/pinned@{digest}", "-o", tmp_path / "out")
    assert "verified: only digests: without --policy, no signature is" in said
    found = json.loads(ftc("fetch", f"{ref}@{digest}", "-o", tmp_path / "out", "--json"))
    assert (found["fetched"], found["policy"]) == (True, False)
    assert found["files"]["app.whl"]["sha256"] == hashlib.sha256(FILES["dist/app.whl"]).hexdigest()


def test_what_a_policy_refuses_leaves_nothing(registry, app, ftc, tmp_path):
    ref = f"{registry.host}/refused:1.0"
    ftc("publish", "app", ref, *app.arguments)
    app.require("operators = 2")
    said = ftc("fetch", ref, "-p", app.policy, "-o", tmp_path / "out" / "deep", status=1)
    assert "operators: found 1, required 2" in said
    assert not (tmp_path / "out").exists()
    result = json.loads(ftc("fetch", ref, "-p", app.policy, "-o", tmp_path / "out", "--json", status=1))
    assert not result["fetched"]
    assert not result["files"]["app.whl"]["accepted"]


def test_other_contents_at_the_place_are_never_replaced(registry, app, ftc, tmp_path):
    ref = f"{registry.host}/occupied:1.0"
    ftc("publish", "app", ref, *app.arguments)
    out = tmp_path / "out"
    out.mkdir()
    (out / "app.whl").symlink_to(app.folder / "dist" / "app.whl")
    assert "app.whl is there already, with another content" in ftc("fetch", ref, "-p", app.policy, "-o", out, status=2)
    (out / "app.whl").unlink()
    (out / "app.whl").write_text("mine")
    ftc("fetch", ref, "-p", app.policy, "-o", out, status=2)
    assert [path.name for path in out.iterdir()] == ["app.whl"]
    assert (out / "app.whl").read_text() == "mine"


@pytest.mark.parametrize(
    "change",
    [lambda data: data[:-1] + b"X", lambda data: data + b"X", lambda data: data[:-1]],
    ids=["other", "longer", "shorter"],
)
def test_an_altered_content_is_refused_by_reader_and_writer(registry, ftc, tmp_path, change):
    app = make_project(tmp_path / "app", {"dist/app.whl": b"own bytes %d\n" % id(change)})
    ref = f"{registry.host}/altered:1.0"
    ftc("publish", "app", ref, *app.arguments)
    sha256 = app.verification.builds[0].outputs[0].sha256
    blob = registry.blob(sha256)
    blob.write_bytes(change(blob.read_bytes()))
    said = ftc("fetch", ref, "-p", app.policy, "-o", tmp_path / "out", status=1)
    assert "✘ refused" in said
    assert not (tmp_path / "out").exists()
    assert "✘ refused" in ftc("publish", "app", ref, *app.arguments, status=1)


def test_an_altered_manifest_is_refused(registry, ftc, tmp_path):
    app = make_project(tmp_path / "app", {"dist/app.whl": b"of an altered manifest\n"})
    ref = f"{registry.host}/forged:1.0"
    digest = digest_in(ftc("publish", "app", ref, *app.arguments))
    blob = registry.blob(digest)
    blob.write_bytes(blob.read_bytes().replace(b'"app.whl"', b'"app.exe"'))
    for reference in (ref, f"{registry.host}/forged@{digest}"):
        ftc("fetch", reference, "-p", app.policy, "-o", tmp_path / "out", status=1)
    assert not (tmp_path / "out").exists()


def test_a_tag_that_was_moved_to_another_artifact_is_refused(registry, app, ftc, tmp_path):
    """Its bytes are attested by the same key, under another name."""
    other = make_project(tmp_path / "other", {"dist/tool.whl": b"another wheel\n"}, keys=app.folder / "keys")
    evil = make_project(tmp_path / "evil", {"dist/app.whl": b"another wheel\n"}, keys=app.folder / "keys")
    for path in evil.folder.glob("attestations/*"):
        path.write_bytes((other.folder / "attestations" / path.name).read_bytes())
    ref = f"{registry.host}/moved:1.0"
    before = digest_in(ftc("publish", "app", ref, *app.arguments))
    said = ftc("publish", "app", ref, *evil.arguments)
    assert f"the tag 1.0 was {before} before" in said
    assert "its bytes are attested as tool.whl" in ftc("fetch", ref, "-p", app.policy, "-o", tmp_path / "out", status=1)
    unattested = make_project(tmp_path / "unattested", {"dist/app.whl": b"nobody's\n"})
    ftc("publish", "app", ref, *unattested.arguments)
    said = ftc("fetch", ref, "-p", app.policy, "-o", tmp_path / "out", status=1)
    assert "no attestation that a trusted key has signed is about it" in said
    assert not (tmp_path / "out").exists()
    # Whoever has the digest gets what it is of.
    ftc("fetch", f"{ref}@{before}", "-p", app.policy, "-o", tmp_path / "out")


def test_an_unreproducible_artifact_is_published_only_on_purpose(registry, ftc, tmp_path):
    bad = make_project(tmp_path / "bad", verdict=Verdict.UNREPRODUCIBLE)
    ref = f"{registry.host}/bad:1.0"
    assert "its verdict is unreproducible" in ftc("publish", "app", ref, *bad.arguments, status=1)
    assert registry.get("bad/tags/list") is None
    said = ftc("publish", "app", ref, *bad.arguments, "--unverified", "needed \x1b[31mtoday")
    assert "not verified: unreproducible: needed \\x1b[31mtoday" in said
    assert "app.parity.dsse.json: attached" in said
    said = ftc("fetch", ref, "-p", bad.policy, "-o", tmp_path / "out", status=1)
    assert "attested as not reproducible" in said
    assert "published although it was not verified: unreproducible: needed \\x1b[31mtoday" in said
    assert not (tmp_path / "out").exists()


def test_only_the_verified_bytes_are_published(registry, app, ftc, tmp_path):
    ref = f"{registry.host}/changed:1.0"
    (app.folder / "dist" / "app.whl").write_bytes(b"changed\n")
    said = ftc("publish", "app", ref, *app.arguments, status=1)
    assert "dist/app.whl was changed since it was verified" in said
    assert registry.get("changed/tags/list") is None
    from pytest_ftc.store.cas import LocalStore

    store = LocalStore(app.folder / "store")
    store.put(FILES["dist/app.whl"])
    store.close()
    assert "dist/app.whl: from the store; " in ftc("publish", "app", ref, *app.arguments)
    ftc("fetch", ref, "-p", app.policy, "-o", tmp_path / "out")
    assert (tmp_path / "out" / "app.whl").read_bytes() == FILES["dist/app.whl"]


def test_attestations_must_be_signed_and_about_these_bytes(registry, app, ftc):
    ref = f"{registry.host}/unsigned:1.0"
    folder = app.folder / "attestations"
    envelope = json.loads((folder / "app.parity.dsse.json").read_text())
    (folder / "app.parity.dsse.json").write_text(json.dumps({**envelope, "signatures": []}))
    assert "no signed attestation in" in ftc("publish", "app", ref, *app.arguments, status=1)
    said = ftc("publish", "app", ref, *app.arguments, "--unsigned")
    assert "nobody has signed that it is reproducible" in said
    assert "app.parity.dsse.json" not in said


def test_nothing_with_a_secret_is_published(registry, ftc, tmp_path):
    leaky = make_project(tmp_path / "leaky", leaks=("TOKEN is in dist/app.whl",))
    ref = f"{registry.host}/leaky:1.0"
    for more in ((), ("--unverified", "I want to")):
        said = ftc("publish", "app", ref, *leaky.arguments, *more, status=1)
        assert "a secret would be published: TOKEN is in dist/app.whl" in said


def test_a_private_registry_gets_its_password(private_registry, app, ftc, tmp_path, monkeypatch):
    from services.conftest import PASSWORD, USER

    ref = f"{private_registry.host}/private:1.0"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / ".docker"))
    assert "denies access; log in to it" in ftc("publish", "app", ref, *app.arguments, status=2)
    import base64

    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {private_registry.host: {"auth": auth}}}))
    said = ftc("publish", "app", ref, *app.arguments)
    said += ftc("fetch", ref, "-p", app.policy, "-o", tmp_path / "out")
    assert PASSWORD not in said
    assert auth not in said


def test_empty_and_small_files_are_published_too(registry, ftc, tmp_path):
    app = make_project(tmp_path / "app", {"empty": b"", "one": b"1"})
    ref = f"{registry.host}/small:1.0"
    ftc("publish", "app", ref, *app.arguments)
    ftc("fetch", ref, "-p", app.policy, "-o", tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {"empty": b"", "one": b"1"}


def publish_expiring(registry, app, tag, expires):
    image = parse_reference(f"{registry.host}/{tag}")
    digests = {one.sha256 for one in app.verification.builds[0].outputs}
    documents = find_proofs(app.folder / "attestations", digests, "app", Verdict.REPRODUCIBLE)
    with opened_outputs(app.verification, app.folder, app.folder) as contents, opened(image) as remote:
        return publish(remote, contents, documents.documents, {EXPIRES: expires} if expires else {}).digest


def test_what_is_past_its_date_is_listed_and_removed_with_all_that_refers_to_it(registry, app, ftc):
    repository = f"{registry.host}/nightly"
    old = publish_expiring(registry, app, "nightly:old", "2020-01-02T00:00:00Z")
    kept = {
        "for-ever": publish_expiring(registry, app, "nightly:for-ever", ""),
        "new": digest_in(ftc("publish", "app", f"{repository}:new", *app.arguments, "--expire", "90d")),
    }
    # The tag of an expired one may name another artifact by now.
    moved = publish_expiring(registry, app, "nightly:for-ever", "2021-01-01T00:00:00Z")
    publish_expiring(registry, app, "nightly:for-ever", "")
    index = registry.get(f"nightly/manifests/{old.replace(':', '-')}", INDEX)
    listed = ftc("publish", "--expired", repository)
    assert f"expired 2020-01-02T00:00:00Z  {old} (old)" in listed
    assert f"expired 2021-01-01T00:00:00Z  {moved}\n" in listed
    assert listed.count("expired ") == 2
    rows = json.loads(ftc("publish", "--expired", repository, "--json"))["expired"]
    assert {"digest": old, "tags": ["old"], "expired": "2020-01-02T00:00:00Z"} in rows
    removed = ftc("publish", "--remove-expired", repository)
    assert removed.count("removed 202") == 2
    assert len(index["manifests"]) == 3
    for gone in (old, moved, *(one["digest"] for one in index["manifests"])):
        assert registry.get(f"nightly/manifests/{gone}", MANIFEST) is None
    for digest in (old, moved):
        assert registry.get(f"nightly/manifests/{digest.replace(':', '-')}", INDEX) is None
    for tag, digest in kept.items():
        ftc("fetch", f"{repository}:{tag}@{digest}", "-p", app.policy, "-o", app.folder / "out")
    assert "nothing has expired" in ftc("publish", "--expired", repository)


def test_what_others_list_in_the_index_of_an_expired_one_is_not_removed(registry, app, ftc):
    """Whoever may push can write anything into the index."""
    repository = f"{registry.host}/trap"
    release = publish_expiring(registry, app, "trap:release", "")
    old = publish_expiring(registry, app, "trap:old", "2020-01-02T00:00:00Z")
    tag = old.replace(":", "-")
    index = registry.get(f"trap/manifests/{tag}", INDEX)
    index["manifests"].append({"mediaType": MANIFEST, "digest": release, "size": 1})
    with opened(parse_reference(f"{repository}:x")) as remote:
        remote.ask(lambda client: put_manifest(client, tag, json.dumps(index).encode(), INDEX))
    ftc("publish", "--remove-expired", repository)
    assert registry.get(f"trap/manifests/{old}", MANIFEST) is None
    ftc("fetch", f"{repository}:release", "-p", app.policy, "-o", app.folder / "out")


def test_a_registry_that_permits_no_removal_is_an_error(tmp_path_factory, app, ftc):
    for registry in start(tmp_path_factory.mktemp("kept"), deletes=False):
        publish_expiring(registry, app, "kept:old", "2020-01-02T00:00:00Z")
        said = ftc("publish", "--remove-expired", f"{registry.host}/kept", status=2)
        assert "the registry permits no removal" in said
        assert "(old)" in ftc("publish", "--expired", f"{registry.host}/kept")


def test_expired_artifacts_of_a_repository_that_is_not_there(registry, ftc):
    assert "there is no such content in the registry" in ftc("publish", "--expired", f"{registry.host}/none", status=2)
