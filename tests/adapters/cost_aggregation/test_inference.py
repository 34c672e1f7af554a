from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ovrisisbench.adapters.cost_aggregation.inference import sliding_scores, whole_image_scores
from ovrisisbench.adapters.images.mapper import mapped
from ovrisisbench.adapters.images.pixels import as_pixels, normalised
from tests.parity.synth import synthetic_image

CPU = torch.device("cpu")


class _Recorder:
    """A network whose logits are its input, shrunk to 96 x 96."""

    def __init__(self) -> None:
        self.inputs: list[Tensor] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.inputs.append(images)
        return F.adaptive_avg_pool2d(images, 96)


def test_a_whole_image_is_scored_once_padding_and_all() -> None:
    network = _Recorder()
    scores = whole_image_scores(synthetic_image(240, 425, seed=1), network, CPU)
    (seen,) = network.inputs
    assert seen.shape == (1, 3, 640, 1152)
    assert not seen[..., 1133:].any()
    assert torch.equal(scores, F.adaptive_avg_pool2d(seen, 96)[0].sigmoid())


def test_windows_are_cut_from_the_canvas_and_the_whole_from_the_mapped_image() -> None:
    network, image = _Recorder(), synthetic_image(768, 960, seed=1)
    sliding_scores(image, network, CPU)
    pixels = as_pixels(mapped(image), CPU)
    canvas = F.interpolate(pixels, size=(640, 640), mode="bilinear")
    expected = [canvas[..., y : y + 384, x : x + 384] for y in (0, 256) for x in (0, 256)]
    expected.append(F.interpolate(pixels, size=(384, 384), mode="bilinear"))
    assert len(network.inputs) == 5
    for seen, window in zip(network.inputs, expected, strict=True):
        assert torch.equal(seen, normalised(window))


def test_windows_are_averaged_where_they_overlap_then_with_the_whole() -> None:
    logits = iter([0.0, 1.0, 2.0, 3.0, -1.0])
    scores = sliding_scores(
        synthetic_image(256, 256, seed=1), lambda _images: torch.full((1, 2, 96, 96), next(logits)), CPU
    )
    window = torch.tensor([0.0, 1.0, 2.0, 3.0]).sigmoid()
    whole = torch.tensor(-1.0).sigmoid()
    assert scores.shape == (2, 640, 640)
    corners = scores[:, [0, 0, 639, 639], [0, 639, 0, 639]]
    torch.testing.assert_close(corners, ((window + whole) / 2).expand(2, -1))
    torch.testing.assert_close(scores[:, 320, 320], ((window.mean() + whole) / 2).expand(2))
    torch.testing.assert_close(scores[:, 320, 0], ((window[[0, 2]].mean() + whole) / 2).expand(2))
