from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
import torch
from torch import Tensor

from ovrisisbench.adapters.text.vocabulary import Vocabularies
from ovrisisbench.errors import AdapterError


class _Encoder:
    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, class_names: Sequence[str]) -> Tensor:
        sleep(0.01)  # long enough for another thread to ask for the same
        self.calls.append(tuple(class_names))
        return torch.tensor([float(len(name)) for name in class_names])


def test_a_vocabulary_that_comes_back_is_not_encoded_again() -> None:
    encoder = _Encoder()
    vocabularies = Vocabularies(encoder)
    vocabularies.choose(["road", "sea"])
    first = vocabularies.present
    vocabularies.choose(["tree"])
    assert vocabularies.present.tolist() == [4.0]
    vocabularies.choose(("road", "sea"))
    assert vocabularies.present is first
    assert encoder.calls == [("road", "sea"), ("tree",)]


def test_the_order_of_the_names_makes_another_vocabulary() -> None:
    vocabularies = Vocabularies(_Encoder())
    vocabularies.choose(["road", "sea"])
    vocabularies.choose(["sea", "road"])
    assert vocabularies.present.tolist() == [3.0, 4.0]


def test_threads_that_ask_at_once_encode_once() -> None:
    encoder = _Encoder()
    vocabularies = Vocabularies(encoder)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(vocabularies.choose, [["road", "sea"]] * 8))
    assert encoder.calls == [("road", "sea")]


def test_nothing_is_encoded_with_gradients() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    vocabularies = Vocabularies(lambda class_names: weight * len(class_names))
    vocabularies.choose(["road"])
    assert not vocabularies.present.requires_grad


def test_a_vocabulary_that_cannot_be_encoded_leaves_the_present_one() -> None:
    def encode(class_names: Sequence[str]) -> Tensor:
        if "" in class_names:
            raise AdapterError("An empty name.")
        return torch.zeros(len(class_names))

    vocabularies = Vocabularies(encode)
    vocabularies.choose(["road"])
    with pytest.raises(AdapterError):
        vocabularies.choose([""])
    assert len(vocabularies.present) == 1


def test_what_was_encoded_elsewhere_counts_until_the_next_choice() -> None:
    vocabularies = Vocabularies(_Encoder())
    vocabularies.choose(["road"])
    vocabularies.take(torch.tensor([7.0]))
    assert vocabularies.present.tolist() == [7.0]
    vocabularies.choose(["road"])
    assert vocabularies.present.tolist() == [4.0]


def test_without_a_vocabulary_the_error_says_what_to_call() -> None:
    with pytest.raises(AdapterError, match="set_vocabulary"):
        _ = Vocabularies(_Encoder()).present
