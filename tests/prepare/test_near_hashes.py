"""All pairs of near hashes are found, each once, a bounded block at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovrisisbench.prepare.duplicates import near_hashes
from ovrisisbench.prepare.duplicates.near_hashes import hash_words, near_pairs

BASES = [0, 2**256 - 1, int("0123456789abcdef" * 4, 16)]


@st.composite
def _hashes(draw):
    """Up to 20 hashes that lie close to three others, so that many pairs are near."""
    number = draw(st.sampled_from(BASES))
    for bit in draw(st.lists(st.integers(0, 255), max_size=12)):
        number ^= 1 << bit
    return f"{number:064x}"


LISTS = st.lists(_hashes(), max_size=20)


def found(first, second, distance):
    pairs = near_pairs(hash_words(first), None if second is None else hash_words(second), distance=distance)
    return [pair for one, other in pairs for pair in zip(one.tolist(), other.tolist(), strict=True)]


def expected(first, second, distance):
    others = first if second is None else second
    return [
        (i, j)
        for i, one in enumerate(first)
        for j, other in enumerate(others)
        if (second is not None or i < j) and (int(one, 16) ^ int(other, 16)).bit_count() <= distance
    ]


@settings(max_examples=200, deadline=None)
@given(LISTS, st.none() | LISTS, st.sampled_from([0, 1, 7, 16, 32, 64, 255, 256]), st.sampled_from([1, 7, 40, 2**18]))
def test_pairs_are_those_of_a_plain_comparison_whatever_the_blocks(first, second, distance, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_hashes, "_BLOCK_PAIRS", block)
        assert sorted(found(first, second, distance)) == expected(first, second, distance)


@pytest.mark.parametrize("distance", [31, 32])
def test_the_distance_itself_is_near(distance):
    one, other = f"{0:064x}", f"{2**32 - 1:064x}"
    assert found([one], [other], distance) == ([(0, 0)] if distance == 32 else [])


def test_blocks_are_bounded_even_if_everything_is_alike():
    words = hash_words([f"{7:064x}"] * 1500)
    sizes = [one.size for one, _ in near_pairs(words, distance=32)]
    assert sum(sizes) == 1500 * 1499 // 2
    assert max(sizes) <= near_hashes._BLOCK_PAIRS
    assert len(sizes) > 1


def test_words_keep_every_bit():
    random = np.random.default_rng(0).bytes(320).hex()
    hashes = [random[start : start + 64] for start in range(0, 640, 64)]
    assert hash_words(hashes).tobytes().hex() == random
    assert hash_words([]).shape == (0, 4)
