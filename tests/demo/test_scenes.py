import hashlib

import numpy as np

from ovrisisbench.catalog import load_card
from ovrisisbench.demo.scenes import SCENES, draw_isaid_download, draw_scene
from ovrisisbench.prepare import PreparedDataset, prepare


def test_masks_hold_only_colours_of_the_card_and_all_classes_occur():
    card = load_card("isaid")
    known = {label.colour for label in (*card.classes, *card.other_labels)}
    seen = set()
    for number in range(len(SCENES)):
        picture, mask = draw_scene(number)
        assert picture.shape == mask.shape == (600, 700, 3)
        assert picture.dtype == mask.dtype == np.uint8
        seen |= {tuple(colour) for colour in np.unique(mask.reshape(-1, 3), axis=0).tolist()}
    assert seen == known


def test_equal_seeds_draw_equal_pixels_and_others_do_not():
    def digest(**options):
        return hashlib.sha256(draw_scene(0, **options)[0].tobytes()).hexdigest()

    assert digest(seed=3) == digest(seed=3) != digest(seed=4)


def test_the_download_can_be_prepared_and_has_every_class_in_both_senses(tmp_path):
    names = draw_isaid_download(tmp_path / "download")
    assert names == [f"P{number:04d}" for number in range(6)]
    report = prepare("isaid", tmp_path / "download", tmp_path / "data", workers=1, allow_partial=True)
    assert report.layout == "publisher"
    assert {split.split: split.files_found for split in report.splits} == {"train": 3, "val": 3}
    manifest = PreparedDataset(report.target).manifest
    assert all(manifest.class_pixels)
    assert manifest.ignored_pixels
