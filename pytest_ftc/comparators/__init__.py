"""Comparing what two builds left: manifests first, then the insides of what differs."""

from pytest_ftc.comparators.chain import ComparatorChain
from pytest_ftc.comparators.dates import find_real_date
from pytest_ftc.comparators.diffoscope import DiffoscopeComparator
from pytest_ftc.comparators.hexdump import HexComparator
from pytest_ftc.comparators.leaks import find_bytes
from pytest_ftc.comparators.manifests import compare_manifests, digest_manifest

__all__ = [
    "ComparatorChain",
    "DiffoscopeComparator",
    "HexComparator",
    "compare_manifests",
    "digest_manifest",
    "find_bytes",
    "find_real_date",
]
