"""Batches, compression, and contents that change before their upload."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.integrations.reapi import contents
from pytest_ftc.integrations.reapi.capabilities import zstd
from pytest_ftc.integrations.reapi.contents import OVERHEAD, Inflater, compress, decompress, plan_batches
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError
from pytest_ftc.model.digest import Digest

SIZES = st.lists(st.integers(0, 5000), max_size=60)


@given(SIZES, st.integers(1, 6000))
def test_batches_hold_everything_once_and_stay_within_the_limit(sizes, limit):
    digests = {Digest(f"{number:064x}", size) for number, size in enumerate(sizes)}
    batches, large = plan_batches(digests, limit)
    assert sorted([*large, *(digest for batch in batches for digest in batch)]) == sorted(digests)
    assert all(sum(digest.size + OVERHEAD for digest in batch) <= limit for batch in batches)
    assert all(digest.size + OVERHEAD > limit for digest in large)


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(1, 700))
def test_decompressing_gives_the_content_however_it_is_cut(frames, step):
    data, packed = b"".join(frames), b"".join(zstd().compress(frame) for frame in frames)
    inflater = Inflater(Digest.of(data))
    assert b"".join(inflater.feed(packed[i : i + step]) for i in range(0, len(packed), step)) == data


@given(st.binary(max_size=3000), st.integers(1, 100))
def test_more_than_the_digest_says_is_never_decompressed(data, more):
    with pytest.raises(AlteredError):
        decompress(zstd().compress(data + bytes(more)), Digest.of(data))


@given(st.binary(min_size=1, max_size=200))
def test_hostile_compressed_data_ends_in_our_error_or_in_bytes(data):
    with contextlib.suppress(AlteredError):
        assert isinstance(decompress(data, Digest("0" * 64, 1000)), bytes)


def test_a_bomb_is_stopped_early():
    bomb = zstd().compress(bytes(200 << 20))
    with pytest.raises(AlteredError):
        decompress(bomb, Digest.of(b"0" * 1000))


def test_short_contents_are_not_compressed():
    assert compress(b"0" * 500) == b"0" * 500
    assert len(compress(b"0" * 5000)) < 100


@pytest.mark.parametrize("now", [b"", b"shor", b"other", b"longer than before"])
def test_a_file_that_changed_is_not_uploaded(tmp_path, now):
    (tmp_path / "file").write_bytes(now)
    with pytest.raises(RemoteError, match="changed before its upload"):
        contents.read_content(tmp_path / "file", Digest.of(b"short"))


@given(st.binary(max_size=50), st.integers(1, 20))
def test_chunks_make_the_content(data, size):
    old, contents.CHUNK = contents.CHUNK, size
    try:
        chunks = list(contents.read_chunks(data, Digest.of(data)))
    finally:
        contents.CHUNK = old
    assert b"".join(chunks) == data
    assert all(len(chunk) <= size for chunk in chunks)


def test_the_first_error_cancels_the_other_works():
    ended = []

    async def wait():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("wait")

    async def fail():
        await asyncio.sleep(0.01)
        raise RemoteError("no")

    async def main():
        await contents.run_all([wait, fail, wait], asyncio.Semaphore(8))

    with pytest.raises(RemoteError, match="no"):
        asyncio.run(main())
    assert ended == ["wait", "wait"]
