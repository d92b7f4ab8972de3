"""Downloads within a limit of bandwidth, over all of them together."""

import time
from dataclasses import replace

from farms import QUICK, address_of

from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection


def test_large_and_small_downloads_share_the_rate(farm, tmp_path):
    large = farm.put(*(bytes([number]) * (5 << 20) for number in range(2)))
    small = farm.put(*(bytes([number]) * 1000 for number in range(100, 120)))
    with Connection(address_of(farm, limits=replace(QUICK, rate=10 << 20))) as connection:
        cas = Cas(connection)
        began = time.monotonic()
        for digest in large:
            connection.call(cas.download(digest, tmp_path / digest.hash))
        connection.call(cas.read_all(small, 1 << 20))
        assert 0.9 < time.monotonic() - began < 5


def test_without_a_limit_nothing_waits(farm, tmp_path):
    [digest] = farm.put(bytes(20 << 20))
    with Connection(address_of(farm)) as connection:
        began = time.monotonic()
        connection.call(Cas(connection).download(digest, tmp_path / "to"))
        assert time.monotonic() - began < 1
