"""The hash survives what does not change a picture, and tells apart what does."""

import io
import itertools

import imagehash
import numpy as np
import pytest
from PIL import Image

from ovrisisbench.prepare.download.perceptual_hash import HASH_BITS, LEAST_STEPS, NEAR, perceptual_hash
from ovrisisbench.prepare.windows import Box, WindowRule, window_boxes
from tests.drawn.isaid_scenes import draw_scene

RULE = WindowRule(size=256, stride=206, last="clamped", evidence="experiment")
SCENES = [Image.fromarray(draw_scene(number)[0]) for number in range(6)]
WINDOWS = [(number, box) for number in range(6) for box in window_boxes(600, 700, RULE)]


def cut(number, box):
    return SCENES[number].crop((box.x0, box.y0, box.x1, box.y1))


def differing(one, other):
    return (int(one, 16) ^ int(other, 16)).bit_count()


def stored(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return Image.open(stream)


def test_of_a_grey_picture_it_is_the_published_difference_hash():
    for number, box in WINDOWS:
        grey = cut(number, box).convert("L")
        assert perceptual_hash(grey) == str(imagehash.dhash(grey, hash_size=16))


def test_of_a_colour_picture_it_is_the_published_one_up_to_the_rounding_of_grey_values():
    # The published one makes the picture grey before it shrinks it, for which a large picture would have to be copied.
    bits = [
        differing(perceptual_hash(cut(*window)), str(imagehash.dhash(cut(*window), hash_size=16))) for window in WINDOWS
    ]
    assert max(bits) <= 18
    assert np.median(bits) <= 7


def test_a_window_has_the_hash_of_its_own_pixels_wherever_it_lies():
    for number, box in WINDOWS:
        assert perceptual_hash(SCENES[number], box) == perceptual_hash(cut(number, box))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_files_without_loss_do_not_change_it(kind):
    for number, box in WINDOWS[:12]:
        assert perceptual_hash(stored(cut(number, box), kind)) == perceptual_hash(cut(number, box))


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA"])
def test_the_way_bands_are_stored_does_not_change_it(mode):
    window = cut(*WINDOWS[0]).convert("L") if mode == "LA" else cut(*WINDOWS[0]).quantize(64).convert("RGB")
    expected = perceptual_hash(window.convert("RGB"))
    assert expected is not None
    other = window.convert("P", palette=Image.Palette.ADAPTIVE) if mode == "P" else window.convert(mode)
    assert other.mode == mode
    assert perceptual_hash(other) == expected
    other = other.copy()
    if mode != "P":
        other.putalpha(Image.linear_gradient("L"))
    assert perceptual_hash(other) == expected, "alpha, or a fourth band, does not enter"


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda window: stored(window, "JPEG", quality=95), 18),
        (lambda window: stored(window, "JPEG", quality=90), 18),
        (lambda window: stored(window, "JPEG", quality=75), 20),
        (lambda window: window.resize((512, 512), Image.Resampling.BILINEAR), 16),
        (lambda window: window.crop((1, 1, 256, 256)), 17),
        (lambda window: window.crop((2, 2, 256, 256)), 27),
    ],
    ids=["JPEG 95", "JPEG 90", "JPEG 75", "twice the size", "one pixel less", "two pixels less"],
)
def test_a_copy_is_near(change, most):
    bits = [differing(perceptual_hash(cut(*window)), perceptual_hash(change(cut(*window)))) for window in WINDOWS]
    assert max(bits) <= most < NEAR


def test_other_windows_are_far_even_if_they_overlap():
    hashes = [perceptual_hash(cut(*window)) for window in WINDOWS]
    bits = [differing(one, other) for one, other in itertools.combinations(hashes, 2)]
    assert min(bits) > NEAR + 24
    assert HASH_BITS / 2 - 5 < np.mean(bits) < HASH_BITS / 2 + 5


def _grey(values):
    return Image.fromarray(np.broadcast_to(values, (256, 256)).astype(np.uint8))


def test_a_flat_picture_has_none():
    noise = np.random.default_rng(0).normal(0, 3, (256, 256))
    assert perceptual_hash(_grey(np.uint8(90))) is None
    assert perceptual_hash(_grey(np.arange(256))) is None, "a slope of light"
    assert perceptual_hash(_grey(90 + np.arange(256) // 8 + noise)) is None, "a slope of light on rough water"
    assert perceptual_hash(_grey(np.where(np.arange(256)[:, None] < 200, 0, 90 + 20 * noise))) is None, "mostly no data"
    assert perceptual_hash(_grey(90 + 20 * noise)) is not None


def test_the_rule_for_flat_pictures_counts_steps_up_and_down():
    steps = np.ones((16, 16), int)
    steps.flat[:LEAST_STEPS] = -1
    small = np.concatenate([np.full((16, 1), 100), 100 + np.cumsum(steps * 2, axis=1)], axis=1)
    exact = Image.fromarray(small.astype(np.uint8))  # 17 x 16: nothing is averaged
    assert perceptual_hash(exact) == np.packbits(steps > 0).tobytes().hex()
    steps.flat[0] = 0
    small = np.concatenate([np.full((16, 1), 100), 100 + np.cumsum(steps * 2, axis=1)], axis=1)
    assert perceptual_hash(Image.fromarray(small.astype(np.uint8))) is None


def test_a_large_picture_is_not_copied(monkeypatch):
    large = SCENES[0].resize((3000, 2000))
    expected = perceptual_hash(large)
    convert = Image.Image.convert

    def small_only(image, mode):
        assert image.width * image.height < 10_000
        return convert(image, mode)

    monkeypatch.setattr(Image.Image, "crop", None)
    monkeypatch.setattr(Image.Image, "convert", small_only)
    assert perceptual_hash(large) == perceptual_hash(large, Box(0, 2000, 0, 3000)) == expected is not None


def test_prepared_samples_carry_the_hash_of_their_stored_pixels(prepared):
    hashes = [sample.perceptual_hash for sample in prepared.samples]
    assert hashes == [perceptual_hash(Image.fromarray(prepared.image(index))) for index in range(len(prepared))]
    assert any(hashes)
