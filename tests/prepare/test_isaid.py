"""From every layout of iSAID to the same windows, and what is said when something is wrong."""

import csv
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from ovrisisbench.catalog import load_card
from ovrisisbench.errors import DataError
from ovrisisbench.prepare import PreparedDataset, prepare
from ovrisisbench.prepare.doctor.verdict import name_digest
from tests.drawn import isaid

SAMPLES, LISTS = os.environ.get("OVRISISBENCH_ISAID_SAMPLES"), os.environ.get("OVRISISBENCH_ISAID_LISTS")


def test_windows_equal_a_plain_reference(prepared):
    expected = isaid.all_windows()
    assert {sample.id for sample in prepared.samples} == set(expected)
    for index, sample in enumerate(prepared.samples):
        pixels, labels = expected[sample.id]
        np.testing.assert_array_equal(prepared.image(index), pixels)
        np.testing.assert_array_equal(prepared.label(index), labels)
        values, counts = np.unique(labels, return_counts=True)
        assert sample.histogram == dict(zip(values.tolist(), counts.tolist(), strict=True))
        prepared.verify(index)


def test_samples_know_split_and_scene(prepared):
    scenes = {scene.name: scene for scene in isaid.scenes()}
    for sample in prepared.samples:
        assert sample.scene == sample.id[:5]
        assert sample.split == scenes[sample.scene].split
    assert set(prepared.manifest.counts) == {"train", "val"}


@pytest.mark.parametrize("draw", [isaid.draw_publisher_zips, isaid.draw_devkit, isaid.draw_bundle])
def test_every_layout_gives_the_same_fingerprint(prepared, card, tmp_path, draw):
    report = prepare("isaid", draw(tmp_path / "download"), tmp_path / "data", workers=1, card=card)
    assert report.digest == prepared.manifest.digest
    assert report.verified
    assert not report.partial
    assert report.layout == ("bundle" if draw is isaid.draw_bundle else "publisher")
    samples = PreparedDataset(report.target).samples
    for here, there in zip(samples, prepared.samples, strict=True):
        assert (here.id, here.split, here.scene, here.histogram) == (
            there.id,
            there.split,
            there.scene,
            there.histogram,
        )


def test_a_recompressed_download_has_the_same_fingerprint(prepared, card, download):
    from PIL import Image

    for path in download.rglob("*.png"):
        with Image.open(path) as image:
            image.load()
            image.save(path, "BMP" if "color" in path.name else "PNG")
    report = prepare("isaid", download, download.parent / "data", workers=1, card=card)
    assert report.digest == prepared.manifest.digest


def test_one_changed_pixel_changes_the_fingerprint(prepared, card, download):
    from PIL import Image

    path = download / "train" / "images" / "P0001.png"
    pixels = np.asarray(Image.open(path)).copy()
    pixels[100, 100, 0] ^= 1
    Image.fromarray(pixels).save(path)
    report = prepare("isaid", download, download.parent / "data", workers=1, card=card)
    assert report.digest != prepared.manifest.digest


def test_the_bundle_may_say_imgs_and_leave_the_suffix_out(prepared, card, tmp_path):
    download = isaid.draw_bundle(tmp_path / "download", images="imgs", suffix="")
    assert prepare("isaid", download, tmp_path, workers=1, card=card).digest == prepared.manifest.digest


def test_the_unsplit_folder_of_the_bundle_is_read_with_a_note(prepared, card, tmp_path):
    report = prepare("isaid", isaid.draw_unsplit_bundle(tmp_path / "download"), tmp_path, workers=1, card=card)
    assert report.digest == prepared.manifest.digest
    assert [split.split for split in report.splits] == ["all"]
    assert "held-out images cannot be told apart" in report.notes[0]
    assert not report.verified


def test_the_split_folders_of_the_bundle_win_over_the_unsplit_one(prepared, card, tmp_path):
    isaid.draw_unsplit_bundle(tmp_path / "download")
    report = prepare("isaid", isaid.draw_bundle(tmp_path / "download"), tmp_path, workers=1, card=card)
    assert report.verified
    assert any("repeat the images of those with splits" in note for note in report.notes)


def test_scenes_are_stored_once_and_only_where_windows_are(prepared):
    with h5py.File(prepared.path) as file:
        stored = sum(dataset.size for dataset in file["labels"].values())
        used = {sample.source for sample in prepared.samples}
        assert set(file["labels"]) == set(file["images"]) == used
    assert stored < sum(sample.height * sample.width for sample in prepared.samples)
    assert stored <= sum(scene.mask[..., 0].size for scene in isaid.scenes())


def test_windows_follow_the_rule_on_the_card(drawn, card, tmp_path):
    rule = card.variant().windows.model_copy(update={"size": 100, "stride": 100, "last": "dropped", "keep_above": 0.0})
    variant = card.variant().model_copy(update={"windows": rule, "counts": {}, "name_digests": {}})
    report = prepare(
        "isaid", drawn, tmp_path, workers=1, card=card.model_copy(update={"variants": (variant,)}), allow_partial=True
    )
    expected = {
        f"{scene.name}_{y}_{y + 100}_{x}_{x + 100}"
        for scene in isaid.scenes()
        for y in range(0, scene.mask.shape[0] - 99, 100)
        for x in range(0, scene.mask.shape[1] - 99, 100)
        if scene.mask[y : y + 100, x : x + 100].any()
    }
    assert {sample.id for sample in PreparedDataset(report.target).samples} == expected


def test_grey_images_are_noted(card, download):
    from PIL import Image

    path = download / "train" / "images" / "P0001.png"
    Image.open(path).convert("L").save(path)
    report = prepare("isaid", download, download.parent / "data", workers=1, card=card)
    assert report.notes == ("1 image(s) had one grey band, repeated three times: P0001.",)


def test_a_label_of_another_reading_is_ignored_or_merged_as_its_variant_says(drawn, card, tmp_path):
    labels = {**card.variant().labels, "ship": "ignore"}
    variant = card.variant().model_copy(update={"labels": labels, "counts": {}, "name_digests": {}})
    report = prepare(
        "isaid", drawn, tmp_path, workers=1, card=card.model_copy(update={"variants": (variant,)}), allow_partial=True
    )
    manifest = PreparedDataset(report.target).manifest
    assert manifest.class_pixels[0] == 0
    assert manifest.class_pixels[14] > 0


@pytest.fixture
def refused(card):
    def prepare_badly(download: Path, **options) -> str:
        with pytest.raises(DataError) as caught:
            prepare("isaid", download, download.parent / "data", workers=1, card=card, **options)
        assert not (download.parent / "data" / "isaid.h5").exists()
        return str(caught.value)

    return prepare_badly


def test_an_image_without_a_mask_is_named(download, refused):
    (download / "val/Semantic_masks/images/P0012_instance_color_RGB.png").unlink()
    message = refused(download)
    assert "images without a mask: expected none, found 1 (val/P0012)" in message
    assert "split val: expected 2 images with masks" in message
    assert "--allow-partial" in message


def test_a_mask_without_an_image_is_named(download, refused):
    (download / "train/images/P0007.png").unlink()
    assert "masks without an image: expected none, found 1 (train/P0007)" in refused(download)


def test_a_missing_split_is_named(download, refused):
    for path in (download / "val").rglob("*.png"):
        path.unlink()
    assert "split val: expected 2 images with masks" in refused(download)


def test_a_part_can_be_prepared_and_says_so(download, card):
    (download / "train/images/P0007.png").unlink()
    report = prepare("isaid", download, download.parent / "data", workers=1, card=card, allow_partial=True)
    assert report.partial
    assert not report.verified
    manifest = PreparedDataset(report.target).manifest
    assert manifest.partial
    assert any("P0007" in reason for reason in manifest.partial_reasons)


def test_a_part_is_not_asked_for_classes_that_the_rest_may_show(download, card):
    whole = prepare("isaid", download, download.parent / "whole", workers=1, card=card)
    assert "classes" in [finding.subject for finding in whole.findings]
    (download / "train/images/P0007.png").unlink()
    part = prepare("isaid", download, download.parent / "part", workers=1, card=card, allow_partial=True)
    assert not {"classes", "shares of the classes"} & {finding.subject for finding in part.findings}


def test_windows_under_other_names_than_published_are_an_error(download, card, refused, tmp_path):
    variant = card.variant()
    wrong = variant.model_copy(update={"name_digests": {**variant.name_digests, "val": "0" * 64}})
    with pytest.raises(DataError, match=r"split val: expected the names of the published list, found 11 other names"):
        prepare("isaid", download, tmp_path, workers=1, card=card.model_copy(update={"variants": (wrong,)}))


def test_another_number_of_windows_is_an_error_when_all_images_are_there(download, card, tmp_path):
    wrong = card.variant().model_copy(update={"counts": {**card.variant().counts, "val": 999}})
    changed = card.model_copy(update={"variants": (wrong,)})
    with pytest.raises(DataError, match="split val: expected 999 evaluated images"):
        prepare("isaid", download, tmp_path, workers=1, card=changed)
    assert prepare("isaid", download, tmp_path, workers=1, card=changed, allow_partial=True).partial


def test_a_recalled_number_of_images_does_not_outweigh_the_published_windows(download, card, tmp_path):
    splits = tuple(split.model_copy(update={"labelled": split.labelled and 3}) for split in card.splits)
    wrong = card.model_copy(update={"splits": splits})
    with pytest.raises(DataError, match="recalled from the literature, not confirmed"):
        prepare("isaid", download, tmp_path, workers=1, card=wrong)
    report = prepare("isaid", download, tmp_path, workers=1, card=wrong, allow_partial=True)
    assert report.verified
    assert not report.partial
    assert [warning[:12] for warning in report.warnings if "complete all the same" in warning] == [
        "split train:",
        "split val: e",
    ]


def test_different_sizes_name_both(download, refused):
    path = download / "val/images/P0012.png"
    path.write_bytes(isaid.png(isaid.scenes()[2].picture[:-1]))
    message = refused(download)
    assert "P0012.png has 462x530" in message
    assert "P0012_instance_color_RGB.png has 463x530" in message


@pytest.mark.parametrize("name", ["images/P0001.png", "Semantic_masks/images/P0001_instance_color_RGB.png"])
def test_a_truncated_picture_is_named(download, refused, name):
    path = download / "train" / name
    path.write_bytes(path.read_bytes()[:-2000])
    assert f"train/{name} is damaged or cut off" in refused(download)


def test_an_instance_mask_under_the_name_of_a_semantic_one_is_recognised(download, refused):
    path = download / "train/Semantic_masks/images/P0001_instance_color_RGB.png"
    path.write_bytes(isaid.png(isaid.instance_mask(isaid.scenes()[0])))
    assert "these look like instance masks" in refused(download)


def test_reversed_channels_are_recognised(download, refused):
    path = download / "train/Semantic_masks/images/P0001_instance_color_RGB.png"
    path.write_bytes(isaid.png(np.ascontiguousarray(isaid.scenes()[0].mask[..., ::-1])))
    assert "the channels are in reverse order: blue, green, red (BGR)" in refused(download)


def test_ids_that_start_at_one_are_recognised_even_without_the_last_class(tmp_path, refused):
    from PIL import Image

    download = isaid.draw_bundle(tmp_path / "download")
    for path in download.rglob("D2masks/*.png"):
        labels = np.asarray(Image.open(path))
        Image.fromarray(np.where(labels < 14, labels + 1, 0).astype(np.uint8)).save(path)
    assert "off by one" in refused(download)


def test_the_off_by_one_value_is_named(tmp_path, refused):
    from PIL import Image

    download = isaid.draw_bundle(tmp_path / "download")
    path = next(download.rglob("D2masks/P0001*.png"))
    labels = np.asarray(Image.open(path)).copy()
    labels[7, 9] = 15
    Image.fromarray(labels).save(path)
    message = refused(download)
    assert "has value 15 at row 7, column 9" in message
    assert "of which nothing defines 15 (1 pixel(s), first in iSAID_split" in message


def test_a_window_of_another_size_than_its_name_says_is_refused(tmp_path, refused):
    download = isaid.draw_bundle(tmp_path / "download")
    for path in download.rglob("P0001_0_256_0_256*.png"):
        from PIL import Image

        Image.open(path).resize((128, 128), Image.Resampling.NEAREST).save(path)
    assert "has 128x128 pixels (rows x columns), not what its name says" in refused(download)


def test_one_id_in_two_splits_is_refused(download, refused):
    for kind in ("images/P0001.png", "Semantic_masks/images/P0001_instance_color_RGB.png"):
        (download / "val" / kind).write_bytes((download / "train" / kind).read_bytes())
    assert "P0001 is there twice, in train and in val" in refused(download)


def test_a_different_copy_of_one_id_is_refused(download, refused):
    isaid.write_zip(download / "train" / "part1.zip", {"images/P0001.png": isaid.png(isaid.scenes()[1].picture)})
    assert "is there twice with different content" in refused(download)


def test_archives_beside_their_unpacked_files_are_read_once(download, card, prepared):
    members = {f"images/{path.name}": path.read_bytes() for path in (download / "train" / "images").iterdir()}
    isaid.write_zip(download / "train" / "part1.zip", members)
    report = prepare("isaid", download, download.parent / "data", workers=1, card=card)
    assert report.digest == prepared.manifest.digest
    assert report.notes == ("2 image(s) lie both in an archive and unpacked; each was read once.",)


def test_a_file_of_no_split_is_named(download, refused):
    (download / "train").rename(download / "part one")
    assert "lies in no folder or archive named train, val or test" in refused(download)


def test_both_layouts_at_once_ask_for_a_narrower_folder(download, refused):
    isaid.draw_bundle(download)
    message = refused(download)
    assert "more than one layout (publisher and bundle)" in message
    assert "--from" in message


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("images/*.png", "4 image(s), but no mask P####_instance_color_RGB.png"),
        ("Semantic_masks/images/*.png", "4 mask(s), but no image P####.png"),
        ("Instance_masks/images/*.png", "4 instance mask(s) _instance_id_RGB, but no semantic mask"),
    ],
)
def test_half_a_download_says_what_is_missing_in_each_layout(download, refused, keep, message):
    kept = {path for split in ("train", "val") for path in (download / split).glob(keep)}
    for path in set(download.rglob("*.png")) - kept:
        path.unlink()
    text = refused(download)
    assert message in text
    assert "layout bundle: neither images nor masks" in text


def test_zips_inside_a_zip_are_read_and_what_was_unpacked_is_removed(tmp_path, card, prepared):
    zips = isaid.draw_publisher_zips(tmp_path / "zips")
    inner = {path.relative_to(zips).as_posix(): path.read_bytes() for path in zips.rglob("*.zip")}
    isaid.write_zip(tmp_path / "all.zip", inner)
    report = prepare("isaid", tmp_path / "all.zip", tmp_path / "data", workers=1, card=card)
    assert report.digest == prepared.manifest.digest
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [".isaid.h5.lock", "isaid.h5"]


def test_a_check_says_the_same_and_writes_nothing(drawn, card, prepared, tmp_path):
    report = prepare("isaid", drawn, tmp_path / "data", workers=1, card=card, check=True)
    assert report.status == "checked"
    assert report.digest == prepared.manifest.digest
    assert report.verified
    assert not (tmp_path / "data").exists()


def test_a_check_finds_what_preparing_would_find(download, refused):
    path = download / "train/images/P0001.png"
    path.write_bytes(path.read_bytes()[:-2000])
    assert "P0001.png is damaged or cut off" in refused(download, check=True)


def test_all_damaged_files_are_named_at_once_and_can_be_left_out(download, card, refused):
    for name in ("train/images/P0001.png", "val/images/P0012.png"):
        (download / name).write_bytes((download / name).read_bytes()[:-2000])
    message = refused(download)
    assert "train/images/P0001.png is damaged" in message
    assert "val/images/P0012.png is damaged" in message
    report = prepare("isaid", download, download.parent / "data", workers=1, card=card, allow_partial=True)
    assert report.partial
    with h5py.File(report.target) as file:
        assert not [name for name in file["images"] if name.startswith(("P0001", "P0012"))]


def test_scenes_without_a_labelled_window_are_an_error_when_there_is_nothing_else(tmp_path, refused):
    for scene in isaid.scenes():
        folder = tmp_path / "download" / scene.split
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{scene.name}.png").write_bytes(isaid.png(scene.picture))
        (folder / f"{scene.name}_instance_color_RGB.png").write_bytes(isaid.png(np.zeros_like(scene.mask)))
    assert "too few labelled pixels" in refused(tmp_path / "download")


@pytest.mark.skipif(not SAMPLES or not LISTS, reason="OVRISISBENCH_ISAID_SAMPLES and OVRISISBENCH_ISAID_LISTS not set")
def test_real_images_give_the_published_windows(tmp_path):
    with pytest.raises(DataError, match=r"masks without an image: expected none, found 1 \(train/P0002\)"):
        prepare("isaid", Path(SAMPLES), tmp_path)
    report = prepare("isaid", Path(SAMPLES), tmp_path, allow_partial=True)
    prepared = PreparedDataset(report.target)
    found = {sample.id for sample in prepared.samples}
    listed = {split: set((Path(LISTS) / f"isaid5i_{split}.txt").read_text().split()) for split in ("train", "val")}
    scenes = ("P0003", "P0004", "P0005")
    assert found == {name for names in listed.values() for name in names if name.startswith(scenes)}
    with (Path(LISTS) / "isaid_sample_windows.csv").open() as stream:
        rows = {row["window"]: row for row in csv.DictReader(stream) if row["image"] in scenes}
    assert found == {name for name, row in rows.items() if row["kept"] == "1"}
    for sample in prepared.samples:
        assert sum(count for value, count in sample.histogram.items() if value != 255) == int(
            rows[sample.id]["foreground_px"]
        )
        assert sample.id in listed[sample.split]


@pytest.mark.skipif(not LISTS, reason="OVRISISBENCH_ISAID_LISTS not set")
@pytest.mark.parametrize("split", ["train", "val"])
def test_the_name_digests_on_the_card_are_those_of_the_published_lists(split):
    names = (Path(LISTS) / f"isaid5i_{split}.txt").read_text().split()
    variant = load_card("isaid").variant()
    assert len(names) == variant.counts[split]
    assert name_digest(reversed(names)) == variant.name_digests[split]
