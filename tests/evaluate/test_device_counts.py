"""Counting scores on a device: same integers as on the processor, in order, errors with their image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate import DeviceCounter, confusion, device_counts, label_map

STRATEGIES = ("device", "host")
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")],
    ),
]


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


@pytest.fixture(params=STRATEGIES)
def strategy(request):
    return request.param


def image(num_classes, seed, cells=(12, 17), size=(130, 201)):
    generator = np.random.default_rng(seed)
    scores = torch.from_numpy(generator.standard_normal((num_classes, *cells), dtype=np.float32))
    target = generator.integers(0, num_classes + 1, size).astype(np.uint8)
    target[target == num_classes] = 255
    return scores, target


def host_counts(scores, target, num_classes, ignore_index=255):
    return confusion(label_map(scores, target.shape), target, num_classes, ignore_index)


@pytest.mark.parametrize("num_classes", [1, 2, 17, 150, 255])
def test_counts_equal_those_of_label_map_and_confusion(device, strategy, num_classes):
    images = [image(num_classes, seed) for seed in range(3)]
    with DeviceCounter(num_classes, strategy=strategy) as counter:
        for index, (scores, target) in enumerate(images):
            counter.submit(f"image {index}", scores.to(device), target)
        counted = list(counter.collect(wait=True))
    assert [one.name for one in counted] == ["image 0", "image 1", "image 2"]
    for one, (scores, target) in zip(counted, images, strict=True):
        assert one.confusion.dtype == np.int64
        np.testing.assert_array_equal(one.confusion, host_counts(scores, target, num_classes))


def test_counting_in_several_steps_gives_the_same(device, monkeypatch):
    monkeypatch.setattr(device_counts, "_COUNTED_PIXELS", 999)
    scores, target = image(5, seed=1)
    with DeviceCounter(5) as counter:
        counter.submit("image", scores.to(device), target)
        counted = next(counter.collect(wait=True))
    np.testing.assert_array_equal(counted.confusion, host_counts(scores, target, 5))


def test_an_ignored_class_counts_nowhere(device, strategy):
    scores, target = image(4, seed=2)
    target[target == 255] = 1
    with DeviceCounter(4, ignore_index=1, strategy=strategy) as counter:
        counter.submit("image", scores.to(device), target)
        counted = next(counter.collect(wait=True))
    assert not counted.confusion[1].any()
    np.testing.assert_array_equal(counted.confusion, host_counts(scores, target, 4, ignore_index=1))


def test_collecting_without_waiting_returns_what_is_done_and_keeps_the_order(device, strategy):
    names = [f"image {index}" for index in range(8)]
    collected = []
    with DeviceCounter(3, strategy=strategy) as counter:
        for seed, name in enumerate(names):
            scores, target = image(3, seed)
            counter.submit(name, scores.to(device), target)
            collected += [one.name for one in counter.collect()]
        collected += [one.name for one in counter.collect(wait=True)]
        assert collected == names
        assert list(counter.collect(wait=True)) == []


def test_bad_scores_are_reported_with_their_image_and_the_others_still_come(device, strategy):
    with DeviceCounter(3, strategy=strategy) as counter:
        for index in range(3):
            scores, target = image(3, seed=index)
            if index == 1:
                scores[2, 3, 4] = float("nan")
            counter.submit(f"image {index}", scores.to(device), target)
        arrived = []
        with pytest.raises(EvaluationError, match="The scores of image 'image 1' hold NaN or infinity"):
            arrived.extend(one.name for one in counter.collect(wait=True))
        assert [one.name for one in counter.collect(wait=True)] == ["image 2"]


def test_a_label_out_of_range_is_reported_with_its_value(device, strategy):
    scores, target = image(3, seed=4)
    target[:2, :5] = 7
    with DeviceCounter(3, strategy=strategy) as counter:
        counter.submit("area_9", scores.to(device), target)
        with pytest.raises(EvaluationError, match="target of image 'area_9' has 10 pixels of value 7"):
            next(counter.collect(wait=True))


def test_read_only_and_strided_targets_are_taken(device, strategy):
    scores, target = image(3, seed=5)
    strided = np.repeat(target, 2, axis=1)[:, ::2]
    strided.flags.writeable = False
    with DeviceCounter(3, strategy=strategy) as counter:
        counter.submit("image", scores.to(device), strided)
        counted = next(counter.collect(wait=True))
    np.testing.assert_array_equal(counted.confusion, host_counts(scores, target, 3))


@pytest.mark.parametrize(
    ("scores", "target", "message"),
    [
        (torch.zeros(4, 2, 2), np.zeros((5, 5), np.uint8), "image 'a' have 4 classes, the vocabulary has 3"),
        (torch.zeros(2, 2), np.zeros((5, 5), np.uint8), r"image 'a' have shape \(2, 2\)"),
        (torch.zeros(3, 2, 2), np.zeros((5, 5)), "target of image 'a' has dtype float64"),
        (torch.zeros(3, 2, 2), np.zeros(5, np.uint8), r"target of image 'a' has shape \(5,\): give \(H, W\)"),
    ],
)
def test_unusable_images_are_refused_at_once(scores, target, message):
    with DeviceCounter(3) as counter, pytest.raises(EvaluationError, match=message):
        counter.submit("a", scores, target)


def test_an_unknown_strategy_is_refused():
    with pytest.raises(EvaluationError, match="no strategy 'gpu': take 'device' or 'host'"):
        DeviceCounter(3, strategy="gpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_submitting_does_not_wait_for_the_device(strategy):
    scores, target = image(3, seed=6)
    scores = scores.cuda()
    with DeviceCounter(3, strategy=strategy) as counter:
        counter.submit("warm-up", scores, target)
        list(counter.collect(wait=True))
        torch.cuda.set_sync_debug_mode("error")
        try:
            counter.submit("image", scores, target)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        assert len(list(counter.collect(wait=True))) == 1
