"""The verifier's own Ed25519 (RFC 8032) and Merkle tree (RFC 9162), held to vectors and to independent implementations."""

from __future__ import annotations

import ast
import random
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ethics.audit import tree, verify

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}  # fmt: skip
SMALL_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    (verify.P - 1).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
]


def signed(seed: int, message: bytes) -> tuple[bytes, bytes]:
    """(public key, signature) made by the `cryptography` package."""
    key = Ed25519PrivateKey.from_private_bytes(random.Random(seed).randbytes(32))
    return key.public_key().public_bytes_raw(), key.sign(message)


def library_accepts(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("name", VECTORS)
def test_vector_of_the_rfc_is_valid_and_no_longer_after_a_change(name: str) -> None:
    public_key, message, signature = (bytes.fromhex(text) for text in VECTORS[name])
    assert verify.signature_is_valid(public_key, message, signature)
    assert not verify.signature_is_valid(public_key, message + b"x", signature)
    assert not verify.signature_is_valid(public_key, message, bytes([signature[0] ^ 1]) + signature[1:])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.binary(max_size=300))
def test_signatures_of_the_library_are_valid(seed: int, message: bytes) -> None:
    assert verify.signature_is_valid(signed(seed, message)[0], message, signed(seed, message)[1])


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), st.binary(max_size=40), st.integers(0, 95), st.integers(1, 255))
def test_changed_key_or_signature_is_judged_as_the_library_judges(
    seed: int, message: bytes, position: int, change: int
) -> None:
    public_key, signature = signed(seed, message)
    changed = bytearray(public_key + signature)
    changed[position] ^= change
    public_key, signature = bytes(changed[:32]), bytes(changed[32:])
    assert not verify.signature_is_valid(public_key, message, signature)
    assert not library_accepts(public_key, message, signature)


def test_scalar_beyond_the_group_order_is_refused() -> None:
    public_key, signature = signed(1, b"text")
    scalar = int.from_bytes(signature[32:], "little") + verify.ORDER
    assert not verify.signature_is_valid(public_key, b"text", signature[:32] + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 31, 63, 65, 128])
def test_signature_of_another_length_is_refused(length: int) -> None:
    public_key, signature = signed(1, b"text")
    assert not verify.signature_is_valid(public_key, b"text", (signature * 2)[:length])


@pytest.mark.parametrize("key", SMALL_ORDER, ids=bytes.hex)
def test_key_of_small_order_is_refused(key: bytes) -> None:
    """Under the neutral element as a key, R = S*B passes for every message."""
    signature = verify.point_encode(verify.BASE) + (1).to_bytes(32, "little")
    assert verify.point_decode(key) is not None
    assert not verify.is_usable_key(key)
    assert not verify.signature_is_valid(key, b"any", signature)


@pytest.mark.parametrize(
    "data",
    [
        verify.P.to_bytes(32, "little"),
        (verify.P + 1).to_bytes(32, "little"),
        (2**255 - 1).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"),
        (2).to_bytes(32, "little"),
        bytes(31),
        bytes(33),
    ],
    ids=["y is p", "y is p + 1", "y is 2^255 - 1", "minus zero", "no such x", "short", "long"],
)
def test_bytes_that_are_no_point_in_its_one_encoding_are_refused(data: bytes) -> None:
    assert verify.point_decode(data) is None
    assert not verify.is_usable_key(data)


def stored(leaves: list[bytes]) -> tree.NodeReader:
    """Reads perfect nodes straight from the leaves."""

    def read(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return tree.node_hash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1))

    return read


LEAVES = [tree.leaf_hash(str(number).encode()) for number in range(40)]
ROOTS = [tree.Frontier.of_tree(size, stored(LEAVES)).root() for size in range(41)]


def test_every_leaf_of_small_trees_is_proved_and_at_no_other_place() -> None:
    for size in range(1, 41):
        for index in range(size):
            path = tree.inclusion_path(index, size, stored(LEAVES))
            found = [
                other
                for other in range(size + 2)
                if verify.inclusion_is_valid(LEAVES[index], other, size, path, ROOTS[size])
            ]
            assert found == [index]


def test_every_smaller_tree_is_proved_to_begin_the_larger_and_no_other_does() -> None:
    for second in range(2, 41):
        for first in range(1, second):
            path = tree.consistency_path(first, second, stored(LEAVES))
            assert verify.consistency_is_valid(first, second, path, ROOTS[first], ROOTS[second])
            assert not verify.consistency_is_valid(first, second, path, ROOTS[first - 1], ROOTS[second])
            assert not verify.consistency_is_valid(first, second, path, ROOTS[first], ROOTS[second - 1])
            assert not verify.consistency_is_valid(first, second, [*path, ROOTS[1]], ROOTS[first], ROOTS[second])
            assert not verify.consistency_is_valid(first, second, path[:-1], ROOTS[first], ROOTS[second])


@given(st.data())
def test_changed_path_proves_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 40))
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_path(index, size, stored(LEAVES))
    changed = bytearray(b"".join(path))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    parts = [bytes(changed[start : start + 32]) for start in range(0, len(changed), 32)]
    assert not verify.inclusion_is_valid(LEAVES[index], index, size, parts, ROOTS[size])


def test_program_is_python_3_9_and_imports_the_standard_library_alone() -> None:
    source = Path(verify.__file__).read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source, feature_version=(3, 9)))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names
