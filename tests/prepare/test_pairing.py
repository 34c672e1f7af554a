import pytest

from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download.sources import Entry, scan
from ovrisisbench.prepare.layouts.pairing import index_unique, pair_up, split_of
from tests.drawn.isaid import write_zip


def entry(path):
    return Entry(path, None, None, 0, "")


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train/images/P0003.png", "train"),
        ("iSAID/val/Semantic_masks/images.zip/images/P0003.png", "val"),
        ("DOTA-v1.0_train.zip/images/P0003.png", "train"),
        ("DOTA/Validation/part1.zip/images/P0003.png", "val"),
        ("training set/P0003.png", "train"),
        ("test/val/P0003.png", "val"),
        ("TEST/P0003.png", "test"),
        ("images/P0003.png", None),
        ("trainval/P0003.png", None),
        ("train_val/P0003.png", None),
        ("train.png", None),
    ],
)
def test_the_innermost_folder_or_archive_that_names_a_split_decides(path, split):
    assert split_of(entry(path)) == split


def test_orphans_on_both_sides_are_reported_in_natural_order():
    images = {("train", name): entry(name) for name in ("P10", "P9", "P1")}
    masks = {("train", name): entry(name) for name in ("P9", "P8", "P11")}
    paired = pair_up(images, masks)
    assert [key for key, _, _ in paired.pairs] == [("train", "P9")]
    assert paired.images_without_mask == ("train/P1", "train/P10")
    assert paired.masks_without_image == ("train/P8", "train/P11")


def test_one_name_in_two_splits_is_refused():
    both = {(split, "P1"): entry(f"{split}/P1.png") for split in ("train", "val")}
    with pytest.raises(DataError, match=r"P1 is there twice, in train and in val"):
        pair_up(both, both)


def test_an_archive_beside_its_unpacked_files_counts_once(tmp_path):
    write_zip(tmp_path / "a.zip", {"P1.png": b"same"})
    (tmp_path / "P1.png").write_bytes(b"same")
    index, copies = index_unique(((("train", "P1"), found) for found in scan(tmp_path).entries), what="image")
    assert copies == 1
    assert index["train", "P1"].member is None


@pytest.mark.parametrize("other", [b"else", b"longer"])
def test_two_different_files_of_one_name_are_refused(tmp_path, other):
    write_zip(tmp_path / "a.zip", {"P1.png": b"same"})
    (tmp_path / "P1.png").write_bytes(other)
    with pytest.raises(DataError, match=r"image of P1 \(train\) is there twice with different content"):
        index_unique(((("train", "P1"), found) for found in scan(tmp_path).entries), what="image")
