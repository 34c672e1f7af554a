"""Captions say words, and what is visible tells which of them are true."""

import numpy as np
import pytest

from ovrisisbench.catalog import load_vocabulary
from ovrisisbench.mini import KINDS, Captions, load_captions

EIGHT = ["dlrsd", "isaid", "loveda", "potsdam", "uavid", "udd5", "vaihingen", "vdd"]


@pytest.mark.parametrize("key", EIGHT)
def test_every_class_name_is_a_word(key):
    words = {word.lower() for word in load_captions().words}
    assert {name.lower() for name in load_vocabulary(f"{key}-v1").class_names} <= words


def test_every_kind_has_a_word():
    assert {kind for kinds in load_captions().words.values() for kind in kinds} == set(KINDS)


def test_captions_say_their_words_and_nothing_else():
    captions = load_captions()
    names = list(captions.words)
    texts, said = captions.draw(200, np.random.default_rng(0))
    assert set(said.sum(axis=1)) == {1, 2}
    for text, row in zip(texts, said, strict=True):
        assert all(names[word] in text for word in np.flatnonzero(row))
    again, _ = captions.draw(200, np.random.default_rng(0))
    assert again == texts


def test_a_word_is_as_visible_as_its_kinds_together():
    captions = load_captions()
    shares = np.zeros((2, len(KINDS)), np.float32)
    kinds = list(KINDS)
    shares[0, [kinds.index("moving car"), kinds.index("parked car"), kinds.index("truck")]] = (0.1, 0.2, 0.3)
    visible = dict(zip(captions.words, captions.visible(shares)[0], strict=True))
    assert visible["car"] == pytest.approx(0.3)
    assert visible["vehicle"] == pytest.approx(0.6)
    assert visible["static car"] == pytest.approx(0.2)
    assert visible["sea"] == 0
    assert not captions.visible(shares)[1].any()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"words": {"cat": ["cat"]}}, "unknown kinds: cat"),
        ({"sentences": ["a photo"]}, "one place for a word"),
        ({"pairs": ["a {}"]}, "two places for words"),
    ],
)
def test_wrong_captions_are_refused(changes, sentence):
    right = {"format": 1, "sentences": ["a {}"], "pairs": ["{} and {}"], "words": {"sea": ["sea"]}}
    with pytest.raises(ValueError, match=sentence):
        Captions.model_validate({**right, **changes})
