"""Hashes and proofs of an append-only Merkle tree, as RFC 9162 section 2.1 defines them.

A tree is its leaves in order.  An inclusion proof shows that a leaf is in a tree, a consistency proof that a tree
begins with all leaves of a smaller one; both need only the root hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256().digest()
"""The root hash of a tree without leaves."""


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of the leaf `content`."""
    return hashlib.sha256(b"\0" + content).digest()


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the root hash of the tree with these leaf hashes."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node_hash(root_hash(leaves[:split]), root_hash(leaves[split:]))


def join_roots(roots: Sequence[bytes]) -> bytes:
    """Return the root hash of the tree that consists of complete trees with these roots, the largest first."""
    if not roots:
        return EMPTY_ROOT
    joined = roots[-1]
    for left in reversed(roots[:-1]):
        joined = _node_hash(left, joined)
    return joined


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that the leaf `index` is in the tree, the hash next to the leaf first (2.1.3.1).

    Raises IndexError when there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root_hash(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root_hash(leaves[:split])]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether `proof` shows that `leaf` is the leaf `index` of the tree of `size` leaves with that `root`.

    That is the algorithm of 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = _node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = _node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """Return the proof that the tree begins with its first `size` leaves (2.1.4.1).

    Raises IndexError when there are fewer, or when `size` is 0, which needs no proof.
    """
    if not 0 < size <= len(leaves):
        raise IndexError(size)
    return _subproof(leaves, size, complete=True)


def is_consistent(size: int, root: bytes, grown: int, grown_root: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether `proof` shows that the tree of `grown` leaves begins with the tree of `size` leaves (2.1.4.2)."""
    if size == grown:
        return root == grown_root and not proof
    if not 0 < size < grown or not proof:
        return False
    path = list(proof)
    if size & (size - 1) == 0:
        path.insert(0, root)
    node, last = size - 1, grown - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = _node_hash(sibling, first), _node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = _node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == root and second == grown_root


def _subproof(leaves: Sequence[bytes], size: int, *, complete: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if complete else [root_hash(leaves)]
    split = _split(len(leaves))
    if size <= split:
        return [*_subproof(leaves[:split], size, complete=complete), root_hash(leaves[split:])]
    return [*_subproof(leaves[split:], size - split, complete=False), root_hash(leaves[:split])]


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1
