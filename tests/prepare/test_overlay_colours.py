"""Classes are drawn in the publisher's colours, as far as those can be told apart."""

from itertools import combinations

import numpy as np
import pytest

from ovrisisbench.catalog import dataset_keys, load_card
from ovrisisbench.prepare.contact_sheet.overlay_colours import _APART, _IGNORED, _distances, _oklab, overlay_colours
from ovrisisbench.prepare.storage.manifest import Manifest
from tests.drawn.prepared_file import drawn_manifest, drawn_sample, noise


def manifest(dataset, variant=None):
    card = load_card(dataset)
    sample = drawn_sample("a", *noise(0, 2, 2, classes=1))
    return Manifest.build(card, card.variant(variant), [sample], layout="publisher")


def distance(one, other):
    return _distances(_oklab([one]), other)[0]


@pytest.mark.parametrize("dataset", dataset_keys())
def test_no_two_classes_look_alike_in_any_data_set(dataset):
    for variant in load_card(dataset).variants:
        colours = overlay_colours(manifest(dataset, variant.name))
        assert min(distance(one.colour, other.colour) for one, other in combinations(colours, 2)) >= _APART


@pytest.mark.parametrize("dataset", ["dlrsd", "loveda", "potsdam", "uavid", "udd5", "vaihingen", "vdd"])
def test_the_publishers_colours_are_kept_where_all_differ(dataset):
    card = load_card(dataset)
    expected = {
        card.variant().labels[label.name]: label.colour for label in reversed((*card.classes, *card.other_labels))
    }
    expected.pop("ignore", None)
    colours = overlay_colours(manifest(dataset))
    assert [colour.colour for colour in colours] == [expected[index] for index in range(len(colours))]
    assert all(colour.is_published for colour in colours)


def test_of_two_that_look_alike_the_first_keeps_its_colour():
    colours = overlay_colours(manifest("isaid"))
    names = manifest("isaid").class_names
    assert colours[names.index("basketball court")].css == "#003fbf"
    helicopter = colours[names.index("helicopter")]
    assert helicopter.colour != (0, 0, 191)
    assert not helicopter.is_published


@pytest.mark.parametrize("fields", [{"dataset": "unheard-of"}, {"variant": "unheard-of"}])
def test_without_a_card_all_colours_are_substitutes_that_differ(fields):
    colours = overlay_colours(manifest("loveda").model_copy(update=fields))
    assert not any(colour.is_published for colour in colours)
    assert min(distance(one.colour, other.colour) for one, other in combinations(colours, 2)) >= _APART
    assert min(distance(colour.colour, _IGNORED) for colour in colours) >= _APART


def test_as_many_classes_as_a_label_map_can_hold_get_different_colours():
    names = tuple(f"class {index}" for index in range(255))
    sample = drawn_sample("a", np.zeros((15, 17, 3), np.uint8), np.arange(255, dtype=np.uint8).reshape(15, 17))
    fields = {"class_names": names, "class_pixels": (1,) * 255, "ignored_pixels": 0}
    wide = drawn_manifest([drawn_sample("a", *noise(0, 2, 2, classes=1))]).model_dump()
    made = Manifest.model_construct(**{**wide, **fields, "samples": (sample,)})
    assert len({colour.colour for colour in overlay_colours(made)}) == 255


def test_oklab_has_black_at_0_and_white_at_1():
    np.testing.assert_allclose(_oklab([(0, 0, 0), (255, 255, 255)]), [[0, 0, 0], [1, 0, 0]], atol=1e-6)
