"""Every label is right: the kind of a pixel is that of the shape over its centre, and nothing else changes it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ovrisisbench.mini.camera import Nadir, Oblique
from ovrisisbench.mini.canvas import Canvas
from ovrisisbench.mini.developing import Light, develop
from ovrisisbench.mini.kinds import KINDS, kind_index
from ovrisisbench.mini.shapes import hull

SIZE = (40, 48)
PLAIN = Light(brightness=1, contrast=1, saturation=1, warmth=0, haze=0, shadow=0.5, blur=0, noise=0, false_colour=False)
corners = st.lists(st.tuples(st.floats(-6, 6), st.floats(-5, 5)), min_size=3, max_size=7, unique=True)
ALL_KINDS = [kind for kind in KINDS if kind != "no data"]


def _canvas(camera=None):
    canvas = Canvas(SIZE, camera or Nadir(SIZE, 0.25, 0))
    canvas.fill_all(canvas.paint((90, 120, 70), "grass", "plain"))
    return canvas


def _developed(canvas, light=PLAIN):
    return develop(canvas, light, np.random.default_rng(0))


def _signed_distance(outline, points):
    """Distance in pixels of points inside a convex outline from its border, negative outside."""
    sides = np.roll(outline, -1, axis=0) - outline
    turning = np.sign(np.sum(outline[:, 0] * np.roll(outline[:, 1], -1) - outline[:, 1] * np.roll(outline[:, 0], -1)))
    from_corner = points[:, None, :] - outline[None]
    cross = sides[:, 0] * from_corner[..., 1] - sides[:, 1] * from_corner[..., 0]
    return (turning * cross / np.linalg.norm(sides, axis=1)).min(axis=1)


@settings(max_examples=60, deadline=None)
@given(corners, st.sampled_from(ALL_KINDS), st.booleans())
def test_a_pixel_has_the_kind_of_the_shape_over_its_centre(points, kind, is_oblique):
    outline = hull(np.round(points, 6))  # no sides whose length squares to nothing
    canvas = _canvas(Oblique(SIZE, 12, 55, 60, 20) if is_oblique else None)
    canvas.fill(outline, canvas.paint((200, 30, 30), kind, "plain"))
    seen = canvas.camera.project(outline)
    if len(outline) < 3 or len(seen) < 3:
        return
    rows, columns = np.indices(SIZE)
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    inside = _signed_distance(seen, centres).reshape(SIZE)
    kinds = _developed(canvas)[1]
    # Three samples a pixel: a border may lie a third of a pixel off, the tip of a sharp corner three fifths.
    assert (kinds[inside > 0.34] == kind_index(kind)).all()
    assert (kinds[inside < -0.6] == kind_index("grass")).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(corners, min_size=1, max_size=4), corners)
def test_a_shadow_changes_no_label_and_darkens_the_picture(shapes, dark):
    lit, shaded = _canvas(), _canvas()
    for canvas in (lit, shaded):
        for number, points in enumerate(shapes):
            canvas.fill(hull(np.array(points)), canvas.paint((200, 200, 200), ALL_KINDS[number], "plain"))
    shaded.shadow(hull(np.array(dark)))
    (bright, labels), (darker, same) = _developed(lit), _developed(shaded)
    assert (labels == same).all()
    assert (darker <= bright).all()


def test_a_full_shadow_takes_its_share_of_the_light():
    canvas = _canvas()
    canvas.shadow(np.array([(-9, -9), (9, -9), (9, 9), (-9, 9)]))
    bright, dark = _developed(_canvas())[0].astype(float), _developed(canvas)[0].astype(float)
    assert np.allclose(dark[8:-8, 8:-8, 0] / bright[8:-8, 8:-8, 0], 0.5, atol=0.02)


def test_the_colour_of_a_pixel_is_the_mean_of_all_its_samples():
    canvas = _canvas(Nadir(SIZE, 1.0, 0))
    # Column 24 begins in the middle, at x = 0: a shape from there to x = 1/3 covers a third of its pixels.
    canvas.fill(np.array([(0.0, -20), (1 / 3 - 0.01, -20), (1 / 3 - 0.01, 20), (0.0, 20)]),
                canvas.paint((0, 0, 0), "road", "plain"))  # fmt: skip
    picture, kinds = _developed(canvas)
    assert (kinds == kind_index("grass")).all()  # the centre is not covered
    plain = picture[20, 10].astype(float)
    assert 0.55 < (picture[20, 24] / plain).mean() < 0.78


def test_pixels_without_data_are_black_whatever_the_weather():
    canvas = _canvas()
    canvas.fill_picture(np.array([(0.0, 0.0), (30.0, 0.0), (0.0, 30.0)]), 0)
    light = Light(
        brightness=1.1, contrast=1, saturation=1, warmth=5, haze=0.3, shadow=0.5, blur=1, noise=4, false_colour=False
    )
    picture, kinds = _developed(canvas, light)
    blank = kinds == kind_index("no data")
    assert 300 < blank.sum() < 600
    assert not picture[blank].any()
    assert picture[~blank].min() > 0


def test_plants_are_bright_in_near_infrared_and_water_is_dark():
    light = Light(
        brightness=1, contrast=1, saturation=1, warmth=0, haze=0, shadow=0.5, blur=0, noise=0, false_colour=True
    )
    means = {}
    for material, colour in {"grass": (90, 120, 70), "water": (66, 92, 88), "asphalt": (96, 96, 98)}.items():
        canvas = Canvas(SIZE, Nadir(SIZE, 0.25, 0))
        canvas.fill_all(canvas.paint(colour, "grass", material))
        means[material] = _developed(canvas, light)[0].reshape(-1, 3).mean(axis=0)
    assert means["grass"][0] > 1.3 * means["grass"][1]
    assert means["water"][0] < 0.6 * means["water"][1]
    assert abs(means["asphalt"][0] - means["asphalt"][1]) < 20
