import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download import pictures
from ovrisisbench.prepare.download.archives import close_archives
from ovrisisbench.prepare.download.pictures import open_picture, picture_size
from ovrisisbench.prepare.download.sources import scan
from ovrisisbench.prepare.windows import Box
from tests.drawn.isaid import png, write_zip

WHOLE = Box(0, 40, 0, 50)


@pytest.fixture(autouse=True)
def _closed_archives():
    yield
    close_archives()


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)


def entry_of(tmp_path, content, name="P0003.png"):
    (tmp_path / name).write_bytes(content)
    return scan(tmp_path).entries[0]


def saved(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF"])
def test_the_content_decides_not_the_ending(tmp_path, pixels, file_format):
    entry = entry_of(tmp_path, saved(Image.fromarray(pixels), file_format))
    with open_picture(entry) as picture:
        assert picture.file_format == file_format
        np.testing.assert_array_equal(picture.rgb(WHOLE), pixels)
        assert picture.conversion == ""
    assert picture_size(entry) == (40, 50)


def test_a_rectangle_is_rows_first(tmp_path, pixels):
    with open_picture(entry_of(tmp_path, png(pixels))) as picture:
        np.testing.assert_array_equal(picture.rgb(Box(3, 9, 20, 45)), pixels[3:9, 20:45])


def test_zip_members_decode_in_place(tmp_path, pixels):
    write_zip(tmp_path / "a.zip", {"x.png": png(pixels)})
    with open_picture(scan(tmp_path).entries[0]) as picture:
        np.testing.assert_array_equal(picture.rgb(WHOLE), pixels)


def test_packed_colours_are_red_plus_256_green_plus_65536_blue(tmp_path, pixels):
    wide = pixels.astype(np.uint32)
    with open_picture(entry_of(tmp_path, png(pixels))) as picture:
        np.testing.assert_array_equal(
            picture.packed_rgb(WHOLE), wide[..., 0] + 256 * wide[..., 1] + 65536 * wide[..., 2]
        )


def test_grey_is_repeated_and_said(tmp_path, pixels):
    with open_picture(entry_of(tmp_path, png(pixels[..., 0]))) as picture:
        assert "grey" in picture.conversion
        np.testing.assert_array_equal(picture.rgb(WHOLE), np.repeat(pixels[..., :1], 3, axis=2))


def test_palette_indices_and_colours_are_both_at_hand(tmp_path):
    indices = np.arange(2000).reshape(40, 50).astype(np.uint8) % 7
    image = Image.fromarray(indices, "L").convert("P")
    image.putpalette([value for index in range(256) for value in (index, 2 * index % 256, 255 - index)])
    with open_picture(entry_of(tmp_path, saved(image, "PNG"))) as picture:
        np.testing.assert_array_equal(picture.band(WHOLE), indices)
        np.testing.assert_array_equal(picture.rgb(WHOLE)[..., 1], indices * 2)


def test_opaque_alpha_is_dropped_and_see_through_refused(tmp_path, pixels):
    alpha = np.full((40, 50, 1), 255, np.uint8)
    with open_picture(entry_of(tmp_path, png(np.concatenate([pixels, alpha], axis=2)))) as picture:
        assert "alpha" in picture.conversion
        np.testing.assert_array_equal(picture.rgb(WHOLE), pixels)
    alpha[5, 5] = 254
    with (
        pytest.raises(DataError, match="see-through"),
        open_picture(entry_of(tmp_path, png(np.concatenate([pixels, alpha], axis=2)))),
    ):
        pass


def test_sixteen_bits_are_refused(tmp_path):
    grey = np.arange(2000, dtype=np.uint16).reshape(40, 50)
    with pytest.raises(DataError, match="more than 8 bits"):
        picture_size(entry_of(tmp_path, saved(Image.fromarray(grey), "PNG")))


def test_forty_eight_bit_rgb_is_refused_though_pillow_calls_it_rgb(tmp_path):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + bytes(4 * 6) for _ in range(3))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert Image.open(io.BytesIO(content)).mode == "RGB"
    with pytest.raises(DataError, match="more than 8 bits"):
        picture_size(entry_of(tmp_path, content))


def test_the_orientation_of_cameras_is_not_applied(tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = 6
    with open_picture(entry_of(tmp_path, saved(Image.fromarray(pixels), "PNG", exif=exif))) as picture:
        assert (picture.height, picture.width) == (40, 50)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_cut_off_picture_is_named(tmp_path, pixels, keep):
    content = png(pixels)
    entry = entry_of(tmp_path, content[: int(len(content) * keep)])
    with pytest.raises(DataError, match=r"P0003\.png is damaged or cut off"), open_picture(entry):
        pass


def test_a_damaged_zip_member_is_named(tmp_path, pixels):
    archive = write_zip(tmp_path / "a.zip", {"P0003.png": png(pixels)})
    content = bytearray(archive.read_bytes())
    content[3000:3010] = b"0123456789"
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"P0003\.png is damaged"), open_picture(scan(tmp_path).entries[0]):
        pass


def test_something_else_than_a_picture_is_named(tmp_path):
    with pytest.raises(DataError, match=r"P0003\.png is no PNG, BMP, TIFF or JPEG picture"):
        picture_size(entry_of(tmp_path, b"<html>please log in</html>"))


def test_the_longest_known_image_is_admitted_and_a_bomb_is_not(tmp_path, monkeypatch, pixels):
    assert pictures.MAX_PIXELS >= 13_383**2
    monkeypatch.setattr(pictures, "MAX_PIXELS", 40 * 50)
    assert picture_size(entry_of(tmp_path, png(pixels))) == (40, 50)
    for limit in (40 * 50 - 1, 40 * 50 // 3):
        monkeypatch.setattr(pictures, "MAX_PIXELS", limit)
        with pytest.raises(DataError, match="pixels"):
            picture_size(entry_of(tmp_path, png(pixels)))


def test_pillows_own_limit_is_put_back(tmp_path, pixels):
    before = Image.MAX_IMAGE_PIXELS
    picture_size(entry_of(tmp_path, png(pixels)))
    assert before == Image.MAX_IMAGE_PIXELS


def test_the_pixels_are_freed_on_leaving(tmp_path, pixels):
    with open_picture(entry_of(tmp_path, png(pixels))) as picture:
        pass
    with pytest.raises(ValueError, match="closed image"):
        picture.rgb(WHOLE)
