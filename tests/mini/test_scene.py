"""Scenes are the same for equal seeds, hold what they should, and things stand where they belong."""

import numpy as np
import pytest

from ovrisisbench.catalog import load_card, load_vocabulary
from ovrisisbench.errors import CatalogError
from ovrisisbench.mini import KINDS, PLACES, crops, draw_scene, load_style, style_names
from ovrisisbench.mini.downloads.drawing import item_seed, place_of
from ovrisisbench.mini.downloads.layouts import LAYOUTS
from ovrisisbench.mini.kinds import kind_index

SISTERS = ["dlrsd", "isaid", "loveda", "potsdam", "uavid", "udd5", "vaihingen", "vdd"]


def _kinds(names):
    return [kind_index(name) for name in names]


def _around(kinds, kind, reach=2):
    """Numbers of the kinds of all pixels within ``reach`` of one kind that are not of it."""
    here = kinds == kind_index(kind)
    near = np.zeros_like(here)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            near |= np.roll(here, (dy, dx), axis=(0, 1))
    ring = near & ~here
    ring[:reach] = ring[-reach:] = False
    ring[:, :reach] = ring[:, -reach:] = False
    return kinds[ring]


def test_there_is_a_style_for_every_data_set_of_the_benchmark():
    assert style_names() == [f"mini-{key}" for key in SISTERS] == list(LAYOUTS)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("style", ["mini-dlrsd", "mini-vdd"])
def test_every_place_can_be_drawn_from_above_and_at_an_angle(place, style):
    scene = draw_scene(style, (1, 2), place=place, size=(120, 160))
    assert scene.picture.shape == (120, 160, 3)
    assert scene.kinds.shape == (120, 160)
    assert scene.picture.dtype == scene.kinds.dtype == np.uint8
    assert scene.place == place
    assert scene.picture.std() > 4
    assert kind_index("no data") not in scene.kinds


def test_equal_seeds_draw_equal_pixels_and_others_do_not():
    first, again, other = (draw_scene("mini-uavid", (3, seed), place="homes") for seed in (1, 1, 2))
    assert (first.picture == again.picture).all()
    assert (first.kinds == again.kinds).all()
    assert (first.kinds != other.kinds).mean() > 0.1


def test_styles_differ_in_their_colours_of_the_same_place():
    means = {
        key: np.mean(
            [draw_scene(key, (9, n), place="park", size=(128, 128)).picture.mean(axis=(0, 1)) for n in (0, 1)], 0
        )
        for key in ("mini-dlrsd", "mini-loveda", "mini-potsdam", "mini-vaihingen")
    }
    names = list(means)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            assert np.abs(means[first] - means[second]).max() > 6, (first, second)


@pytest.mark.parametrize("seed", range(3))
def test_ships_lie_in_water_and_at_docks(seed):
    for place, allowed in (("open sea", ["sea"]), ("harbour", ["water", "dock"])):
        around = _around(draw_scene("mini-isaid", (seed, 5), place=place).kinds, "ship")
        assert around.size
        assert np.isin(around, _kinds(allowed)).mean() > 0.97


@pytest.mark.parametrize("seed", range(3))
def test_cars_drive_on_roads_and_planes_stand_on_paved_ground(seed):
    for place, kind, allowed in (
        ("freeway", "moving car", ["road", "bridge", "truck", "tree"]),
        ("crossing", "moving car", ["road", "truck", "tree", "pavement"]),
        ("apron", "plane", ["pavement", "truck", "parked car"]),
        ("river", "bridge", ["water", "road", "pavement", "moving car", "truck", "bare soil", "grass", "tree", "ship"]),
    ):
        around = _around(draw_scene("mini-dlrsd", (seed, 6), place=place).kinds, kind)
        assert np.isin(around, _kinds(allowed)).mean() > 0.9, place


def test_facades_are_seen_at_an_angle_only():
    wall = kind_index("wall")
    assert (draw_scene("mini-udd5", (1, 1), place="centre").kinds == wall).mean() > 0.01
    assert wall not in draw_scene("mini-potsdam", (1, 1), place="centre").kinds


def test_a_flight_shows_the_same_ground_again():
    first, second = (draw_scene("mini-uavid", (4, 4), place="homes", aim=aim) for aim in (0.0, 9.0))
    assert (first.kinds != second.kinds).mean() > 0.1
    # What was seen further up comes down.
    best = max((first.kinds[: 144 - step] == second.kinds[step:]).mean() for step in range(8, 60))
    assert best > (first.kinds == second.kinds).mean()


@pytest.mark.parametrize("key", [f"mini-{key}" for key in SISTERS])
def test_every_class_is_there_in_a_useful_number_of_pixels(key):
    style, card = load_style(key), load_card(key)
    variant = card.variant()
    indices = np.array([variant.index(label) for label in style.labels_of_kinds()])
    items = LAYOUTS[key].items(30, style)
    tested = [item for item in items if item.split != "train" or key not in ("mini-dlrsd", "mini-isaid")]
    if key == "mini-dlrsd":
        tested = tested[::2]
    pixels = np.zeros(256, int)
    for item in tested[: 12 if key == "mini-isaid" else 21]:
        scene = draw_scene(style, item_seed(key, 0, item), place=place_of(style, item), aim=item.aim)
        pixels += np.bincount(indices[scene.kinds.ravel()], minlength=256)
    names = load_vocabulary(variant.vocabulary).class_names
    counts = dict(zip(names, pixels.tolist(), strict=False))
    assert min(counts.values()) > 400, counts


def test_the_training_sets_show_every_place_of_their_style():
    for key in ("mini-dlrsd", "mini-isaid"):
        style = load_style(key)
        shown = {place_of(style, item) for item in LAYOUTS[key].items(30, style) if item.split == "train"}
        assert shown == set(style.places)


def test_crops_come_with_what_is_visible_in_them():
    found = list(crops(seed=0, count=20, size=64))
    assert len(found) == 20
    assert len({crop.style for crop in found}) > 2
    for crop in found:
        assert crop.picture.shape == (64, 64, 3)
        assert crop.kinds.shape == (64, 64)
        assert sum(crop.shares.values()) == pytest.approx(1)
        assert list(crop.shares.values()) == sorted(crop.shares.values(), reverse=True)
        assert set(crop.shares) <= set(KINDS) - {"no data"}
        for kind, share in crop.shares.items():
            assert (crop.kinds == kind_index(kind)).mean() == pytest.approx(share)
    again = list(crops(seed=0, count=20, size=64))
    assert all((one.picture == other.picture).all() for one, other in zip(found, again, strict=True))


def test_small_crops_leave_room_for_every_place():
    assert len(list(crops(seed=4, count=300, size=32))) == 300


def test_crops_can_be_of_chosen_styles_and_places():
    (crop,) = crops(seed=3, count=1, size=96, styles=["mini-vaihingen"], places=["harbour"])
    assert (crop.style, crop.place) == ("mini-vaihingen", "harbour")
    with pytest.raises(ValueError, match="32 to 256"):
        list(crops(seed=0, count=1, size=16))


def test_an_unknown_style_is_refused_with_a_suggestion():
    with pytest.raises(CatalogError, match="Did you mean 'mini-isaid'"):
        draw_scene("mini-isiad", (0,))
