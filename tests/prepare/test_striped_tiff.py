"""A TIFF decoded in strips gives the same pixels as one decoded whole."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ovrisisbench.prepare.download import striped_tiff
from ovrisisbench.prepare.download.pictures import UnusableFileError, open_picture
from ovrisisbench.prepare.download.sources import scan
from ovrisisbench.prepare.download.striped_tiff import StripedTiff, is_striped
from ovrisisbench.prepare.windows import Box

COMPRESSIONS = [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"]


@pytest.fixture(autouse=True)
def _small_pictures_count_as_large(monkeypatch):
    monkeypatch.setattr(striped_tiff, "_LEAST_PIXELS", 0)


def tiff(pixels, compression, rows=7, predictor=1):
    content = io.BytesIO()
    tags = {278: rows, 317: predictor} if predictor > 1 else {278: rows}
    Image.fromarray(pixels).save(content, "TIFF", compression=compression, tiffinfo=tags)
    return content.getvalue()


def noise(height, width, bands, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, bands)).astype(np.uint8)
    return pixels[..., 0] if bands == 1 else pixels


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_every_rectangle_equals_the_whole_picture(compression, bands):
    pixels = noise(50, 33, bands)
    stream = io.BytesIO(tiff(pixels, compression))
    with Image.open(stream) as image:
        assert is_striped(image)
        parts = StripedTiff(image, stream)
        for y0, y1, x0, x1 in ((0, 50, 0, 33), (0, 7, 0, 33), (6, 8, 3, 4), (49, 50, 0, 1), (13, 41, 30, 33)):
            np.testing.assert_array_equal(np.asarray(parts.crop((x0, y0, x1, y1))), pixels[y0:y1, x0:x1])


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_rectangles_in_any_order_equal_the_whole_picture(data):
    height, width = data.draw(st.integers(2, 40)), data.draw(st.integers(1, 40))
    pixels = noise(height, width, 3, seed=height * width)
    stream = io.BytesIO(tiff(pixels, "tiff_lzw", rows=data.draw(st.integers(1, height - 1))))
    with Image.open(stream) as image:
        parts = StripedTiff(image, stream)
        for _ in range(4):
            y0 = data.draw(st.integers(0, height - 1))
            y1 = data.draw(st.integers(y0 + 1, height))
            x0 = data.draw(st.integers(0, width - 1))
            x1 = data.draw(st.integers(x0 + 1, width))
            np.testing.assert_array_equal(np.asarray(parts.crop((x0, y0, x1, y1))), pixels[y0:y1, x0:x1])


def test_differences_between_neighbours_are_undone():
    pixels = noise(30, 20, 3)
    content = tiff(pixels, "tiff_lzw", rows=5, predictor=2)
    assert content != tiff(pixels, "tiff_lzw", rows=5)
    stream = io.BytesIO(content)
    with Image.open(stream) as image:
        np.testing.assert_array_equal(np.asarray(StripedTiff(image, stream).crop((0, 0, 20, 30))), pixels)


def test_one_large_strip_without_compression_is_cut_up(monkeypatch):
    monkeypatch.setattr(striped_tiff, "_STRIP_BYTES", 500)
    pixels = noise(41, 33, 3)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "TIFF")
    with Image.open(content) as image:
        assert len(image.tag_v2[273]) == 1
        parts = StripedTiff(image, content)
        np.testing.assert_array_equal(np.asarray(parts.crop((2, 3, 30, 41))), pixels[3:41, 2:30])
        np.testing.assert_array_equal(np.asarray(parts.crop((0, 0, 33, 41))), pixels)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_cut_off_file_is_unusable_wherever_it_is_read(tmp_path, keep):
    content = tiff(noise(64, 64, 3), "tiff_lzw")
    (tmp_path / "whole.tif").write_bytes(content)
    (whole,) = scan(tmp_path).entries
    with open_picture(whole) as picture:
        assert isinstance(picture.decoded, StripedTiff)
        assert picture.rgb(Box(0, 64, 0, 64)).shape == (64, 64, 3)
    (tmp_path / "whole.tif").write_bytes(content[: int(len(content) * keep)])
    (cut,) = scan(tmp_path).entries
    with pytest.raises(UnusableFileError, match=r"whole\.tif is .*cut off"), open_picture(cut) as picture:
        picture.rgb(Box(0, 64, 0, 64))


@pytest.mark.parametrize(("extra", "mode"), [(0, "RGB"), (1, "RGBA"), (2, "RGBA")])
def test_a_fourth_band_never_changes_the_first_three(tmp_path, extra, mode):
    pixels = noise(40, 30, 4)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "TIFF", compression="tiff_lzw", tiffinfo={278: 9})
    raw = content.getvalue().replace(
        b"\x52\x01\x03\x00\x01\x00\x00\x00\x02", b"\x52\x01\x03\x00\x01\x00\x00\x00" + bytes([extra])
    )
    (tmp_path / "RGBIR.tif").write_bytes(raw)
    (entry,) = scan(tmp_path).entries
    with open_picture(entry, extra_bands=1) as picture:
        assert picture.mode == mode
        np.testing.assert_array_equal(picture.rgb(Box(0, 40, 0, 30)), pixels[..., :3])
        np.testing.assert_array_equal(picture.rgb(Box(3, 11, 5, 6)), pixels[3:11, 5:6, :3])
