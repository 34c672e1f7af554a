import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovrisisbench.catalog import load_card, load_protocol
from ovrisisbench.errors import CatalogError, DataError
from ovrisisbench.scoring.reading import Prediction, read_prediction
from ovrisisbench.scoring.value_names import ValueNames, legend_names, read_names

NAMES = ("road", "water", "tree")
NOWHERE = np.zeros((1, 3), np.uint8)


@pytest.mark.parametrize(
    ("content", "indices", "colours"),
    [
        ("[road, WATER, tree]", {0: 0, 1: 1, 2: 2}, {}),
        ("[null, tree]", {1: 2}, {}),
        ("5: tree\n6: tree\n", {5: 2, 6: 2}, {}),
        ('{"0": "water", "255": "road"}', {0: 1, 255: 0}, {}),
        ('"#ff0080": road\n"0, 255, 0": tree\n', {}, {0x8000FF: 0, 0x00FF00: 2}),
    ],
)
def test_a_file_names_indices_or_colours(content, indices, colours, tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text(content)
    assert read_names(path, NAMES) == ValueNames(indices, colours)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("0: watre", "Did you mean 'water'"),
        ("-1: water", "neither an index"),
        ("256: water", "neither an index"),
        ('"300, 0, 0": water', "neither an index"),
        ("true: water", "neither an index"),
        ("just text", "neither a list"),
    ],
)
def test_a_file_that_names_nothing_known_is_refused(content, words, tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text(content)
    with pytest.raises(DataError, match=words):
        read_names(path, NAMES)


def test_a_value_that_is_named_twice_is_refused(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text("1: road\n1: water\n")
    with pytest.raises(CatalogError, match="twice"):
        read_names(path, NAMES)


def test_the_colours_of_the_legend_are_those_of_the_classes():
    protocol = load_protocol()
    names = legend_names(load_card("potsdam"), protocol.variant("potsdam"))
    classes = protocol.vocabulary("potsdam").class_names
    assert classes[names.colours[0xFF0000]] == "Building"  # blue, packed red first
    assert 0x000000 not in names.colours  # the publisher's boundary is no answer


@given(st.lists(st.integers(-300, 70000), min_size=3, max_size=3))
def test_any_integer_is_either_named_or_told(values):
    found = ValueNames({0: 1, 7: 0}).of_indices(np.array([values]))
    assert found.labels.tolist() == [[{0: 1, 7: 0}.get(value, 255) for value in values]]
    strays = [value for value in values if value not in (0, 7)]
    assert found.stray(NOWHERE) == (f"value {strays[0]} at row 0, column {values.index(strays[0])}" if strays else "")
    assert found.stray(np.full((1, 3), 255, np.uint8)) == ""


def _palette(indices, colours) -> Prediction:
    table = np.zeros((256, 3), np.uint8)
    table[: len(colours)] = colours
    return Prediction("PNG, palette", "palette", np.array([indices], np.uint8), table)


def test_a_palette_that_says_two_things_must_be_decided():
    names = ValueNames({0: 0, 1: 1}, {0x0000FF: 1, 0x00FF00: 0})  # red means 1, green means 0
    crossed = _palette([0, 1], [(255, 0, 0), (0, 255, 0)])
    with pytest.raises(DataError, match="--values"):
        names.labels_of(crossed, "a.png")
    assert names.labels_of(crossed, "a.png", "index").labels.tolist() == [[0, 1]]
    assert names.labels_of(crossed, "a.png", "colour").labels.tolist() == [[1, 0]]
    agreeing = _palette([0, 1], [(0, 255, 0), (255, 0, 0)])
    assert names.labels_of(agreeing, "a.png").labels.tolist() == [[0, 1]]
    unknown = _palette([0, 1], [(9, 9, 9), (8, 8, 8)])
    assert names.labels_of(unknown, "a.png").labels.tolist() == [[0, 1]]


def test_a_colour_that_means_nothing_is_told_as_a_colour():
    picture = Prediction("PNG, colours", "colours", np.array([[[1, 2, 3]]], np.uint8))
    found = ValueNames({}, {0: 0}).labels_of(picture, "a.png")
    assert found.stray(np.zeros((1, 1), np.uint8)) == "colour (1, 2, 3) at row 0, column 0"


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("a.png", lambda path: path.write_bytes(b"no picture"), "no PNG or TIFF"),
        ("a.tif", lambda path: path.write_bytes(b"no picture"), "damaged or no TIFF"),
        ("a.npz", lambda path: path.write_bytes(b"no arrays"), "damaged or no file of numpy arrays"),
        ("a.npz", lambda path: np.savez(path, x=np.zeros(3), y=np.zeros(3)), "cannot be told"),
        ("a.npy", lambda path: np.save(path, np.zeros((2, 2))), "give a label map"),
        ("a.npy", lambda path: np.save(path, np.array([{}])), "damaged or no file"),
    ],
)
def test_files_that_hold_no_prediction_are_refused(name, write, words, tmp_path):
    write(tmp_path / name)
    with pytest.raises(DataError, match=words):
        read_prediction(tmp_path / name)
