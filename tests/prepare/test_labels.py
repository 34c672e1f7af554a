import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from ovrisisbench.catalog import load_card
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.labels import ColourLabels, ColourTable, IndexLabels, colour_table
from ovrisisbench.prepare.pictures import Picture
from ovrisisbench.prepare.sources import Entry
from ovrisisbench.prepare.windows import Box

CARD = load_card("isaid")
COLOURS = [label.colour for label in (*CARD.classes, *CARD.other_labels)]
INDICES = [*range(15), 255]
HINT = "it looks like the instance mask"


def picture(pixels, file_format="PNG"):
    entry = Entry("train/P0003_instance_color_RGB.png", None, None, 0, "")
    return Picture(entry, Image.fromarray(pixels), file_format)


def labels_of(pixels, **options):
    table = colour_table(CARD, CARD.variant())
    height, width = pixels.shape[:2]
    return ColourLabels(picture(pixels, **options), table, hint=HINT).labels(Box(0, height, 0, width))


def test_every_colour_of_the_card_gets_its_index():
    np.testing.assert_array_equal(labels_of(np.array([COLOURS], np.uint8)), [INDICES])


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 15)))
def test_colours_agree_with_a_dictionary(places):
    expected = np.vectorize(lambda place: INDICES[place])(places)
    np.testing.assert_array_equal(labels_of(np.array(COLOURS, np.uint8)[places]), expected)


@given(st.tuples(*[st.integers(0, 255)] * 3).filter(lambda colour: colour not in COLOURS))
def test_no_other_colour_passes(colour):
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[2, 3] = colour
    with pytest.raises(DataError, match=r"at row 2, column 3, which no class has") as caught:
        labels_of(pixels)
    assert str(tuple(colour)) in str(caught.value)


def test_the_pixel_is_named_in_the_coordinates_of_the_file():
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[11, 17] = (1, 2, 3)
    labels = ColourLabels(picture(pixels), colour_table(CARD, CARD.variant()), hint=HINT)
    with pytest.raises(DataError, match=r"colour \(1, 2, 3\) at row 11, column 17"):
        labels.labels(Box(10, 14, 15, 20))


@pytest.mark.parametrize("colour", [label.colour for label in CARD.classes if label.colour[0] != label.colour[2]])
def test_reversed_channels_are_recognised(colour):
    with pytest.raises(DataError, match="looks like BGR"):
        labels_of(np.array([[colour[::-1]]], np.uint8))


def test_the_likely_cause_of_other_colours_is_said():
    strange = np.full((2, 2, 3), 77, np.uint8)
    with pytest.raises(DataError, match="looks like the instance mask"):
        labels_of(strange)
    with pytest.raises(DataError, match="JPEG"):
        labels_of(strange, file_format="JPEG")


def test_a_grey_mask_is_refused_where_colours_are_expected():
    with pytest.raises(DataError, match="has one band"):
        labels_of(np.zeros((2, 2), np.uint8))


def test_a_table_with_too_many_colours_is_a_bug_of_ours():
    with pytest.raises(ValueError, match="at most 254"):
        ColourTable(tuple(((index, 0, 0), index) for index in range(255)))


@pytest.mark.parametrize("value", [15, 16, 254])
def test_ids_out_of_range_are_refused(value):
    values = np.array([[0, 14, 255, value]], np.uint8)
    labels = IndexLabels(picture(values), 15, hint="off by one")
    np.testing.assert_array_equal(labels.labels(Box(0, 1, 0, 3)), [[0, 14, 255]])
    with pytest.raises(DataError, match=f"value {value} at row 0, column 3.*off by one"):
        labels.labels(Box(0, 1, 0, 4))


def test_a_colour_picture_is_refused_where_ids_are_expected():
    with pytest.raises(DataError, match="colour picture"):
        IndexLabels(picture(np.zeros((2, 2, 3), np.uint8)), 15, hint="")


def test_a_palette_mask_is_read_by_its_indices():
    image = Image.fromarray(np.array([[0, 3, 14]], np.uint8)).convert("P")
    image.putpalette([value for _ in range(256) for value in (200, 100, 50)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    mask = Picture(Entry("m.png", None, None, 0, ""), Image.open(buffer), "PNG")
    np.testing.assert_array_equal(IndexLabels(mask, 15, hint="").labels(Box(0, 1, 0, 3)), [[0, 3, 14]])
