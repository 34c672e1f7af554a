"""Kept label maps are pictures whose pixel values are the labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate.kept_labels import KeptLabels, label_map_name, read_label_map

COLOURS = [(255, 0, 0), (0, 0, 255)]


def test_a_label_map_is_read_back_and_looks_as_its_classes(tmp_path):
    labels = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    kept = KeptLabels(tmp_path / "maps", COLOURS)
    kept.keep("scene_1", labels)
    assert kept.has("scene_1")
    assert not kept.has("scene_2")
    assert np.array_equal(read_label_map(tmp_path / "maps", "scene_1"), labels)
    assert read_label_map(tmp_path / "maps", "scene_2") is None
    with Image.open(tmp_path / "maps" / "scene_1.png") as picture:
        assert picture.convert("RGB").getpixel((1, 0)) == COLOURS[1]


def test_moving_takes_the_place_of_what_an_earlier_run_left(tmp_path):
    for name in ("old", "new"):
        kept = KeptLabels(tmp_path / name, COLOURS)
        kept.keep(name, np.zeros((2, 2), np.uint8))
        kept.move(tmp_path / "final")
    assert [path.name for path in (tmp_path / "final").iterdir()] == ["new.png"]
    assert not (tmp_path / "new").exists()


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_every_id_has_a_file_name_of_its_own_inside_the_folder(ids):
    one, other = map(label_map_name, ids)
    assert one != other
    for name in (one, other):
        assert "/" not in name
        assert "\\" not in name
        assert not name.startswith(".")


@pytest.mark.parametrize("content", ["colours", "nonsense"])
def test_what_is_no_picture_of_labels_is_refused(tmp_path, content):
    if content == "colours":
        Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    else:
        (tmp_path / "a.png").write_bytes(b"nonsense")
    with pytest.raises(RecordError, match="--keep-label-maps"):
        read_label_map(tmp_path, "a")
