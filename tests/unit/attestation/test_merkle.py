"""Root hashes and proofs of the log."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.attestation.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    root_hash,
)

# The leaves of the test vectors of RFC 6962's reference implementation, whose hashes RFC 9162 keeps.
VECTORS = [bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
trees = st.lists(st.binary(max_size=3).map(leaf_hash), min_size=1, max_size=40)


@pytest.mark.parametrize("size", ROOTS)
def test_root_hashes_are_those_of_the_reference_implementation(size):
    assert root_hash([leaf_hash(leaf) for leaf in VECTORS[:size]]).hex() == ROOTS[size]


def test_the_empty_tree():
    assert root_hash([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(trees, st.data())
def test_a_leaf_is_included_at_its_index_alone(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, len(leaves) + 2))
    proof, root = inclusion_proof(leaves, index), root_hash(leaves)
    assert is_included(leaves[index], index, len(leaves), proof, root)
    if other >= len(leaves) or leaves[other] != leaves[index]:
        assert not is_included(leaves[index], other, len(leaves), proof, root)
    assert not is_included(leaf_hash(b"foreign"), index, len(leaves), proof, root)
    assert not is_included(leaves[index], index, len(leaves), [*proof, root], root)


@given(trees, st.data())
def test_a_grown_tree_is_consistent(leaves, data):
    size = data.draw(st.integers(1, len(leaves)))
    proof = consistency_proof(leaves, size)
    before, after = root_hash(leaves[:size]), root_hash(leaves)
    assert is_consistent(size, before, len(leaves), after, proof)
    changed = data.draw(st.integers(0, size - 1))
    altered = [*leaves[:changed], leaf_hash(b"altered"), *leaves[changed + 1 :]]
    assert not is_consistent(size, before, len(leaves), root_hash(altered), consistency_proof(altered, size))
    if size > 1:
        lost = leaves[1:]
        if lost[: size - 1] != leaves[: size - 1]:
            assert not is_consistent(size - 1, root_hash(leaves[: size - 1]), len(lost), root_hash(lost), proof)


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_of_what_is_not_there(index):
    with pytest.raises(IndexError):
        inclusion_proof([leaf_hash(b"%d" % number) for number in range(3)], index)
    with pytest.raises(IndexError):
        consistency_proof([leaf_hash(b"a")], 2)
