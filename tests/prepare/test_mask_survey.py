"""The set of values or colours tells what was done to masks, and nothing is guessed where it does not."""

import io

import numpy as np
import pytest
from PIL import Image

from ovrisisbench.catalog import load_card
from ovrisisbench.prepare.doctor.mask_survey import explain_masks
from ovrisisbench.prepare.doctor.mask_values import grey_levels
from ovrisisbench.prepare.download.sources import scan
from ovrisisbench.prepare.layouts.interface import Pair
from tests.drawn.writing import jpeg, png, write_files

INDICES = {"dlrsd": 17, "isaid": 15, "potsdam": 6, "vaihingen": 6, "uavid": 8}
IDS = {"udd5": 5, "vdd": 7, "loveda": 8}


def explain(root, key, masks, *, layout="bundle", pictures=None, variant=None, most=48):
    """Explain masks, (H, W) or (H, W, 3) uint8 or bytes each; the images are grey unless given."""
    files = {}
    for number, mask in enumerate(masks):
        content = mask if isinstance(mask, bytes) else png(mask)
        shape = (4, 4, 3) if isinstance(mask, bytes) else (*mask.shape[:2], 3)
        picture = np.full(shape, 99, np.uint8) if pictures is None else pictures[number]
        files |= {f"masks/m{number:03d}.png": content, f"images/m{number:03d}.png": png(picture)}
    found = {entry.path: entry for entry in scan(write_files(root, files)).entries}
    pairs = [
        Pair(name, "train" if number % 2 else "val", name, found[f"images/{name}.png"], found[f"masks/{name}.png"])
        for number, name in enumerate(f"m{number:03d}" for number in range(len(masks)))
    ]
    card = load_card(key)
    return explain_masks(pairs, card, card.variant(variant), card.layout(layout), most=most)


def values(*numbers, weights=None):
    """A mask that holds the numbers, each ``weights`` rows."""
    rows = [
        [number] * 9 for number, count in zip(numbers, weights or [2] * len(numbers), strict=True) for _ in range(count)
    ]
    return np.array(rows, np.uint8)


def areas(colours, side=24, reverse=False):
    """A mask in areas of colours."""
    blocks = [np.full((side, side, 3), colour[::-1] if reverse else colour, np.uint8) for colour in colours]
    return np.concatenate(blocks, axis=1)


def colours_of(key):
    card = load_card(key)
    return [label.colour for label in (*card.classes, *card.other_labels)]


@pytest.mark.parametrize("key", [*INDICES, *IDS])
def test_right_masks_need_no_explanation(tmp_path, key):
    count = INDICES.get(key) or IDS[key]
    assert explain(tmp_path, key, [values(*range(count))]) is None


@pytest.mark.parametrize("key", ["isaid", "uavid"])
def test_right_masks_in_colours_need_no_explanation(tmp_path, key):
    assert explain(tmp_path, key, [areas(colours_of(key))], layout="publisher") is None


@pytest.mark.parametrize("key", [*INDICES, *IDS])
def test_labels_counted_from_one(tmp_path, key):
    count = INDICES.get(key) or IDS[key]
    finding = explain(tmp_path, key, [values(*range(1, count)), values(count)])
    assert (finding.severity, finding.subject) == ("error", "label values")
    assert finding.found.startswith(f"1..{count} in 2 mask(s), such as masks/m001.png")
    assert "every class is one too high: the labels are counted from 1" in finding.cause


def test_labels_counted_from_one_with_ignored_pixels(tmp_path):
    finding = explain(tmp_path, "isaid", [values(*range(1, 16), 255)])
    assert "one too high: the labels are counted from 1, as the publisher's ids are" in finding.cause
    assert finding.remedy == "use the masks of the folder D2masks, which count from 0"


def test_the_publishers_ids_with_zero_for_what_is_unlabelled(tmp_path):
    finding = explain(tmp_path, "isaid", [values(0, *range(1, 16), weights=[90] + [2] * 15)])
    assert "these are the publisher's ids, with 0 for what belongs to no class" in finding.cause


@pytest.mark.parametrize("key", [key for key in [*INDICES, *IDS] if key != "udd5"])
def test_one_more_than_the_last_class_for_ignored_pixels(tmp_path, key):
    count = INDICES.get(key) or IDS[key]
    finding = explain(tmp_path, key, [values(*range(count), count, weights=[2] * count + [90])])
    assert f"{count}, one more than the last class, probably stands for ignored pixels" in finding.cause
    assert "255" in finding.remedy


def test_another_order_with_more_ids(tmp_path):
    finding = explain(tmp_path / "a", "udd5", [values(*range(6))])
    assert "these are masks of UDD6, which has 6 ids" in finding.cause
    finding = explain(tmp_path / "b", "udd5", [values(*range(7))])
    assert "these are masks of VDD, which has 7 ids" in finding.cause


@pytest.mark.parametrize(("green", "words"), [(3, "masks of UDD6"), (0, "5, one more than the last class")])
def test_the_colours_of_the_pictures_tell_more_ids_from_ignored_pixels(tmp_path, green, words):
    mask = np.repeat(np.arange(6, dtype=np.uint8), 160)[:, None].repeat(160, axis=1)
    picture = np.full((*mask.shape, 3), 120, np.uint8)
    picture[mask == green] = (70, 110, 60)
    assert words in explain(tmp_path, "udd5", [mask], pictures=[picture]).cause


@pytest.mark.parametrize(
    ("key", "layout", "masks", "words"),
    [
        ("dlrsd", "publisher", values(*range(17)), "every value was already reduced by one"),
        ("dlrsd", "publisher", values(*range(17), 255), "every value was already reduced by one"),
        ("loveda", "publisher", values(*range(7), 255), "0 became 255, as version 2 of the benchmark"),
    ],
)
def test_values_already_reduced_by_one(tmp_path, key, layout, masks, words):
    assert words in explain(tmp_path, key, [masks], layout=layout).cause


@pytest.mark.parametrize(
    ("key", "numbers", "words"),
    [
        ("dlrsd", range(0, 170, 10), "multiplied by 10"),
        ("potsdam", range(0, 255, 51), "multiplied by 51"),
        ("vdd", [round(number * 255 / 6) for number in range(7)], "stretched to 0..255"),
        ("uavid", [number * 255 // 8 for number in range(8)], "stretched to 0..255"),
    ],
)
def test_ids_that_were_spread_out_to_be_seen(tmp_path, key, numbers, words):
    assert words in explain(tmp_path, key, [values(*numbers)]).cause


@pytest.mark.parametrize(
    ("key", "layout"), [("dlrsd", "publisher"), ("dlrsd", "bundle"), ("vdd", "bundle"), ("uavid", "bundle")]
)
def test_a_palette_converted_to_grey(tmp_path, key, layout):
    grey = np.asarray(Image.fromarray(areas(colours_of(key))).convert("L"))
    assert set(np.unique(grey)) == grey_levels(colours_of(key))
    finding = explain(tmp_path, key, [grey], layout=layout)
    assert "the palette was converted to grey" in finding.cause


def test_some_values_that_happen_to_be_brightnesses_of_class_colours_are_no_palette(tmp_path):
    grey = sorted(grey_levels(colours_of("dlrsd")))
    finding = explain(tmp_path, "dlrsd", [values(*grey, 77, weights=[1] * len(grey) + [3])], layout="publisher")
    assert finding.cause == ""


@pytest.mark.parametrize(("key", "layout"), [("dlrsd", "publisher"), ("isaid", "bundle"), ("vdd", "publisher")])
def test_a_palette_converted_to_colours(tmp_path, key, layout):
    finding = explain(tmp_path / "a", key, [areas(colours_of(key))], layout=layout)
    assert "the palette was converted to colours" in finding.cause
    assert "BGR" not in finding.cause
    finding = explain(tmp_path / "b", key, [areas(colours_of(key), reverse=True)], layout=layout)
    assert "in reverse order (BGR)" in finding.cause


def test_other_colour_pictures_where_numbers_are_expected(tmp_path):
    tripled = np.repeat(values(*range(17))[..., None], 3, axis=2)
    assert (
        "their one band was written three times, with the values 0..16"
        in explain(tmp_path / "a", "dlrsd", [tripled]).cause
    )
    few = areas([(9, 8, 7), (200, 1, 3)])
    assert "by another table than the card's" in explain(tmp_path / "b", "dlrsd", [few]).cause
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    assert "these are pictures, not masks" in explain(tmp_path / "c", "dlrsd", [noise]).cause


def test_reversed_channels_of_masks_in_colours(tmp_path):
    finding = explain(tmp_path, "isaid", [areas(colours_of("isaid"), reverse=True)], layout="publisher")
    assert (finding.severity, finding.subject) == ("error", "label colours")
    assert "the channels are in reverse order" in finding.cause


@pytest.mark.parametrize("layout", ["publisher", "bundle"])
def test_a_layout_of_numbers_or_colours_is_judged_by_what_it_holds(tmp_path, layout):
    finding = explain(tmp_path, "uavid", [areas(colours_of("uavid"), reverse=True)], layout=layout)
    assert "the channels are in reverse order" in finding.cause


def test_instance_masks(tmp_path):
    objects = np.random.default_rng(3).integers(0, 256, (60, 3))
    finding = explain(tmp_path, "isaid", [areas([(0, 0, 0), *objects.tolist()])], layout="publisher")
    assert "these look like instance masks" in finding.cause
    assert "Semantic_masks" in finding.remedy


def test_numbers_and_grey_in_place_of_colours(tmp_path):
    finding = explain(tmp_path / "a", "isaid", [values(*range(16))], layout="publisher")
    assert "they hold numbers in place of colours" in finding.cause
    assert "of one band with the values 0..15" in finding.found
    grey = np.asarray(Image.fromarray(areas(colours_of("isaid"))).convert("L"))
    assert "converted to grey" in explain(tmp_path / "b", "isaid", [grey], layout="publisher").cause
    tripled = np.repeat(grey[..., None], 3, axis=2)
    assert "converted to grey" in explain(tmp_path / "c", "isaid", [tripled], layout="publisher").cause
    ambiguous = explain(tmp_path / "d", "isaid", [values(0, 7, 14)], layout="publisher")
    assert ambiguous.cause == "these are converted masks"


def smoothed(mask):
    image = Image.fromarray(mask)
    half = image.resize((image.width // 2 + 5, image.height // 2 + 3), Image.Resampling.BILINEAR)
    return np.asarray(half.resize(image.size, Image.Resampling.BILINEAR))


def test_resized_masks_and_jpeg_masks(tmp_path):
    mask = areas(colours_of("isaid"), side=60)
    finding = explain(tmp_path / "a", "isaid", [smoothed(mask)], layout="publisher")
    assert "resized or smoothed" in finding.cause
    assert "JPEG files" in explain(tmp_path / "b", "isaid", [jpeg(mask)], layout="publisher").cause
    was_jpeg = np.asarray(Image.open(io.BytesIO(jpeg(mask))))
    assert "once stored as JPEG" in explain(tmp_path / "c", "isaid", [was_jpeg], layout="publisher").cause


def test_opaque_alpha_changes_nothing(tmp_path):
    mask = areas(colours_of("isaid"), reverse=True)
    opaque = np.dstack([mask, np.full(mask.shape[:2], 255, np.uint8)])
    assert "reverse order" in explain(tmp_path, "isaid", [opaque], layout="publisher").cause


@pytest.mark.parametrize(
    ("key", "numbers"),
    [
        ("dlrsd", (0, 3, 77)),
        ("dlrsd", (0, 1, 17, 255)),
        ("loveda", (0, 3, 9)),
        ("udd5", (0, 4, 200)),
        ("isaid", (40, 41, 43)),
    ],
)
def test_without_evidence_the_strange_values_are_listed_and_nothing_is_guessed(tmp_path, key, numbers):
    finding = explain(tmp_path, key, [values(0, 1), values(*numbers)])
    assert finding.cause == ""
    strange = max(number for number in numbers if number != 255)
    assert f"{strange} (18 pixel(s), first in masks/m001.png)" in finding.found
    assert finding.remedy


@pytest.mark.parametrize(("key", "count"), [("isaid", 15), ("udd5", 5), ("uavid", 8)])
@pytest.mark.parametrize("ignored", [[], [255]])
def test_a_single_strange_pixel_is_no_evidence(tmp_path, key, count, ignored):
    mask = np.repeat(values(*range(count), *(ignored if key != "udd5" else [])), 30, axis=0)
    mask[7, 5] = count
    assert explain(tmp_path, key, [mask]).cause == ""


def test_one_strange_colour_is_listed_and_nothing_is_guessed(tmp_path):
    finding = explain(tmp_path, "uavid", [areas([(128, 0, 0), (10, 200, 250)])], layout="publisher")
    assert finding.cause == ""
    assert finding.found == "(10, 200, 250) (576 pixel(s)) in 1 mask(s), such as masks/m000.png"


def test_damaged_masks_are_passed_over(tmp_path):
    assert explain(tmp_path / "a", "dlrsd", [b"no picture", png(values(0))[:40]]) is None
    assert "one too high" in explain(tmp_path / "b", "dlrsd", [b"no picture", values(1, 17)]).cause


def test_no_masks_are_no_finding():
    card = load_card("dlrsd")
    assert explain_masks([], card, card.variant(), card.layout("bundle")) is None


def test_few_masks_of_a_long_list_are_read_from_all_its_parts(tmp_path):
    for number, part in enumerate([range(10), range(10, 20), range(20, 30), range(30, 40)]):
        masks = [values(1, 17) if place in part else values(1, 2) for place in range(40)]
        finding = explain(tmp_path / str(number), "dlrsd", masks, most=8)
        assert "1..2 and 17 in 8 mask(s)" in finding.found
