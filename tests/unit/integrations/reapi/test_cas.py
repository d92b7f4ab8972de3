"""Contents of a farm: moved in batches and streams, and verified."""

import os

import pytest
from farms import address_of, serving

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.cas import EMPTY, Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError, TransientError
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError

MOST = 1 << 30


@pytest.mark.parametrize("compressors", [[], [1]], ids=["identity", "zstd"])
def test_contents_come_back_as_they_were_sent(farm, connection, cas, tmp_path, compressors):
    farm.compressors, farm.batch_limit = compressors, 100_000
    (tmp_path / "file").write_bytes(os.urandom(3 << 20) + bytes(3 << 20))
    contents = {Digest.of(data): data for data in (bytes([i % 256]) * i * 50 for i in range(300))}
    file = Digest.of((tmp_path / "file").read_bytes())
    contents[file] = tmp_path / "file"
    assert connection.call(cas.upload(contents)) == set(contents) - {EMPTY}
    assert connection.call(cas.upload(contents)) == set()
    assert 40_000 < farm.largest_batch <= 50_000 or compressors
    assert (cas.traffic.sent, cas.traffic.asked) == (300, 600)
    found = connection.call(cas.read_all(contents, MOST))
    assert all(Digest.of(found[digest]) == digest for digest in contents)
    connection.call(cas.download(file, tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "file").read_bytes()
    assert cas.traffic.received == 301


def test_the_empty_content_is_never_asked_for(farm, connection, cas, tmp_path):
    assert connection.call(cas.upload({EMPTY: b""})) == set()
    assert connection.call(cas.read(EMPTY, 0)) == b""
    connection.call(cas.download(EMPTY, tmp_path / "empty"))
    assert (tmp_path / "empty").read_bytes() == b""
    assert set(farm.calls) <= {"GetCapabilities"}


@pytest.mark.parametrize("size", [10, 6 << 20], ids=["batch", "stream"])
def test_altered_bytes_are_never_given(farm, connection, cas, tmp_path, size):
    (digest,) = farm.put(bytes(size))
    for altered in (b"\1" + bytes(size - 1), bytes(size - 1), bytes(size + 1), b""):
        farm.blobs[digest] = altered
        with pytest.raises(AlteredError, match="was altered"):
            connection.call(cas.read(digest, MOST))
        with pytest.raises(AlteredError, match=r"grpc://127.0.0.1:\d+: .*was altered"):
            connection.call(cas.download(digest, tmp_path / "file"))
        assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("size", [10, 6 << 20], ids=["batch", "stream"])
def test_altered_compressed_bytes_are_never_given(farm, connection, cas, tmp_path, size):
    farm.compressors = [1]
    (digest,) = farm.put(bytes(size))
    farm.blobs[digest] = bytes(size + 1)
    with pytest.raises(AlteredError):
        connection.call(cas.read(digest, MOST))
    with pytest.raises(AlteredError):
        connection.call(cas.download(digest, tmp_path / "file"))


@pytest.mark.parametrize("size", [10, 6 << 20], ids=["batch", "stream"])
def test_missing_contents_are_missing(connection, cas, tmp_path, size):
    digest = Digest("0" * 64, size)
    with pytest.raises(MissingError, match="is missing"):
        connection.call(cas.read(digest, MOST))
    with pytest.raises(MissingError):
        connection.call(cas.download(digest, tmp_path / "file"))
    assert not (tmp_path / "file").exists()


def test_some_contents_may_be_missing_or_altered_while_others_are_there(farm, connection, cas):
    good, bad = farm.put(b"good", b"bad")
    farm.blobs[bad] = b"dab"
    gone = Digest.of(b"gone")
    found = connection.call(cas.read_all([good, bad, gone], MOST))
    assert found[good] == b"good"
    assert isinstance(found[bad], AlteredError)
    assert isinstance(found[gone], MissingError)


def test_more_than_allowed_is_not_asked_for(farm, connection, cas):
    (digest,) = farm.put(bytes(1000))
    with pytest.raises(RemoteError, match="1000 bytes are more than the 999 that may be read"):
        connection.call(cas.read(digest, 999))
    assert "BatchReadBlobs" not in farm.calls


def test_a_file_that_is_there_is_not_replaced(farm, connection, cas, tmp_path):
    (digest,) = farm.put(b"content")
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        connection.call(cas.download(digest, tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == b"mine"


@pytest.mark.parametrize("method", ["FindMissingBlobs", "BatchUpdateBlobs", "Write"])
@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL", "CANCELLED"])
def test_transient_failures_of_uploads_are_retried(farm, connection, cas, method, code):
    farm.fail(method, code, code)
    contents = {Digest.of(data): data for data in (b"small", bytes(6 << 20))}
    assert connection.call(cas.upload(contents)) == set(contents)
    assert farm.blobs == contents


@pytest.mark.parametrize("method", ["BatchReadBlobs", "Read"])
def test_transient_failures_of_downloads_are_retried(farm, connection, cas, method):
    digests = farm.put(b"small", bytes(6 << 20))
    farm.fail(method, "UNAVAILABLE", "ABORTED")
    assert connection.call(cas.read_all(digests, MOST)) == farm.blobs


def test_a_download_that_breaks_in_its_middle_starts_again(farm, connection, cas, tmp_path):
    (digest,) = farm.put(os.urandom(6 << 20))

    def cut(request, context):
        yield api.ReadResponse(data=farm.blobs[digest][: 1 << 20])
        context.abort(api.grpc.StatusCode.UNAVAILABLE, "cut")

    farm.faults["Read"].append(cut)
    connection.call(cas.download(digest, tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == farm.blobs[digest]


def test_single_contents_of_a_batch_are_sent_again(farm, connection, cas):
    def half(request, context):
        answer = api.BatchUpdateBlobsResponse()
        for each in request.requests[:1]:
            farm.put(each.data)
            answer.responses.add(digest=each.digest)
        for each in request.requests[1:]:
            answer.responses.add(digest=each.digest).status.code = 8
        return answer

    farm.faults["BatchUpdateBlobs"] += [half, half]
    contents = {Digest.of(data): data for data in (b"1", b"2", b"3", b"4")}
    assert connection.call(cas.upload(contents)) == set(contents)
    assert farm.blobs == contents


def test_persistent_failures_are_transient_errors(farm, connection, cas):
    farm.fail("FindMissingBlobs", *["UNAVAILABLE"] * 9, text="down \x1b[2J")
    with pytest.raises(TransientError, match=r"UNAVAILABLE: down \\x1b\[2J"):
        connection.call(cas.upload({Digest.of(b"1"): b"1"}))
    assert farm.calls["FindMissingBlobs"] == 4


def test_refusals_are_not_retried(farm, connection, cas):
    farm.fail("BatchUpdateBlobs", "PERMISSION_DENIED", text="not yours")
    with pytest.raises(RemoteError, match="PERMISSION_DENIED: not yours"):
        connection.call(cas.upload({Digest.of(b"1"): b"1"}))
    assert farm.calls["BatchUpdateBlobs"] == 1


def strange_missing(request, context):
    return api.FindMissingBlobsResponse(missing_blob_digests=[api.to_message(Digest("0" * 64, 7))])


def broken_digest(request, context):
    return api.FindMissingBlobsResponse(missing_blob_digests=[api.Digest(hash="x\x1b", size_bytes=-1)])


@pytest.mark.parametrize(
    ("fault", "said"),
    [(strange_missing, "for which it was not asked"), (broken_digest, r"sent 'x\\x1b'/-1, which is no SHA-256 digest")],
)
def test_strange_answers_about_missing_contents_are_errors(farm, connection, cas, fault, said):
    farm.faults["FindMissingBlobs"].append(fault)
    with pytest.raises(RemoteError, match=said):
        connection.call(cas.find_missing([Digest.of(b"1")]))


@pytest.mark.parametrize(
    ("responses", "said"),
    [
        ([], "did not answer for"),
        ([b"1", b"1"], "sent a content twice"),
        ([b"2"], "for which it was not asked"),
    ],
)
def test_strange_answers_to_reads_are_errors(farm, connection, cas, responses, said):
    (digest,) = farm.put(b"1")

    def answer(request, context):
        return api.BatchReadBlobsResponse(
            responses=[{"digest": api.to_message(Digest.of(data)), "data": data} for data in responses]
        )

    farm.faults["BatchReadBlobs"].append(answer)
    with pytest.raises(RemoteError, match=said):
        connection.call(cas.read(digest, MOST))


def test_an_upload_without_an_answer_is_an_error(farm, connection, cas):
    farm.faults["BatchUpdateBlobs"].append(lambda request, context: api.BatchUpdateBlobsResponse())
    with pytest.raises(RemoteError, match="did not say whether it stored"):
        connection.call(cas.upload({Digest.of(b"1"): b"1"}))


def test_an_upload_of_which_only_a_part_was_stored_is_an_error(farm, connection, cas):
    def part(requests, context):
        list(requests)
        return api.WriteResponse(committed_size=7)

    farm.faults["Write"].append(part)
    data = bytes(6 << 20)
    with pytest.raises(RemoteError, match="it stored 7 bytes of"):
        connection.call(cas.upload({Digest.of(data): data}))


def test_an_upload_may_end_early_if_the_server_has_the_content(farm, connection, cas):
    data = os.urandom(20 << 20)

    def known(requests, context):
        next(requests)
        return api.WriteResponse(committed_size=len(data))

    farm.faults["Write"].append(known)
    assert connection.call(cas.upload({Digest.of(data): data})) == {Digest.of(data)}


def test_a_large_file_that_changes_is_not_uploaded(farm, connection, cas, tmp_path):
    (tmp_path / "file").write_bytes(bytes(6 << 20))
    with pytest.raises(RemoteError, match="file changed before its upload"):
        connection.call(cas.upload({Digest.of(bytes(7 << 20)): tmp_path / "file"}))
    with pytest.raises(FileNotFoundError):
        connection.call(cas.upload({Digest.of(bytes(7 << 20)): tmp_path / "none"}))
    assert farm.blobs == {}


def test_instances_are_named_in_every_request():
    with serving() as farm, Connection(address_of(farm, instance="main/a")) as connection:
        names = []

        def note(request, context):
            names.append(getattr(request, "instance_name", None) or request.resource_name)

        def note_all(requests, context):
            names.append(next(requests).resource_name)
            return api.WriteResponse(committed_size=6 << 20)

        for method in ("GetCapabilities", "FindMissingBlobs", "BatchUpdateBlobs", "BatchReadBlobs", "Read"):
            farm.faults[method].append(note)
        farm.faults["Write"].append(note_all)
        digests = farm.put(b"there", bytes(5 << 20))
        cas = Cas(connection)
        connection.call(cas.upload({Digest.of(data): data for data in (b"1", bytes(6 << 20))}))
        connection.call(cas.read_all(digests, MOST))
    assert len(names) == 6
    assert all(name == "main/a" or name.startswith(("main/a/blobs/", "main/a/uploads/")) for name in names)
