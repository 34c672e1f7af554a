import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from ovrisisbench.catalog import load_card
from ovrisisbench.prepare.download.pictures import Picture
from ovrisisbench.prepare.download.sources import Entry
from ovrisisbench.prepare.layouts.labels import ColourLabels, IdLabels, StrangeLabelsError, label_map_of
from ovrisisbench.prepare.windows import Box

CARD = load_card("isaid")
COLOURS = [label.colour for label in (*CARD.classes, *CARD.other_labels)]
INDICES = [*range(15), 255]
POTSDAM = load_card("potsdam")


def picture(pixels, file_format="PNG"):
    entry = Entry("train/P0003_instance_color_RGB.png", None, None, 0, "")
    return Picture(entry, Image.fromarray(pixels), file_format)


def labels_of(pixels, card=CARD):
    height, width = pixels.shape[:2]
    return ColourLabels(picture(pixels), card, card.variant()).labels(Box(0, height, 0, width))


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
    with pytest.raises(StrangeLabelsError, match=r"at row 2, column 3, which no class has") as caught:
        labels_of(pixels)
    assert str(tuple(colour)) in str(caught.value)


def test_the_pixel_is_named_in_the_coordinates_of_the_file():
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[11, 17] = (1, 2, 3)
    labels = ColourLabels(picture(pixels), CARD, CARD.variant())
    with pytest.raises(StrangeLabelsError, match=r"colour \(1, 2, 3\) at row 11, column 17"):
        labels.labels(Box(10, 14, 15, 20))


def blurred(colours, by, seed=0):
    noise = np.random.default_rng(seed).integers(0, by, (*colours.shape[:2], 3))
    return np.where(colours > 127, 255 - noise, noise).astype(np.uint8)


def test_blurred_colours_go_to_the_nearest_corner_where_the_card_says_so():
    card = POTSDAM.model_copy(update={"off_palette": "nearest corner"})
    colours = np.array([label.colour for label in card.classes], np.uint8)
    places = np.random.default_rng(1).integers(0, 6, (40, 50))
    np.testing.assert_array_equal(labels_of(blurred(colours[places], 70), card), places)
    labels = ColourLabels(picture(blurred(colours[places], 70)), card, card.variant())
    labels.labels(Box(0, 40, 0, 50))
    assert "blurred colours" in labels.remark
    exact = ColourLabels(picture(colours[places]), card, card.variant())
    exact.labels(Box(0, 40, 0, 50))
    assert exact.remark == ""


def test_a_photograph_is_no_blurred_mask():
    card = POTSDAM.model_copy(update={"off_palette": "nearest corner"})
    photograph = np.random.default_rng(2).integers(60, 160, (40, 50, 3)).astype(np.uint8)
    with pytest.raises(StrangeLabelsError, match="which no class has"):
        labels_of(photograph, card)


def test_blurred_colours_are_refused_where_the_card_does_not_allow_them():
    card = POTSDAM.model_copy(update={"off_palette": "refuse"})
    with pytest.raises(StrangeLabelsError):
        labels_of(np.full((3, 3, 3), 250, np.uint8), card)


def test_a_grey_mask_is_refused_where_colours_are_expected():
    with pytest.raises(StrangeLabelsError, match="has one band"):
        labels_of(np.zeros((2, 2), np.uint8))


@pytest.mark.parametrize("bands", [1, 3])
def test_black_and_white_masks_may_have_one_band_or_three_and_be_blurred(bands):
    card = load_card("inria").model_copy(update={"off_palette": "nearest corner"})
    places = np.random.default_rng(3).integers(0, 2, (40, 50))
    grey = blurred(np.repeat(places[..., None] * np.uint8(255), 3, axis=2), 70)[..., 0]
    mask = grey if bands == 1 else np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(labels_of(mask, card), places)
    with pytest.raises(StrangeLabelsError, match="which no class has"):
        labels_of(mask, card.model_copy(update={"off_palette": "refuse"}))


@pytest.mark.parametrize("value", [15, 16, 254])
def test_ids_out_of_range_are_refused(value):
    values = np.array([[0, 14, 255, value]], np.uint8)
    labels = label_map_of(picture(values), CARD, CARD.variant(), CARD.layout("bundle"))
    np.testing.assert_array_equal(labels.labels(Box(0, 1, 0, 3)), [[0, 14, 255]])
    with pytest.raises(StrangeLabelsError, match=rf"value {value} at row 0, column 3.*are 0\.\.14 and 255"):
        labels.labels(Box(0, 1, 0, 4))


def test_a_colour_picture_is_refused_where_ids_are_expected():
    with pytest.raises(StrangeLabelsError, match="colour picture"):
        IdLabels(picture(np.zeros((2, 2, 3), np.uint8)), {0: 0})


def test_a_palette_mask_is_read_by_its_indices():
    image = Image.fromarray(np.array([[0, 3, 14]], np.uint8)).convert("P")
    image.putpalette([value for _ in range(256) for value in (200, 100, 50)])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    mask = Picture(Entry("m.png", None, None, 0, ""), Image.open(buffer), "PNG")
    np.testing.assert_array_equal(IdLabels(mask, {0: 5, 3: 255, 14: 1}).labels(Box(0, 1, 0, 3)), [[5, 255, 1]])


@pytest.mark.parametrize(("key", "number", "index"), [("dlrsd", 17, 16), ("loveda", 0, 0), ("udd5", 4, 4)])
def test_the_publishers_ids_become_indices(key, number, index):
    card = load_card(key)
    layout = card.layout("publisher")
    variant = card.variant("original-2100" if key == "dlrsd" else None)
    labels = label_map_of(picture(np.full((1, 1), number, np.uint8)), card, variant, layout)
    assert labels.labels(Box(0, 1, 0, 1)) == index
    with pytest.raises(StrangeLabelsError):
        label_map_of(picture(np.full((1, 1), 99, np.uint8)), card, variant, layout).labels(Box(0, 1, 0, 1))


def test_a_layout_may_hold_indices_or_colours():
    card = load_card("uavid")
    layout = card.layout("bundle")
    tree = card.label("Tree")
    colours = np.full((1, 1, 3), tree.colour, np.uint8)
    for pixels in (colours, np.full((1, 1), 3, np.uint8)):
        assert label_map_of(picture(pixels), card, card.variant(), layout).labels(Box(0, 1, 0, 1)) == 3
