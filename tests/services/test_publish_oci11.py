"""``ftc publish`` and ``ftc fetch`` with the referrers API, and with registries that lie, drop and break."""

import hashlib
import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from publishing import FILES, make_project
from services.oci_server import Answer, oci_server
from services.test_publish import digest_in

from pytest_ftc.integrations.registry.documents import ARTIFACT, EXPIRES, layer_of
from pytest_ftc.integrations.registry.outputs import opened_outputs
from pytest_ftc.integrations.registry.publishing import publish
from pytest_ftc.integrations.registry.referrers import list_referrers
from pytest_ftc.integrations.registry.remote import RegistryError, opened, parse_reference
from pytest_ftc.integrations.registry.session import Bounds
from pytest_ftc.integrations.registry.upload import CHUNK, upload
from pytest_ftc.integrations.retry import Persistence

QUICK = Bounds(connect=1, read=1, start=5, persistence=Persistence(attempts=4, failures=4, first_wait=0.01))


@pytest.fixture
def server():
    with oci_server() as contents:
        yield contents


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("app") / "app")


@pytest.fixture
def published(server, app, ftc):
    """The reference of what was published."""
    ref = f"{server.host}/team/app:1.0"
    ftc("publish", "app", ref, *app.arguments)
    server.seen.clear()
    return ref


def fetch(ftc, app, ref, folder, status):
    said = ftc("fetch", ref, "-p", app.policy, "-o", folder, status=status)
    assert not (folder.exists() and status), list(folder.iterdir())
    assert "\x1b" not in said
    return said


def test_referrers_are_listed_by_the_api_over_all_pages(server, app, ftc, tmp_path):
    ref = f"{server.host}/team/app:1.0"
    said = ftc("publish", "app", ref, *app.arguments)
    assert said.count(": attached") == 3
    assert list(server.tags) == ["1.0"]
    again = ftc("publish", "app", ref, *app.arguments)
    assert again.count(": was attached already") == 3
    assert digest_in(again) == digest_in(said)
    server.seen.clear()
    fetch(ftc, app, ref, tmp_path / "out", 0)
    # Three envelopes are on two pages, and no bundles on one.
    assert sum("/referrers/" in one for one in server.seen) == 3
    assert (tmp_path / "out" / "app.whl").read_bytes() == FILES["dist/app.whl"]


def test_the_tag_comes_last(server, app, ftc):
    ftc("publish", "app", f"{server.host}/team/app:1.0", *app.arguments)
    puts = [one for one in server.seen if one.startswith("PUT") and "/manifests/" in one]
    assert [one.endswith("/manifests/1.0") for one in puts] == [False] * 4 + [True]


def test_an_upload_goes_on_behind_what_arrived(server):
    data = os.urandom(2 * CHUNK + 1000)
    sent = []

    def read(offset, size):
        sent.append(offset)
        return data[offset : offset + size]

    server.cuts = [CHUNK // 2, 1000, 0]
    with opened(parse_reference(f"{server.host}/cut:1.0"), QUICK) as remote:
        assert upload(remote, layer_of(data), read)
    assert server.blobs == {layer_of(data).digest: data}
    assert sent[:4] == [0, CHUNK // 2, CHUNK // 2 + 1000, CHUNK // 2 + 1000]
    assert sum(one.startswith("POST") for one in server.seen) == 1


def test_chunks_are_as_large_as_the_registry_asks(server):
    data = os.urandom(CHUNK + CHUNK // 2)
    server.least = 2 * CHUNK
    with opened(parse_reference(f"{server.host}/least:1.0"), QUICK) as remote:
        assert upload(remote, layer_of(data), lambda offset, size: data[offset : offset + size])
    assert sum(one.startswith("PATCH") for one in server.seen) == 1


def test_an_upload_without_progress_ends(server):
    server.fault = lambda handler: Answer(416) if handler.command == "PATCH" else None
    lost = pytest.raises(RegistryError, match="the registry lost the upload 6 times")
    with lost, opened(parse_reference(f"{server.host}/stuck:1.0"), QUICK) as remote:
        upload(remote, layer_of(b"12"), lambda offset, size: b"12"[offset:])
    assert len(server.seen) < 50


def test_a_file_that_changes_during_the_upload_is_not_published(server):
    refused = pytest.raises(RegistryError, match="the registry received other bytes than those of sha256:")
    with refused, opened(parse_reference(f"{server.host}/changed:1.0"), QUICK) as remote:
        upload(remote, layer_of(b"12"), lambda offset, size: b"21"[offset:])
    assert server.blobs == {}


def test_faults_that_pass_are_outlasted(server, app, ftc):
    count = [0]

    def fault(handler):
        count[0] += 1
        if count[0] % 5 == 0:
            return Answer(503)
        return Answer(429, {"Retry_After": "1"}) if count[0] == 2 else None

    server.fault = fault
    began = time.monotonic()
    said = ftc("publish", "app", f"{server.host}/team/app:1.0", *app.arguments)
    assert said.count(": pushed") == 2
    assert time.monotonic() - began >= 1


def test_a_registry_that_is_ill_for_good_is_an_error(server, app):
    server.fault = lambda handler: Answer(500, body=b"\x1b[31mhidden")
    outputs = opened_outputs(app.verification, app.folder, app.folder)
    ill = pytest.raises(RegistryError, match=r"team/app:1\.0: the registry answered with status 500$")
    with outputs as contents, opened(parse_reference(f"{server.host}/team/app:1.0"), QUICK) as remote, ill:
        publish(remote, contents, [], {})


LOCATION = "http://169.254.0.1/secret?sig=hidden"


@pytest.mark.parametrize(
    ("broken", "answer", "told"),
    [
        ("POST", Answer(202, {"Location": LOCATION}), "it refers to another host (169.254.0.1)"),
        ("POST", Answer(202), "it refers to another host"),
        ("POST", Answer(307, {"Location": LOCATION}), "it refers to 169.254.0.1 over plain HTTP"),
        (
            "PATCH",
            Answer(307, {"Location": "https://169.254.0.1/?sig=hidden"}),
            "it refers to another host (169.254.0.1)",
        ),
        ("POST", Answer(401), "the registry denies access"),
        ("POST", Answer(403), "the registry denies access"),
        ("PATCH", Answer(400, body=b'{"errors": [{"code": "SIZE_INVALID"}]}'), "status 400 (SIZE_INVALID)"),
        ("PATCH", Answer(413), "status 413"),
        ("PUT", Answer(405), "status 405"),
    ],
)
def test_an_answer_to_an_upload_that_is_none_is_refused(server, broken, answer, told):
    server.fault = lambda handler: answer if handler.command == broken else None
    with opened(parse_reference(f"{server.host}/odd:1.0"), QUICK) as remote, pytest.raises(RegistryError) as raised:
        upload(remote, layer_of(b"12"), lambda offset, size: b"12"[offset:])
    assert told in str(raised.value)
    assert "hidden" not in str(raised.value)


def at(path, answer):
    """A fault of the GET requests to a path."""
    return lambda handler: answer if handler.command == "GET" and path in handler.path else None


ENDLESS = {"Transfer_Encoding": "chunked"}
CHUNKS = b"100000\r\n%b\r\n" % bytes(1 << 20) * 8
OTHER = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("path", "answer", "status", "told"),
    [
        ("/manifests/1.0", Answer(200, ENDLESS, CHUNKS), 2, "sends more than 4194304 bytes"),
        ("/manifests/1.0", Answer(200, {"Docker_Content_Digest": OTHER}, b"{}"), 1, "its manifest has the digest"),
        ("/manifests/1.0", Answer(200, {}, b'{"layers": []}'), 2, "it contains no files"),
        ("/manifests/1.0", Answer(302, {"Location": LOCATION}), 2, "over plain HTTP"),
        ("/manifests/1.0", Answer(404), 2, "there is no such manifest"),
        ("/manifests/sha256:", Answer(200, {}, b"{}"), 1, "its manifest has the digest"),
        ("/referrers/", Answer(200, {}, b"["), 2, "the list of its referrers cannot be read"),
        ("/referrers/", Answer(200, {}, b'{"manifests": [{"digest": "../../x"}]}'), 2, "is no index of manifests"),
        ("/referrers/", Answer(200, {}, b'{"manifests": 1}'), 2, "is no index of manifests"),
        ("/referrers/", Answer(200, {"Link": f'<{LOCATION}>; rel="next"'}, b'{"manifests": []}'), 2, "another host"),
        ("/referrers/", Answer(200, {"Link": '</v2/x/referrers/y>; rel="next"'}, b'{"manifests": []}'), 2, "more than 100 pages"),
        ("/referrers/", Answer(200, ENDLESS, CHUNKS), 2, "sends more than 4194304 bytes"),
        ("/blobs/", Answer(200, ENDLESS, CHUNKS), 1, "✘ refused"),
        ("/blobs/", Answer(200, {}, b"other"), 1, "the content does not match the manifest"),
        ("/blobs/", Answer(200, {"Content_Length": "1"}, b""), 2, "the connection to the registry failed"),
        ("/blobs/", Answer(302, {"Location": LOCATION}), 2, "over plain HTTP"),
    ],
)  # fmt: skip
def test_nothing_comes_from_a_registry_that_lies(
    published, server, app, ftc, tmp_path, monkeypatch, path, answer, status, told
):
    monkeypatch.setattr("pytest_ftc.integrations.registry.remote.PATIENT", QUICK)
    server.fault = at(path, answer)
    said = fetch(ftc, app, published, tmp_path / "out", status)
    assert told in said
    assert "hidden" not in said


def test_until_all_is_verified_files_are_in_a_private_folder_only(published, server, app, ftc, tmp_path):
    out, seen = tmp_path / "out", []

    def look(handler):
        if "/blobs/" in handler.path and out.exists():
            seen.append([(path.name[:11], stat.S_IMODE(path.stat().st_mode)) for path in out.iterdir()])

    server.fault = look
    fetch(ftc, app, published, out, 0)
    assert seen == [[(".ftc-fetch-", 0o700)]] * 2
    assert sorted(path.name for path in out.iterdir()) == ["app.tar.gz", "app.whl"]


def test_withheld_attestations_are_no_acceptance(published, server, app, ftc, tmp_path):
    server.fault = at("/referrers/", Answer(200, {}, b'{"manifests": []}'))
    assert "no attestation that a trusted key has signed" in fetch(ftc, app, published, tmp_path / "out", 1)


def attach(server, data, kind="application/vnd.dsse.envelope.v1+json", subject=None):
    """Attach `data` as anybody may who may push; return the digest of its manifest."""
    subject = subject or server.tags["1.0"]
    blob = layer_of(data)
    server.blobs[blob.digest] = data
    layer = {"mediaType": kind, "digest": blob.digest, "size": blob.size}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": kind,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": layer_of(b"{}").digest, "size": 2},
            "layers": [{**layer, "annotations": {"org.opencontainers.image.title": "x.json"}}],
            "subject": {"digest": subject, "size": 1, "mediaType": "x"},
        }
    ).encode()
    server.manifests[layer_of(manifest).digest] = manifest
    server.types[layer_of(manifest).digest] = "application/vnd.oci.image.manifest.v1+json"
    return layer_of(manifest).digest


def test_what_anybody_can_attach_neither_helps_nor_blocks(published, server, app, ftc, tmp_path):
    attach(server, b"[" * 100_000)
    attach(server, b"\x1b[31m")
    attach(server, b"{}", kind="text/plain")
    said = fetch(ftc, app, published, tmp_path / "out", 0)
    assert said.count("not counted: x.json: ") == 2
    # Attestations of another artifact, attached to this one.
    stranger = make_project(tmp_path / "stranger")
    for path in sorted((stranger.folder / "attestations").iterdir()):
        attach(server, path.read_bytes())
    fetch(ftc, app, published, tmp_path / "out", 0)
    said = fetch(ftc, stranger, published, tmp_path / "theirs", 0)
    assert said.count("✔ accepted") == 2


def test_a_negative_attestation_that_others_attach_refuses(published, server, app, ftc, tmp_path):
    from attestations import signed_by

    from pytest_ftc.attestation.parity import make_parity
    from pytest_ftc.attestation.provenance import Builder
    from pytest_ftc.integrations.key_files import KeyFolder
    from pytest_ftc.model import Verdict

    other = make_project(tmp_path / "other", verdict=Verdict.UNREPRODUCIBLE, keys=app.folder / "keys")
    statement = make_parity(other.verification, Builder(id="https://other.example/", version="1"))
    attach(server, signed_by(KeyFolder(app.folder / "keys"), "release", statement=statement).encode())
    assert "attested as not reproducible" in fetch(ftc, app, published, tmp_path / "out", 1)


def test_a_listed_referrer_must_refer_to_the_artifact(published, server, app, ftc, tmp_path):
    other = attach(server, b"{}", subject="sha256:" + "1" * 64)
    entry = {"digest": other, "size": 1, "artifactType": "application/vnd.dsse.envelope.v1+json"}
    server.fault = at("/referrers/", Answer(200, {}, json.dumps({"manifests": [entry]}).encode()))
    assert "is listed as a referrer, and refers to something else" in fetch(ftc, app, published, tmp_path / "out", 2)


def test_too_many_referrers_are_refused(published, server, app, ftc, tmp_path):
    entries = [{"digest": f"sha256:{number:064x}"} for number in range(1001)]
    server.fault = at("/referrers/", Answer(200, {}, json.dumps({"manifests": entries}).encode()))
    assert "it has more than 1000 referrers" in fetch(ftc, app, published, tmp_path / "out", 2)


def test_a_list_that_was_not_filtered_is(published, server, app, ftc, tmp_path):
    """A registry need not know the parameter artifactType, and says so by leaving out a header."""
    attach(server, b"{}", kind="text/plain")
    entries = [{"digest": one, "artifactType": "text/plain"} for one in list(server.manifests)]
    server.fault = at("/referrers/", Answer(200, {}, json.dumps({"manifests": entries}).encode()))
    assert "no attestation that a trusted key has signed" in fetch(ftc, app, published, tmp_path / "out", 1)


def test_expired_ones_are_found_over_all_pages_and_removed_with_their_referrers(server, app, ftc):
    with opened_outputs(app.verification, app.folder, app.folder) as contents:
        for number in range(5):
            image = parse_reference(f"{server.host}/nightly:{number}")
            with opened(image, QUICK) as remote:
                past = {EXPIRES: f"202{number}-01-01T00:00:00Z"} if number != 2 else {}
                publish(remote, contents, [], past)
    kept = server.tags["2"]
    attach(server, b"{}", subject=server.tags["4"])
    assert ftc("publish", "--expired", f"{server.host}/nightly").count("expired ") == 4
    ftc("publish", "--remove-expired", f"{server.host}/nightly")
    assert server.tags == {"2": kept}
    assert list(server.manifests) == [kept]
    assert json.loads(server.manifests[kept])["artifactType"] == ARTIFACT


def test_listing_referrers_takes_the_tag_where_there_is_no_api(server):
    server.fault = lambda handler: Answer(404) if "/referrers/" in handler.path else None
    with opened(parse_reference(f"{server.host}/old:1.0"), QUICK) as remote:
        found = list_referrers(remote, "sha256:" + "0" * 64)
    assert (found.descriptors, found.is_tagged) == ((), True)


def test_without_the_extra_one_line_names_it(app, tmp_path):
    (tmp_path / "oras.py").write_text("raise ModuleNotFoundError('not installed')")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for arguments in (["publish", "app", "localhost:1/app:1", *app.arguments], ["fetch", f"localhost:1/app@{OTHER}"]):
        command = [sys.executable, "-m", "pytest_ftc", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
        assert done.returncode == 2
        assert done.stderr == "ftc: registries need the extra 'oci': pip install 'pytest-ftc[oci]'\n"
    assert hashlib.sha256(b"").hexdigest() in layer_of(b"").digest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["publish"], "name ARTIFACT and REF, or give either --expired or --remove-expired"),
        (["publish", "app"], "name where to publish it"),
        (["publish", "app", "x"], "expected a reference such as registry.example.org/team/app:1.0"),
        (["publish", "app", "h/a:1", "--expired", "h/a"], "name ARTIFACT and REF, or give either"),
        (["publish", "--expired", "h/a:1"], "expected a repository such as registry.example.org/team/app"),
        (["publish", "app", f"h/a:1@{OTHER}"], "expected a tag; the digest follows from the outputs"),
        (["publish", "ap", "localhost:1/a:1"], "the report has no artifact 'ap'; did you mean 'app'?  Artifacts: app"),
        (["publish", "app", "localhost:1/a:1", "--unverified", "x"], "app is reproducible: publish it without"),
        (["publish", "app", "localhost:1/a:1", "--attestations", "/none"], "/none: No such file or directory"),
        (["fetch", "h/a:1"], "give --policy, or the digest"),
        (["fetch", "h/a:1", "-p", "/none"], "/none: No such file"),
    ],
)
def test_bad_input_gets_one_clear_error(app, ftc, arguments, said):
    given = app.arguments if arguments[:1] == ["publish"] and "--attestations" not in arguments else app.arguments[:4]
    printed = ftc(*arguments, *(given if arguments[0] == "publish" else []), status=2)
    assert said in printed
    assert printed.count("\n") == 1


def demand_tokens(server, given):
    """Have every request need a token for what it does, as registries of hosters do; `given` collects the scopes."""

    def fault(handler):
        url = urlsplit(handler.path)
        if url.path == "/token":
            scope = parse_qs(url.query)["scope"][0]
            given.append((scope, handler.headers.get("Authorization", "")))
            return Answer(200, {}, json.dumps({"token": scope.replace(":", "-").replace(",", "-")}).encode())
        needed = "pull" if handler.command in ("GET", "HEAD") and "/uploads/" not in handler.path else "pull,push"
        scope = f"repository:team/app:{needed}"
        token = scope.replace(":", "-").replace(",", "-")
        if handler.headers.get("Authorization", "") in (f"Bearer {token}", f"Bearer {token}-push"):
            return None
        realm = f'Bearer realm="http://{server.host}/token",service="registry",scope="{scope}"'
        return Answer(401, {"WWW_Authenticate": realm})

    server.fault = fault


def test_a_token_for_reading_is_exchanged_for_one_for_writing(server, app, ftc, tmp_path, monkeypatch):
    given = []
    demand_tokens(server, given)
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {server.host: {"auth": "dTpw"}}}))
    monkeypatch.setenv("HOME", str(tmp_path))
    said = ftc("publish", "app", f"{server.host}/team/app:1.0", *app.arguments)
    said += fetch(ftc, app, f"{server.host}/team/app:1.0", tmp_path / "out", 0)
    assert {scope for scope, _ in given} == {"repository:team/app:pull", "repository:team/app:pull,push"}
    assert {sent for _, sent in given} == {"Basic dTpw"}
    # Not one for each request.
    assert len(given) < 5
    assert "dTpw" not in said


def test_a_registry_that_drips_ends(published, server, app, ftc, tmp_path, monkeypatch):
    quick = replace(QUICK, read=2, start=1, slowest=1 << 20)
    monkeypatch.setattr("pytest_ftc.integrations.registry.remote.PATIENT", quick)

    def drip(handler):
        if handler.path.endswith("/manifests/1.0"):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            for _ in range(20):
                handler.wfile.write(b".")
                time.sleep(0.2)

    server.fault = drip
    assert "it did not arrive within 1" in fetch(ftc, app, published, tmp_path / "out", 2)


def test_a_refusal_is_json_too(published, server, app, ftc, tmp_path):
    server.fault = at("/blobs/", Answer(200, {}, b"other"))
    said = json.loads(ftc("fetch", published, "-p", app.policy, "-o", tmp_path / "out", "--json", status=1))
    assert said["fetched"] is False
    assert "does not match" in said["problem"]
