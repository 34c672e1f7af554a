"""Inria, added as ``docs/adding-a-dataset.md`` says: from every form of the download to the drawn pixels and labels."""

import re

import numpy as np
import pytest
from PIL import Image

from ovrisisbench.benchmark import run
from ovrisisbench.errors import DataError
from ovrisisbench.prepare import PreparedDataset, prepare
from tests.drawn import inria

PROTOCOL = """
format: 1
name: buildings
title: Buildings
description: All labelled tiles of Inria.
train_sets: []
test_sets:
  - {dataset: inria, variant: grid-1000, vocabulary: inria-v1}
held_out: nothing
metric_convention: detectron2
"""


def prepared_from(root, target, **options):
    return prepare("inria", root, target, workers=1, card=inria.drawn_card(), **options)


@pytest.mark.parametrize(
    ("draw", "layout", "variant"),
    [
        (inria.draw_publisher_folders, "publisher", "grid-1000"),
        (inria.draw_publisher_zips, "publisher", "grid-1000"),
        (inria.draw_publisher_zips, "publisher", "whole"),
        (inria.draw_bundle, "bundle", "bundle-675"),
    ],
    ids=["folders", "zip", "whole", "bundle"],
)
def test_every_form_gives_the_drawn_pixels_and_labels_without_a_warning(tmp_path, draw, layout, variant):
    wanted = variant if variant == "whole" else None
    report = prepared_from(draw(tmp_path / "download"), tmp_path, variant=wanted)
    assert (report.layout, report.variant, report.partial, report.warnings) == (layout, variant, False, ())
    with PreparedDataset(report.target) as prepared:
        assert {sample.id for sample in prepared.samples} == set(inria.truth(variant))
        for index, sample in enumerate(prepared.samples):
            picture, labels = inria.truth(variant)[sample.id]
            np.testing.assert_array_equal(prepared.image(index), picture)
            np.testing.assert_array_equal(prepared.label(index), labels)
            assert sample.scene == sample.id.split("_")[0]
            assert sample.split == ("all" if layout == "bundle" else "train")


def test_tiles_without_a_public_mask_are_left_out_and_noted(tmp_path):
    report = prepared_from(inria.draw_publisher_folders(tmp_path / "download"), tmp_path, check=True)
    assert [note for note in report.notes if "1 image(s)" in note and "left out" in note]


def test_a_missing_mask_is_named(tmp_path):
    download = inria.draw_publisher_folders(tmp_path / "download")
    (download / "AerialImageDataset" / "train" / "gt" / "tyrol-w36.tif").unlink()
    with pytest.raises(DataError, match=r"not complete.*images without a mask.*train/tyrol-w36"):
        prepared_from(download, tmp_path)


def test_masks_that_somebody_renumbered_are_refused_with_the_cause(tmp_path):
    download = inria.draw_publisher_folders(tmp_path / "download")
    for path in (download / "AerialImageDataset" / "train" / "gt").iterdir():
        with Image.open(path) as mask:
            Image.fromarray(np.asarray(mask) // 255).save(path)
    with pytest.raises(DataError, match=r"expected 0 and 255, found 0\.\.1.*replaced by 0\.\.1.*as published"):
        prepared_from(download, tmp_path)


def test_buildings_of_the_bundle_are_not_taken_for_ignored_pixels(tmp_path):
    with pytest.raises(DataError, match=r"ignored pixels: expected none, found .*ids, in which 255 is building"):
        prepared_from(inria.draw_bundle(tmp_path / "download", building=255), tmp_path)


def test_a_variant_of_the_other_layout_is_refused_and_the_right_one_named(tmp_path):
    with pytest.raises(DataError, match=re.escape("from this layout comes --variant bundle-675")):
        prepared_from(inria.draw_bundle(tmp_path / "download"), tmp_path, variant="grid-1000")


def test_a_protocol_of_ones_own_measures_it(tmp_path):
    prepared_from(inria.draw_publisher_folders(tmp_path / "download"), tmp_path / "data")
    (tmp_path / "buildings.yaml").write_text(PROTOCOL)
    (record,) = run(
        "most-frequent",
        data=tmp_path / "data",
        results=tmp_path / "results",
        protocol=str(tmp_path / "buildings.yaml"),
        device="cpu",
    )
    truth = np.concatenate([labels.ravel() for _, labels in inria.truth().values()])
    assert (record.protocol.name, record.dataset.key, record.dataset.images) == ("buildings", "inria", 5)
    # The floor always says background.
    np.testing.assert_array_equal(record.confusion_array, [[(truth == 0).sum(), 0], [(truth == 1).sum(), 0]])
    assert record.vocabulary.class_names == ("background", "building")
